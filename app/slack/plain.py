"""A message's mrkdwn as plain text: names instead of ids, links as they read, no escapes.

Source: https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def mentioned(text: str) -> list[str]:
    """The ids of the people whom a message mentions."""
    return list(dict.fromkeys(found[2] for found in _TOKEN.finditer(text) if found[1] == "@"))


def plain(text: str, names: Mapping[str, str]) -> str:
    """The text as people read it; `names` are those of the people mentioned, by id."""
    read = _TOKEN.sub(lambda found: _read(found, names), text)
    for entity, character in _ENTITIES:
        read = read.replace(entity, character)
    return read


def _read(found: re.Match[str], names: Mapping[str, str]) -> str:
    kind, what, label = found[1], found[2], found[3] or ""
    match kind:
        case "@":
            return f"@{names.get(what) or label or what}"
        case "#":
            return f"#{label or what}"
        case "!":
            return label or f"@{what.partition('^')[0]}"
        case _:
            return f"{label} ({what})" if label and label != what else what
