"""The weekly digest: when it is due, and what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.core.stats import Advice, Stats

#: A digest that is later than this tells of a week that nobody thinks of any more.
LATEST = timedelta(days=2)

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """From `since` to before `until`, in UTC: seven days of the calendar, not 168 hours."""

    since: datetime
    until: datetime

    @property
    def before(self) -> Week:
        """As long a time before it."""
        return Week(self.since - (self.until - self.since), self.since)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every week on that day (0 is Monday), at that time of that zone."""

    day: int
    at: time
    zone: ZoneInfo

    def last(self, now: datetime) -> Week:
        """The week that ended last, when a digest was, or is, due."""
        today = now.astimezone(self.zone).date()
        day = today - timedelta(days=(today.weekday() - self.day) % 7)
        if self._on(day) > now:
            day -= _WEEK
        return Week(self._on(day - _WEEK), self._on(day))

    def _on(self, day: date) -> datetime:
        # Of a time that the clocks skip, or show twice, the first there is.
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Digest:
    """The figures of a week, how many incidents the week before had, and what to tune first.

    `page` leads to the log, if that is safe to follow. Names in it are untrusted text.
    """

    week: Week
    stats: Stats
    opened_before: int
    advice: Sequence[Advice]
    page: str | None = None
