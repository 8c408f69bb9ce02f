"""Slack's mrkdwn: untrusted text made text there, and what we mean as markup.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from app.notifiers.background import Line
from app.notifiers.text import clean, cut, one_line

Block: TypeAlias = dict[str, Any]

_CODE = 120
_LONGEST_LINK = 1000


def escape(text: str) -> str:
    """What Slack reads as markup, mentions and links, made text. It asks for these three only.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _safe(text: str, limit: int) -> str:
    return cut(escape(clean(text)), limit)


# Slack formats only at the edge of a word, and knows no escape: others that look the same do.
_FORMATTING = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`")
_EMOJI = re.compile(r"(?<![^\W_]):(?=[a-z0-9_+'-]+:)")
_QUOTE = re.compile(r"^([ ]*)>", re.MULTILINE)
_BACKTICK = "ˋ"  # noqa: RUF001
_LOOK_ALIKE = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": _BACKTICK})  # noqa: RUF001


def calm(text: str, limit: int) -> str:
    """Prose for a mrkdwn text: escaped, and nothing in it formats, quotes or becomes an emoji."""
    quiet = _FORMATTING.sub(lambda found: found[0].translate(_LOOK_ALIKE), clean(text))
    quiet = _QUOTE.sub(r"\1›", _EMOJI.sub("∶", quiet))  # noqa: RUF001
    return _safe(quiet, limit)


def code(text: str, limit: int = _CODE) -> str:
    """A code span: what is in it can be copied as it is."""
    inner = cut(escape(one_line(text).replace("`", _BACKTICK)), limit)
    return f"`{inner}`" if inner else ""


def link(name: str, address: str) -> str:
    """A link. It cannot be cut: leave the whole of it out where there is no room."""
    return f"<{escape(address)}|{escape(name)}>"


_SPAN = re.compile(r"`([^`\n]+)`")


def step(text: str, limit: int) -> str:
    """A runbook's step: what is code there can be copied here."""
    parts = _SPAN.split(text)
    said = "".join(
        code(part, limit) if n % 2 else calm(part, limit) for n, part in enumerate(parts)
    )
    return said if len(said) <= limit else calm(text, limit)


def line(shown: Line, limit: int) -> str:
    """One line of what the sources said."""
    text = calm(shown.text, limit)
    if shown.link and len(shown.link) <= _LONGEST_LINK:
        name = calm(shown.name, limit)
        if name and "|" not in name:
            text = text.replace(name, f"<{escape(shown.link)}|{name}>", 1)
    parts = [shown.sign, text, code(shown.code, limit)]
    return " ".join(part for part in parts if part)


def section(text: str) -> Block:
    """A block of text that is mrkdwn already: whatever is foreign in it is escaped."""
    # Verbatim: else Slack links names of channels and some mentions on its own.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def joined(parts: Iterable[str], separator: str, limit: int) -> str:
    """As many whole parts as fit."""
    shown = ""
    for part in parts:
        longer = f"{shown}{separator}{part}" if shown else part
        if len(longer) > limit:
            return f"{shown}{separator}…"
        shown = longer
    return shown
