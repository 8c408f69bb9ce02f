"""From samples to pixels: the runs of a line without gaps, and where each point goes.

Times are in UTC, pixels count from the top left corner.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from app.core.facts import Sample
from app.core.scales import plausible

_GAP = 1.5  # an interval this many times the usual one: a sample is missing


def usable(line: Iterable[Sample]) -> list[Sample]:
    """In order of time; values that are not finite are kept, since they break the line."""
    return sorted((each for each in line if plausible(each.at)), key=lambda each: each.at)


def finite(line: Iterable[Sample]) -> list[float]:
    """Its values that are numbers, in the order they came: neither NaN nor infinite."""
    return [each.value for each in line if math.isfinite(each.value)]


def pieces_of(line: Sequence[Sample]) -> list[list[Sample]]:
    """The runs of finite samples with none missing in between."""
    steps = [_seconds(sooner, later) for sooner, later in pairwise(line)]
    longest = _GAP * median([step for step in steps if step] or [0.0])
    pieces: list[list[Sample]] = [[]]
    for each in line:
        if not math.isfinite(each.value):
            pieces.append([])
            continue
        if pieces[-1] and _seconds(pieces[-1][-1], each) > longest:
            pieces.append([])
        pieces[-1].append(each)
    return [piece for piece in pieces if piece]


def _seconds(sooner: Sample, later: Sample) -> float:
    return (later.at - sooner.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the line is drawn, in pixels, and what its edges stand for."""

    left: float
    top: float
    right: float
    bottom: float
    first: datetime
    last: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        span = self.last - self.first
        part = (at - self.first) / span if span else 1.0
        return self.left + (self.right - self.left) * min(1.0, max(0.0, part))

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.bottom - (self.bottom - self.top) * min(1.0, max(0.0, part))

    def points(self, piece: Sequence[Sample]) -> list[tuple[float, float]]:
        """First, lowest, highest and last of each column of pixels: no more can be seen."""
        columns: dict[int, list[tuple[float, float]]] = {}
        for each in piece:
            point = (self.x(each.at), self.y(each.value))
            columns.setdefault(round(point[0]), []).append(point)
        return [point for column in columns.values() for point in _outline(column)]


def _outline(column: list[tuple[float, float]]) -> list[tuple[float, float]]:
    ys = [y for _, y in column]
    kept = sorted({0, ys.index(min(ys)), ys.index(max(ys)), len(ys) - 1})
    return [column[place] for place in kept]


def between(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The points and some along the way, so that a steep line is not overlooked."""
    yield from points[:1]
    for (x1, y1), (x2, y2) in pairwise(points):
        count = 1 + int(math.hypot(x2 - x1, y2 - y1) / 8)
        for part in range(1, count + 1):
            yield x1 + (x2 - x1) * part / count, y1 + (y2 - y1) * part / count
