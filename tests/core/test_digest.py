"""When a digest is due."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.digest import Schedule

SAO_PAULO, BERLIN = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Europe/Berlin")
NINE = Schedule(0, time(9), SAO_PAULO)  # Mondays, 12:00 UTC
DUE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (DUE, DUE),
        (DUE - SECOND, DUE - 7 * DAY),
        (DUE + SECOND, DUE),
        (DUE + 6 * DAY, DUE),
        (DUE + 7 * DAY - SECOND, DUE),
        (DUE + 7 * DAY, DUE + 7 * DAY),
    ],
)
def test_the_week_that_ended_last(now: datetime, until: datetime) -> None:
    week = NINE.last(now)
    assert (week.since, week.until) == (until - 7 * DAY, until)
    assert week.before.until == week.since


def test_the_day_is_that_of_the_zone() -> None:
    # Sunday evening in São Paulo is Monday in UTC.
    late = Schedule(6, time(22), SAO_PAULO)
    assert late.last(datetime(2026, 11, 23, 1, 30, tzinfo=UTC)).until == datetime(
        2026, 11, 23, 1, 0, tzinfo=UTC
    )


def test_a_week_in_which_clocks_change_is_seven_days_of_the_calendar() -> None:
    week = Schedule(0, time(9), BERLIN).last(datetime(2026, 10, 26, 12, 0, tzinfo=UTC))
    assert week.until == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
    assert week.until - week.since == timedelta(days=7, hours=1)


def test_a_time_that_the_clocks_skip() -> None:
    week = Schedule(6, time(2, 30), BERLIN).last(datetime(2026, 3, 29, 12, 0, tzinfo=UTC))
    assert week.until == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
