"""What a chart's axes say: how far they reach, where their ticks are, how numbers are written.

Values are in Prometheus' base units (seconds, bytes, ratio), times in UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from app.core.facts import Threshold

# Numbers


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit as it is written: one of it is `factor` base units. `symbol` follows the number."""

    factor: float
    symbol: str


#: From which value on each is used; the first is for all that is smaller.
_MEASURES: dict[str, tuple[tuple[float, Measure], ...]] = {
    "seconds": (
        (0, Measure(1e-6, " µs")),
        (1e-3, Measure(1e-3, " ms")),
        (1, Measure(1, " s")),
        (120, Measure(60, " min")),
        (7200, Measure(3600, " h")),
        (3 * 86400, Measure(86400, " d")),
    ),
    "bytes": tuple(
        (float(1024**power if power else 0), Measure(1024.0**power, symbol))
        for power, symbol in enumerate((" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"))
    ),
    "ratio": ((0, Measure(0.01, "%")),),
    "percent": ((0, Measure(1, "%")),),
    "celsius": ((0, Measure(1, " °C")),),
    "": (
        (0, Measure(1, "")),
        (1e4, Measure(1e3, "k")),
        (1e6, Measure(1e6, "M")),
        (1e9, Measure(1e9, "G")),
        (1e12, Measure(1e12, "T")),
    ),
}
_LARGEST, _SMALLEST = 1e6, 1e-6  # what is written without an exponent


def has_symbol(unit: str) -> bool:
    """Whether the numbers on the axis tell the unit themselves."""
    return unit in _MEASURES


def measure(unit: str, magnitude: float) -> Measure:
    """How numbers of about that size are best written; a unit not known has none."""
    steps = _MEASURES.get(unit, _MEASURES[""])
    found = [each for least, each in steps if abs(magnitude) >= least]
    return found[-1]


def in_full(value: float, unit: str, beside: Measure, decimal: str) -> str:
    """One number, in the measure `beside` it unless that reads badly.

    To six digits, since 99.95% is not 100%; to four where the measure itself makes the odd ones.
    """
    shown = value / beside.factor
    if value and not 0.01 <= abs(shown) < 10_000:  # noqa: PLR2004 - as few digits as can be
        beside = measure(unit, value)
        shown = value / beside.factor
    digits = 6 if math.log10(beside.factor).is_integer() else 4
    return _localised(f"{shown:.{digits}g}", decimal) + beside.symbol


def _localised(number: str, decimal: str) -> str:
    mantissa, mark, exponent = number.partition("e")
    if not float(mantissa):
        mantissa = mantissa.lstrip("-")
    return mantissa.replace(".", decimal) + (f"{mark}{int(exponent)}" if mark else "")


@dataclass(frozen=True, slots=True)
class Values:
    """The vertical axis: from `low` to `high`, a tick every `step`, written in `measure`.

    `beyond` is 1 or -1 where the threshold is so far above or below that showing it in place
    would flatten the line; there is room on that side to say so then. Else it is 0.
    """

    low: float
    high: float
    ticks: Sequence[float]
    step: float
    measure: Measure
    beyond: int = 0

    def label(self, tick: float, decimal: str) -> str:
        if not tick:
            return "0"
        step, shown = self.step / self.measure.factor, tick / self.measure.factor
        if not _SMALLEST <= step < _LARGEST:
            digits = _power(shown) - _power(step) + 1 if shown else 0
            return _localised(f"{shown:.{max(0, digits)}e}", decimal) + self.measure.symbol
        return _localised(f"{shown:.{_decimals(step)}f}", decimal) + self.measure.symbol


_HUGE, _TINY = 1e290, 1e-290  # beyond these, differences are no longer numbers
_FAR = 10  # a threshold this many times the line's largest value flattens the line
_LEAST_SPAN = 1e-4  # of the value: finer than that no label could tell two ticks apart
_HEADROOM = 0.08
_LADDER = (1, 2, 2.5, 5)


def values_axis(
    values: Sequence[float], threshold: Threshold | None, unit: str, *, most: int
) -> Values:
    """The axis for finite values and their threshold, with `most` ticks or a few less."""
    points = [_tame(value) for value in values]
    limit = _tame(threshold.value) if threshold and math.isfinite(threshold.value) else None
    beyond = 0
    if limit is not None:
        beyond = _beyond(points, limit)
        points += [] if beyond else [limit]
    low, high = _span(points or [0.0])
    low, high = low + min(beyond, 0) * (high - low) / 4, high + max(beyond, 0) * (high - low) / 4
    used = measure(unit, max(abs(low), abs(high)))
    step, ticks = _ticks(low / used.factor, high / used.factor, most)
    factor = used.factor
    return Values(low, high, [tick * factor for tick in ticks], step * factor, used, beyond)


def _tame(value: float) -> float:
    return max(-_HUGE, min(_HUGE, value)) if abs(value) >= _TINY else 0.0


def _beyond(points: Sequence[float], limit: float) -> int:
    largest = max((abs(point) for point in points), default=0.0)
    if not largest or abs(limit) <= _FAR * largest:
        return 0
    return 1 if limit > 0 else -1


def _span(points: Sequence[float]) -> tuple[float, float]:
    """From the lowest to the highest, with zero where that is near, and some room."""
    low, high = min(points), max(points)
    if low == high:
        return (min(0.0, 1.25 * low), max(0.0, 1.25 * high)) if low else (0.0, 1.0)
    if 0 <= low < high / 2:
        low = 0.0
    elif low / 2 < high <= 0:
        high = 0.0
    lacking = max(0.0, _LEAST_SPAN * max(abs(low), abs(high)) - (high - low))
    room = _HEADROOM * (high - low) + lacking / 2
    return low - room if low else 0.0, high + room if high else 0.0


def _ticks(low: float, high: float, most: int) -> tuple[float, list[float]]:
    """The finest step from the ladder that gives at most so many ticks, and these."""
    power = _power((high - low) / (4 * most))
    for exponent in range(power, power + 4):
        for rung in _LADDER:
            step = rung * 10.0**exponent
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first < most:
                return step, [number * step for number in range(first, last + 1)]
    raise AssertionError("four powers of ten hold every step")  # pragma: no cover


def _power(number: float) -> int:
    return math.floor(math.log10(abs(number)))


def _decimals(step: float) -> int:
    """How many decimals tell ticks of this step apart, and say them exactly."""
    exact = (d for d in range(9) if math.isclose(step * 10**d, round(step * 10**d), rel_tol=1e-6))
    return next(exact, 9)


# Times

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_STEPS = (
    *(count * _MINUTE for count in (1, 2, 3, 4, 5, 10, 15, 20, 30)),
    *(count * _HOUR for count in (1, 2, 3, 4, 6, 8, 12)),
    *(count * _DAY for count in (1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 60, 90, 180, 365)),
)
_MONDAY = datetime(2001, 1, 1)  # noqa: DTZ001 - wall-clock time: every step counts from here
_FIRST, _LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
#: So that a line of a few samples still has ticks a minute apart.
_LEAST_TIME = timedelta(minutes=5)
_USUAL_TIME = timedelta(hours=1)
_MOST_TICKS = 6


def plausible(at: datetime) -> bool:
    """Whether a time leaves room for offsets and ticks around it; some senders say year 1."""
    return _FIRST <= at <= _LAST


def time_range(
    samples: Sequence[datetime], *, also: Sequence[datetime], now: datetime
) -> tuple[datetime, datetime]:
    """From the first to the last sample, in order; and to `also`, the nearest of them first.

    What would take more than half of the picture from the line is left out.
    """
    end = min(max(now, _FIRST + _USUAL_TIME), _LAST)
    first, last = (samples[0], samples[-1]) if samples else (end - _USUAL_TIME, end)
    first = min(first, max(last - _LEAST_TIME, _FIRST - _LEAST_TIME))
    longest = 2 * (last - first)
    for at in also:
        start, stop = min(first, at), max(last, at)
        if plausible(at) and stop - start <= longest:
            first, last = start, stop
    return first, last


@dataclass(frozen=True, slots=True)
class Tick:
    """`local` is the time in the reader's zone; `midnight` if a day begins there."""

    at: datetime
    local: datetime
    midnight: bool


def time_ticks(first: datetime, last: datetime, zone: tzinfo) -> list[Tick]:
    """At most six, at full minutes, hours or days on the clock of that zone."""
    enough = (step for step in _STEPS if (last - first) / step <= _MOST_TICKS)
    fallback = timedelta(days=math.ceil((last - first) / _DAY / (_MOST_TICKS - 1)))
    step = next((s for s in enough if len(_ticks_at(first, last, zone, s)) <= _MOST_TICKS), None)
    return _ticks_at(first, last, zone, step or fallback)


def _ticks_at(first: datetime, last: datetime, zone: tzinfo, step: timedelta) -> list[Tick]:
    return [tick for tick in _every(first, last, zone, step) if first <= tick.at <= last]


def _every(first: datetime, last: datetime, zone: tzinfo, step: timedelta) -> Iterator[Tick]:
    """Clock times as they exist: those that a change to summer time skips are left out."""
    wall = _MONDAY + (first.astimezone(zone).replace(tzinfo=None) - _MONDAY) // step * step
    end = last.astimezone(zone).replace(tzinfo=None) + step
    while wall <= end:
        local = wall.replace(tzinfo=zone)
        at = local.astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) == wall:
            yield Tick(at, local, midnight=wall.time() == _MONDAY.time())
        wall += step
