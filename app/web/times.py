"""Times as people write them in an address: RFC 3339, or an age such as `2h`."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

from fastapi import HTTPException

from app.core.durations import DurationError, parse_duration

#: A `+` in an address is read as a space, unless it is escaped. Seconds may be left out: at three
#: in the morning nobody types them.
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)([Zz]|[-+ ]\d\d:\d\d)?)?", re.ASCII
)


def in_utc(at: datetime) -> datetime:
    """The same moment in UTC, which it is in if it has no zone.

    Raises ValueError where that is before the year 1, or after 9999.
    """
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time of this calendar") from None


def moment(name: str, text: str | None, now: datetime) -> datetime | None:
    """The time (UTC) that the query parameter `name` says; an age counts back from `now`.

    Raises 400 where it is neither.
    """
    if not text:
        return None
    with suppress(DurationError, OverflowError):
        return now - parse_duration(text)
    try:
        return in_utc(_rfc3339(text))
    except ValueError:
        raise HTTPException(
            400, f"{name}: expected a time such as 2026-11-23T03:00:00Z, or an age such as 2h."
        ) from None


def _rfc3339(text: str) -> datetime:
    """A time, or the beginning of a day; raises ValueError. Python reads other forms, too."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("expected a time as RFC 3339 has it")
    day, time, zone = found[1], found[2] or "00:00:00", found[3] or ""
    return datetime.fromisoformat(f"{day}T{time}{zone.upper().replace(' ', '+')}")
