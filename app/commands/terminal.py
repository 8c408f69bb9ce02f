"""What is printed: alerts are untrusted text, and a terminal obeys what it is sent.

Colour only on a terminal that wants it; a table is cut to the terminal's width, and whole
where its reader is a program.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from app.notifiers.text import clean, one_line

_NOT_FOR_TERMINALS = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def say(*lines: str, colour: str | None = None) -> None:
    """Print lines, each cleaned of what a terminal would obey instead of show."""
    for line in lines:
        typer.echo(coloured(clean(line), colour))


def remark(line: str) -> None:
    """Print a line beside the output, where a program that reads the output does not see it."""
    typer.echo(one_line(line), err=True)


def say_json(value: object) -> None:
    """Print JSON that means the same and shows nothing a terminal would obey."""
    typer.echo(_tamed(json.dumps(value, ensure_ascii=False, indent=2)))


def on_one_line(value: object) -> str:
    """The same JSON on one line."""
    return _tamed(json.dumps(value, ensure_ascii=False))


def _tamed(text: str) -> str:
    return _NOT_FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def coloured(text: str, colour: str | None) -> str:
    """The text in that colour, if standard output is a terminal that wants colours."""
    return typer.style(text, fg=colour) if colour and _wants_colour() else text


def _wants_colour() -> bool:
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def width() -> int | None:
    """How many columns the terminal has; None where standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[Sequence[str]], *, within: int | None) -> list[str]:
    """Lines with aligned columns, no wider than `within`, if it is given."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    return [fit("  ".join(map(_padded, row, widths)).rstrip(), within) for row in cells]


def _padded(text: str, to: int) -> str:
    return text + " " * (to - columns(text))


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, within: int | None) -> str:
    """The text, cut to so many columns, with "…" where something was cut off."""
    if within is None or columns(text) <= within:
        return text
    taken, kept = 1, ""
    for character in text:
        taken += _columns_of(character)
        if taken > within:
            break
        kept += character
    return kept.rstrip() + "…"


def facts(pairs: Iterable[tuple[str, str]], *, indent: str = "") -> list[str]:
    """Lines with a name and a text each; a pair without a text is left out."""
    told = [(name, text) for name, text in pairs if text]
    longest = max((columns(name) for name, _ in told), default=0)
    return [f"{indent}{_padded(name, longest)}  {one_line(text)}" for name, text in told]


def moment(at: str | None, zone: str, form: str = "%Y-%m-%d %H:%M:%S %Z") -> str:
    """A time of the API in an IANA zone; nothing for none."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).strftime(form) if at else ""
