"""Markdown: untrusted text made text there, wherever it is read.

Source: https://spec.commonmark.org/0.31.2/#backslash-escapes and https://github.github.com/gfm/;
beside what these call markup, GitHub and GitLab read `@names` and `$formulas$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from app.notifiers.background import Line
from app.notifiers.text import clean, one_line

_MARKUP = re.compile(r"[\\`*_\[\]<>|~&@$#]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_BEGINS_BLOCK = re.compile(r"^(\s*)([-+=]|\d{1,9}(?=[.)]))")
_TICKS = re.compile("`+")


def escape(text: str) -> str:
    """One line of text that means only itself, at the beginning of a line or within one."""
    return _begun(_MARKUP.sub(r"\\\g<0>", one_line(text)))


def _begun(line: str) -> str:
    """Without what would begin a list or underline a heading."""
    found = _BEGINS_BLOCK.match(line)
    if not found:
        return line
    blank, sign = found.groups()
    rest = line[found.end() :]
    return f"{blank}{sign}\\{rest}" if sign.isdigit() else f"{blank}\\{sign}{rest}"


def code(text: str) -> str:
    """Text to be copied as it is, between more backticks than it has anywhere. Not in tables."""
    inner = one_line(text)
    longest = max((len(found) for found in _TICKS.findall(inner)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{ticks}{pad}{inner}{pad}{ticks}" if inner else ""


def link(name: str, address: str) -> str:
    """A link; `address` is safe already (`text.url`)."""
    return f"[{escape(name)}](<{address}>)"


def picture(alt: str, address: str) -> str:
    """A picture; `address` is safe already (`text.url`)."""
    return f"!{link(alt, address)}"


def quote(text: str, *, indent: str = "") -> str:
    """Any number of lines, each a line of its own when it is shown, too."""
    lines = [escape(line) for line in clean(text).strip().split("\n")]
    # At the end of a paragraph a backslash would be shown.
    ended = [f"{one}\\" if one and after else one for one, after in pairwise([*lines, ""])]
    return "\n".join(f"{indent}> {line}".rstrip() for line in ended)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown of one line each."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def line(shown: Line) -> str:
    """One line of what the sources said, for a list: without a bullet of its own."""
    text = escape(shown.text)
    if shown.link:
        name = escape(shown.name)
        text = text.replace(name, link(shown.name, shown.link), 1) if name else text
    sign = shown.sign.strip("•")
    return " ".join(part for part in (sign, text, code(shown.code)) if part)
