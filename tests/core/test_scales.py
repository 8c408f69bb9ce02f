"""The axes of charts: how far they reach, where their ticks are, how numbers are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.facts import Threshold
from app.core.scales import in_full, measure, time_ticks, values_axis

NOW = datetime(2026, 11, 23, 6, 20, tzinfo=UTC)
values = st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 1)
thresholds = st.builds(Threshold, st.just(">"), st.floats())


@given(st.lists(values), st.none() | thresholds, st.sampled_from(["", "bytes", "seconds", "ratio"]))
def test_the_values_axis_holds_every_value_and_has_three_to_five_ticks(
    points: list[float], threshold: Threshold | None, unit: str
) -> None:
    axis = values_axis(points, threshold, unit, most=5)
    assert axis.low < axis.high
    assert 3 <= len(axis.ticks) <= 5
    slack = (axis.high - axis.low) / 1000
    assert axis.low - slack <= axis.ticks[0] < axis.ticks[-1] <= axis.high + slack
    labels = [axis.label(tick, ".") for tick in axis.ticks]
    assert len(set(labels)) == len(labels)
    for point in points:
        if 1e-280 < abs(point) < 1e280:
            assert axis.low <= point <= axis.high


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("seconds", 0.25, "250 ms"),
        ("seconds", 0.0000042, "4.2 µs"),
        ("seconds", 1.5, "1.5 s"),
        ("seconds", 300, "5 min"),
        ("seconds", 4 * 3600, "4 h"),
        ("bytes", 512, "512 B"),
        ("bytes", 30 * 2**30, "30 GiB"),
        ("bytes", 3.2e10, "29.8 GiB"),
        ("ratio", 0.05, "5%"),
        ("ratio", 0.9995, "99.95%"),
        ("ratio", 0.99999, "99.999%"),
        ("", 1500, "1500"),
        ("", 25_000, "25k"),
        ("", 4e6, "4M"),
        ("records", -4e6, "-4M"),
        ("", 1e30, "1e18T"),
        ("", 0.0, "0"),
    ],
)
def test_numbers_are_written_with_their_unit(unit: str, value: float, text: str) -> None:
    assert in_full(value, unit, measure(unit, value), ".") == text


def test_a_threshold_is_written_in_the_axis_unit_unless_that_reads_badly() -> None:
    seconds = measure("seconds", 3)
    assert in_full(0.5, "seconds", seconds, ",") == "0,5 s"
    assert in_full(0.0005, "seconds", seconds, ",") == "500 µs"


@pytest.mark.parametrize(
    ("span", "first", "count"),
    [
        (timedelta(minutes=5), "06:15", 6),
        (timedelta(hours=1), "05:30", 4),
        (timedelta(hours=2), "04:30", 4),
        (timedelta(hours=6), "01:00", 6),
        (timedelta(days=1), "08:00", 6),
    ],
)
def test_time_ticks_are_at_full_times(span: timedelta, first: str, count: int) -> None:
    ticks = time_ticks(NOW - span, NOW, UTC)
    assert (ticks[0].local.strftime("%H:%M"), len(ticks)) == (first, count)


def test_time_ticks_follow_the_zone_and_skip_what_summer_time_skips() -> None:
    zone = ZoneInfo("Europe/Lisbon")  # 2026-03-29: 01:00 becomes 02:00
    start = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    ticks = time_ticks(start, start + timedelta(hours=2, minutes=29), zone)
    shown = [tick.local.strftime("%H:%M") for tick in ticks]
    assert shown == ["23:30", "00:00", "00:30", "02:00", "02:30"]
    assert [t.midnight for t in ticks][:2] == [False, True]


def test_the_threshold_is_always_to_be_seen() -> None:
    inside = values_axis([0.08, 0.1], Threshold(">", 0.25), "seconds", most=5)
    assert (inside.low, inside.beyond) == (0, 0)
    assert inside.high > 0.25
    above = values_axis([5, 6], Threshold(">", 5e6), "", most=5)
    assert above.beyond == 1
    assert above.high < 10
