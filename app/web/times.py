"""Times as people write them in an address: RFC 3339, or an age such as `2h`."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from fastapi import HTTPException

from app.core.durations import DurationError, parse_duration


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
        return in_utc(datetime.fromisoformat(text.replace(" ", "+")))
    except ValueError:
        raise HTTPException(
            400, f"{name}: expected a time such as 2026-11-23T03:00:00Z, or an age such as 2h."
        ) from None
