"""Reading a message as a person would: its text, whom it notifies, where it leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import mrkdwn

if TYPE_CHECKING:
    from .model import Content

JsonObject = dict[str, Any]
_LEGACY_TEXTS = ("pretext", "author_name", "title", "text", "footer")


def visible_text(content: Content, people: Mapping[str, str]) -> str:
    """`text` is shown only when there are no blocks; with blocks it is the notification's."""
    lines = [] if content.blocks else [mrkdwn.to_text(content.text, people)]
    lines += [_shown(item, people) for item in _items(content)]
    return "\n".join(line for line in lines if line)


def mentions(content: Content, people: Mapping[str, str]) -> list[str]:
    """Sorted, each once. Top-level text counts even when blocks hide it: Slack notifies by it."""
    parse = content.parse == "full" or content.link_names
    texts = [content.text, *(i["text"] for i in _items(content) if i.get("type") == "mrkdwn")]
    found = {name for text in texts for name in mrkdwn.read(text, people, parse=parse).mentions}
    return sorted(found)


def links(content: Content) -> list[tuple[str, str]]:
    found = mrkdwn.read(content.text, {}).links if not content.blocks else []
    for item in _items(content):
        if item.get("type") == "mrkdwn":
            found += mrkdwn.read(item["text"], {}).links
        elif item.get("type") == "button" and "url" in item:
            found.append((item["url"], item["text"]["text"]))
    found += [
        (attachment[key], str(attachment.get("title", "")))
        for attachment in content.attachments
        for key in ("title_link", "author_link")
        if key in attachment
    ]
    return found


def buttons(content: Content) -> list[JsonObject]:
    return [item for item in _items(content) if item.get("type") == "button"]


def text_length(blocks: object) -> int:
    """The characters of every text in blocks or attachments, as Slack's hidden total counts."""
    match blocks:
        case list():
            return sum(text_length(item) for item in blocks)
        case dict():
            own = len(blocks["text"]) if isinstance(blocks.get("text"), str) else 0
            return own + sum(text_length(v) for v in blocks.values() if isinstance(v, list | dict))
        case _:
            return 0


def _items(content: Content) -> Iterator[JsonObject]:
    """Text objects, buttons and images in reading order, attachments after blocks."""
    yield from _walk(list(content.blocks))
    for attachment in content.attachments:
        for key in _LEGACY_TEXTS:
            if isinstance(attachment.get(key), str):
                yield {"type": "mrkdwn", "text": attachment[key]}
        for field in attachment.get("fields", []):
            yield {"type": "mrkdwn", "text": f"{field.get('title', '')}\n{field.get('value', '')}"}
        yield from _walk(attachment.get("blocks", []))


def _walk(node: object) -> Iterator[JsonObject]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, dict):
        yield from _of(node)


def _of(node: JsonObject) -> Iterator[JsonObject]:
    match node:
        case {"type": "mrkdwn" | "plain_text" | "text", "text": str()}:
            yield node
        case {"type": "markdown", "text": str(text)}:
            yield {"type": "mrkdwn", "text": text}
        case {"type": "button"}:
            yield node
            yield from _walk(node["text"])
        case {"type": "image"}:
            yield from _walk(node.get("title"))
            yield node
        case {"type": "user", "user_id": str(user)}:
            yield {"type": "mrkdwn", "text": f"<@{user}>"}
        case {"type": "broadcast", "range": str(room)}:
            yield {"type": "mrkdwn", "text": f"<!{room}>"}
        case _:
            for value in node.values():
                yield from _walk(value)


def _shown(item: JsonObject, people: Mapping[str, str]) -> str:
    match item:
        case {"type": "mrkdwn", "text": str(text)}:
            return mrkdwn.to_text(text, people)
        case {"type": "image", "alt_text": str(alt)}:
            return alt
        case {"type": "button"}:
            return ""
        case _:
            return str(item["text"])
