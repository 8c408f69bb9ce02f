"""Untrusted text made safe to show anywhere; escaping for one transport is that transport's own."""

from __future__ import annotations

import re
from urllib.parse import quote

from app.core.notices import safe_link

_ENDS_LINE = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, terminal escapes among them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of other text
    "\u200b\u2060-\u2064\ufeff\ufff9-\ufffb"  # what is there and cannot be seen
    "]"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_HALF_ENTITY = re.compile(r"&[#\w]{0,9}\Z")
_IN_URLS = "!#$%&'()*+,/:;=?@[]~-._"


def clean(text: str) -> str:
    """The text without what cannot be seen or makes other text look different.

    Lines end in a line feed and nothing else; what is not Unicode becomes U+FFFD.
    """
    lines = _ENDS_LINE.sub("\n", text).replace("\t", " ")
    return _LONE_SURROGATE.sub("\ufffd", _UNSEEN.sub("", lines))


def one_line(text: str) -> str:
    """Clean text in which every run of blanks and line ends is one space."""
    return " ".join(clean(text).split())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them "…" where something was cut off.

    An HTML entity is kept whole or left out: half of `&amp;` would show as it is.
    """
    if len(text) <= limit:
        return text
    if limit <= 0:
        return ""
    head = _HALF_ENTITY.sub("", text[: limit - 1])
    return head.rstrip("\u200d \n") + "…"


def cut_lines(text: str, lines: int, limit: int) -> str:
    """The first few lines that are not empty, of at most `limit` characters in all."""
    kept = [line.rstrip() for line in text.split("\n") if line.strip()]
    more = "…" if len(kept) > lines else ""
    return cut("\n".join(kept[:lines]) + more, limit)


def url(address: str | None) -> str | None:
    """A link that can be followed without harm and cannot end early, else None.

    Only http and https; all that has a meaning to a message format is percent-encoded.
    """
    safe = safe_link(address)
    return quote(_LONE_SURROGATE.sub("\ufffd", safe), safe=_IN_URLS) if safe else None
