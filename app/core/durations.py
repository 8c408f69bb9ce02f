"""Durations as Prometheus writes them: `30m`, `1h30m`, `2d`, `0s`.

The rules are those of `model.ParseDuration` in prometheus/common: units from the largest to the
smallest, each at most once, whole numbers only; a day is 24 hours and a year 365 days.
"""

from __future__ import annotations

import re
from datetime import timedelta

from app.errors import PlantaoError

_UNITS = {
    "y": timedelta(days=365),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PATTERN = re.compile("".join(f"(?:([0-9]+){unit})?" for unit in _UNITS))

LONGEST = timedelta(days=292 * 365)
"""Prometheus counts nanoseconds in 64 bits and refuses what does not fit."""


class DurationError(PlantaoError):
    """The text is not a duration; `str()` says what was expected."""


def parse_duration(text: str) -> timedelta:
    """Read a duration, which is never negative. Raises DurationError."""
    found = _PATTERN.fullmatch(text)
    if text == "0":
        return timedelta()
    if not text or found is None:
        raise DurationError(f"expected a duration such as 30m, 1h30m or 90d, found {text[:40]!r}")
    try:
        parts = zip(found.groups(default="0"), _UNITS.values(), strict=True)
        total = sum((int(count) * unit for count, unit in parts), start=timedelta())
    except (OverflowError, ValueError):  # int() refuses thousands of digits
        total = timedelta.max
    if total > LONGEST:
        raise DurationError(f"expected a duration of at most 292y, found {text[:40]!r}")
    return total


def format_duration(duration: timedelta) -> str:
    """Write a duration that is not negative, down to milliseconds (the rest is cut off).

    Years and weeks only where nothing remains, as `90d` reads better than `12w6d`.
    """
    text, rest = "", duration
    for name, unit in _UNITS.items():
        if name in ("y", "w") and rest % unit:
            continue
        count, rest = divmod(rest, unit)
        text += f"{count}{name}" if count else ""
    return text or "0s"
