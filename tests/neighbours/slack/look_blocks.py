"""Block Kit painted as HTML."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

from . import mrkdwn
from .elements import INTERACTIVE, STATELESS, initial
from .emoji import with_emoji
from .look_elements import element_html

JsonObject = dict[str, Any]


def mrkdwn_html(text: str, people: Mapping[str, str]) -> str:
    return mrkdwn.Reading(people).html(text)


class Painter:
    """Blocks and attachments; `people` names who is mentioned, `held` what elements hold by
    action_id."""

    def __init__(
        self, people: Mapping[str, str], held: Mapping[str, JsonObject] | None = None
    ) -> None:
        self._people = people
        self._held = held or {}
        self._kinds: dict[str, Callable[[JsonObject], str]] = {
            "section": self._section,
            "header": self._header,
            "divider": lambda _: "<hr>",
            "context": self._context,
            "actions": self._actions,
            "image": self._image,
            "markdown": lambda block: f'<div class="text">{self._mrkdwn(block["text"])}</div>',
            "rich_text": self._rich_text,
        }

    def blocks(self, blocks: list[JsonObject]) -> str:
        inner = "".join(self._kinds[block["type"]](block) for block in blocks)
        return f'<div class="blocks">{inner}</div>'

    def attachment(self, attachment: JsonObject) -> str:
        color = html.escape(f"#{attachment['color']}" if "color" in attachment else "#dddddd")
        inner = self.blocks(attachment.get("blocks", [])) + self._legacy(attachment)
        pretext = self._part(attachment, "pretext")
        return (
            f'{pretext}<div class="attachment"><div class="bar" style="background:{color}"></div>'
            f'<div class="inside">{inner}</div></div>'
        )

    def text(self, text: JsonObject) -> str:
        if text["type"] == "mrkdwn":
            return self._mrkdwn(text["text"])
        plain = html.escape(text["text"], quote=False).replace("\n", "<br>")
        return with_emoji(plain) if text.get("emoji", True) else plain

    def _mrkdwn(self, text: str) -> str:
        return mrkdwn_html(text, self._people)

    def _section(self, block: JsonObject) -> str:
        text = f'<div class="text">{self.text(block["text"])}</div>' if "text" in block else ""
        cells = "".join(f"<div>{self.text(field)}</div>" for field in block.get("fields", []))
        fields = f'<div class="fields">{cells}</div>' if cells else ""
        accessory = self.element(block["accessory"]) if "accessory" in block else ""
        side = f'<div class="accessory">{accessory}</div>' if accessory else ""
        return f'<div class="section"><div>{text}{fields}</div>{side}</div>'

    def _header(self, block: JsonObject) -> str:
        return f"<h2>{self.text(block['text'])}</h2>"

    def _context(self, block: JsonObject) -> str:
        parts = "".join(f"<span>{self.element(e)}</span>" for e in block["elements"])
        return f'<div class="context">{parts}</div>'

    def _actions(self, block: JsonObject) -> str:
        parts = "".join(self.element(e) for e in block["elements"])
        return f'<div class="actions">{parts}</div>'

    def _image(self, block: JsonObject) -> str:
        title = self.text(block["title"]) if "title" in block else ""
        return f"<figure><figcaption>{title}</figcaption>{_picture(block)}</figure>"

    def element(self, element: JsonObject) -> str:
        match element:
            case {"type": "mrkdwn" | "plain_text"}:
                return self.text(element)
            case {"type": "image"}:
                return _picture(element)
            case {"type": kind} if kind in INTERACTIVE:
                held = self._held.get(str(element.get("action_id")))
                if held is None:
                    held = {} if kind in STATELESS else initial(element)
                return element_html(element, held, self._people, self.text)
            case _:
                return f'<button class="menu">{html.escape(str(element["type"]))}</button>'

    def _rich_text(self, block: JsonObject) -> str:
        return "".join(self._rich(element) for element in block["elements"])

    def _rich(self, node: JsonObject) -> str:
        inner = "".join(self._rich(child) for child in node.get("elements", []))
        match node:
            case {"type": "rich_text_list"}:
                items = "".join(f"<li>{self._rich(child)}</li>" for child in node["elements"])
                tag = "ol" if node.get("style") == "ordered" else "ul"
                return f"<{tag}>{items}</{tag}>"
            case {"type": "rich_text_preformatted"}:
                return f"<pre>{inner}</pre>"
            case {"type": "rich_text_quote"}:
                return f"<blockquote>{inner}</blockquote>"
            case {"type": "text", "text": str(text)}:
                return _styled(text, node.get("style", {}))
            case {"type": "link", "url": str(url)}:
                label = html.escape(node.get("text", url))
                return f'<a href="{html.escape(url)}">{label}</a>'
            case {"type": "emoji", "name": str(name)}:
                return with_emoji(f":{html.escape(name)}:")
            case {"type": "user", "user_id": str(user)}:
                return self._mrkdwn(f"<@{user}>")
            case {"type": "broadcast", "range": str(room)}:
                return self._mrkdwn(f"<!{room}>")
            case _:
                return inner

    def _legacy(self, attachment: JsonObject) -> str:
        parts = [self._part(attachment, "author_name"), self._title(attachment)]
        parts.append(self._part(attachment, "text"))
        cells = "".join(
            f"<div><b>{self._mrkdwn(str(f.get('title', '')))}</b><br>"
            f"{self._mrkdwn(str(f.get('value', '')))}</div>"
            for f in attachment.get("fields", [])
        )
        parts.append(f'<div class="fields">{cells}</div>' if cells else "")
        if "image_url" in attachment:
            parts.append(_picture({**attachment, "alt_text": ""}))
        if "footer" in attachment:
            parts.append(f'<div class="context">{self._mrkdwn(attachment["footer"])}</div>')
        return "".join(parts)

    def _title(self, attachment: JsonObject) -> str:
        title = self._part(attachment, "title")
        link = attachment.get("title_link")
        return f'<a class="title" href="{html.escape(link)}">{title}</a>' if link else title

    def _part(self, attachment: JsonObject, name: str) -> str:
        if not (text := attachment.get(name)):
            return ""
        return f'<div class="text {name}">{self._mrkdwn(str(text))}</div>'


def _picture(image: JsonObject) -> str:
    source = image.get("image_url") or f"/_file/{image.get('slack_file', {}).get('id', '')}"
    alt = html.escape(str(image.get("alt_text", "")))
    return f'<img src="{html.escape(str(source))}" alt="{alt}">'


def _styled(text: str, style: JsonObject) -> str:
    shown = html.escape(text, quote=False).replace("\n", "<br>")
    for name, tag in (("code", "code"), ("bold", "b"), ("italic", "i"), ("strike", "s")):
        if style.get(name):
            shown = f"<{tag}>{shown}</{tag}>"
    return shown
