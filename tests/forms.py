"""A person with a browser that runs no scripts: reads a page, fills in a form, presses a button."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

from tests.neighbours.processes import request


@dataclass
class Form:
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)  # by what stands on it


class Page(HTMLParser):
    """A page as it was answered: `status`, its `text`, its forms."""

    def __init__(self, url: str, status: int, html: str) -> None:
        super().__init__()
        self.url, self.status = url, status
        self.forms: list[Form] = []
        self._pieces: list[str] = []
        self._unseen = False
        self._button: tuple[str, str] | None = None
        self._textarea = ""
        self._select = ""
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return unescape(" ".join(" ".join(self._pieces).split()))

    def press(self, label: str, **fields: str) -> Page:
        """Press the button of that label, with these fields filled in; the page that follows."""
        form = next(each for each in self.forms if label in each.buttons)
        assert set(fields) <= set(form.fields), (fields, form)
        name, value = form.buttons[label]
        sent = form.fields | fields | ({name: value} if name else {})
        return opened(self.url, form.method, sent)

    def offers(self, label: str) -> bool:
        return any(label in form.buttons for form in self.forms)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        match tag:
            case "form":
                self.forms.append(Form(given.get("method", "get")))
            case "input":
                self.forms[-1].fields[name] = given.get("value", "")
            case "textarea":
                self._textarea = name
                self.forms[-1].fields[name] = ""
            case "select":
                self._select = name
            case "option" if self._select:  # the first is chosen
                self.forms[-1].fields.setdefault(self._select, given["value"])
            case "button":
                self._button = (name, given.get("value", ""))
            case "style" | "title":
                self._unseen = True
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._button = None
        elif tag in {"style", "title"}:
            self._unseen = False
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        self._pieces.append(data)
        if self._button is not None and self.forms:
            self.forms[-1].buttons[data.strip()] = self._button
        elif self._textarea:
            self.forms[-1].fields[self._textarea] += data.removeprefix("\n")


def opened(url: str, method: str = "get", fields: dict[str, str] | None = None) -> Page:
    """What a browser shows at that address, after any redirect."""
    if method == "post":
        answer = request("POST", url, form=fields, timeout=30.0)
    else:
        answer = request("GET", url, params=fields)
    if answer.status_code == 303:
        return opened(urljoin(url, answer.headers["location"]))
    return Page(str(answer.url), answer.status_code, answer.text)
