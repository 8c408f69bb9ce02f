"""What one chart costs: drawn as SVG, turned into a PNG in a process of its own, all counted."""

from __future__ import annotations

import asyncio
import resource
import statistics
from collections.abc import Iterator
from pathlib import Path

from app.core.chart import draw
from app.notifiers.charting import chart_of
from app.notifiers.picture import render
from app.notifiers.wording import words
from bench.figures import Figure
from tests.notifiers.known import full
from tests.notifiers.samples import ZONE, with_context

_AT_MOST = 0.060  # seconds of processor time
_ROUNDS = 15


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:  # noqa: ARG001
    """The first is not counted: it fills caches that a service has filled long since."""
    rounds = 5 if quick else _ROUNDS
    yield "Chart: processor time of one, with its own process"
    _once()
    spent = statistics.median(_once() for _ in range(rounds))
    yield Figure("a chart", spent, _AT_MOST, "s", "60 ms of processor time", at_most=True)


def _once() -> float:
    before = _spent()
    chart = chart_of(words("en", ZONE), with_context(full()))
    assert chart is not None
    assert asyncio.run(render(draw(chart)))
    return _spent() - before


def _spent() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
