"""The texts of a chart: made harmless, measured, cut to their room, and kept off each other.

Sizes are in pixels. Nothing else in a picture keeps texts apart, so widths are never guessed low.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Advance widths of DejaVu Sans in thousandths of its size, from the blank to the tilde. It is
#: among the widest of the usual fonts: where it fits, what a browser has instead fits too.
_ASCII = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)  # fmt: skip
_WIDTHS = {chr(32 + place): width for place, width in enumerate(_ASCII)} | {
    "…": 1000, "·": 318, "→": 838, "\u00d7": 838, "≥": 838, "≤": 838, "≠": 838, "µ": 636, "°": 500,
    "\u2013": 500, "—": 1000, "º": 471, "ª": 471,
}  # fmt: skip
_WIDEST, _BESIDE = 1750, 130
_LATIN_1 = frozenset(map(chr, range(256)))
_MOST_CHARACTERS = 200


def plain(text: str) -> str:
    """The text on one line, without what cannot be seen, turns other text or piles up on it."""
    composed = unicodedata.normalize("NFC", text[: 4 * _MOST_CHARACTERS])
    seen = (" " if c.isspace() else c for c in composed if c.isprintable() or c.isspace())
    kept = "".join(c for c in seen if not unicodedata.category(c).startswith("M"))
    return " ".join(kept.split())[:_MOST_CHARACTERS]


def text_width(text: str, size: float) -> float:
    """Never less than what the text takes, in the unit of `size`."""
    return sum(_advance(character) for character in text) * size / 1000


def _advance(character: str) -> int:
    """An accent adds nothing in Latin-1; beyond it some stand beside their letter (ľ, Ơ)."""
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    letter = _WIDTHS.get(unicodedata.normalize("NFD", character)[0], _WIDEST)
    return letter if character in _LATIN_1 else min(letter + _BESIDE, _WIDEST)


def fit(text: str, size: float, room: float) -> str:
    """As much of the plain text as the room takes, ending in "…" where cut; perhaps nothing."""
    if text_width(text, size) <= room:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + "…"
        if text_width(shorter, size) <= room:
            return shorter
    return ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A label in a row above the plot (0 is the lowest), over the vertical line at `x`."""

    x: float
    text: str
    left: float
    right: float
    row: int


ROWS = 2
_SHIFTS = (0.5, 1.0, 0.0, 0.75, 0.25)


def place_flags(
    texts: Sequence[tuple[float, str]], size: float, width: float, *, first_row: int = 0
) -> list[Flag | None]:
    """A flag for each line and its text in turn, the first one in that row; None without room."""
    placed: list[Flag] = []
    flags: list[Flag | None] = []
    for x, text in texts:
        rows = range(0 if flags else first_row, ROWS)
        fitting = (flag for flag in _ways(x, text, size, width, rows) if text)
        clear = (f for f in fitting if not any(_collide(f, other, size / 2) for other in placed))
        flags.append(flag := next(clear, None))
        placed += [flag] if flag else []
    return flags


def _ways(x: float, text: str, size: float, width: float, rows: Sequence[int]) -> Iterator[Flag]:
    """Where the text can stand in the picture and over its line, the best place first."""
    long, edge = text_width(text, size), size / 3
    for row in rows:
        for shift in _SHIFTS:
            left = min(max(x - shift * long, edge), width - edge - long)
            yield Flag(x, text, left, left + long, row)


def _collide(one: Flag, other: Flag, gap: float) -> bool:
    if one.row == other.row:
        return one.left < other.right + gap and other.left < one.right + gap
    lower, upper = (one, other) if one.row < other.row else (other, one)
    return lower.left - gap / 2 < upper.x < lower.right + gap / 2


@dataclass(frozen=True, slots=True)
class Box:
    """Where a text is, from its accents to its descenders."""

    left: float
    top: float
    right: float
    bottom: float

    def within(self, other: Box) -> bool:
        return (
            other.left <= self.left <= self.right <= other.right
            and other.top <= self.top <= self.bottom <= other.bottom
        )

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def hides(self, points: Sequence[tuple[float, float]]) -> int:
        """How many of the points are under it."""
        return sum(self.left <= x <= self.right and self.top <= y <= self.bottom for x, y in points)
