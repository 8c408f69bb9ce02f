"""No page says anything that cannot be translated, and none holds style or script of its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "app" / "web" / "templates" / "console"
_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
#: What stands in an attribute of the page around it.
_INSIDE = re.compile(r"\{% block (?:back|stream) %\}.*?\{% endblock %\}")
_SPOKEN = {"alt", "title", "placeholder", "aria-label"}
#: Names, keys, and what reads the same in every language.
_NEUTRAL = {"Plantão", "Enter", "j", "k", "a", "r", "n", "g", "m"}


class _Page(HTMLParser):
    """What a template says itself, once its expressions are taken out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.own: list[str] = []
        self.feed(_CODE.sub("", _INSIDE.sub("", text)))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [value or "" for name, value in attrs if name in _SPOKEN]
        self.own += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.own.append(tag)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def words(page: _Page) -> set[str]:
    return {word for said in page.said for word in re.findall(r"[^\W\d_]+", said)}


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.stem)
def test_templates_say_nothing_themselves(path: Path) -> None:
    page = _Page(path.read_text(encoding="utf-8"))
    assert words(page) <= _NEUTRAL
    assert page.own == []


def test_the_test_would_notice() -> None:
    assert words(_Page('<p title="Hi {{ x }}">Read {{ y }} this</p>')) == {"Hi", "Read", "this"}
    assert _Page('<p style="x" onclick="y"><script>z</script>').own == [
        "style",
        "onclick",
        "script",
    ]
