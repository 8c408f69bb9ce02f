"""Durations are read and written as Prometheus does."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.durations import LONGEST, DurationError, format_duration, parse_duration


# From prometheus/common, model/time_test.go, and some of our own.
@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0", timedelta()),
        ("0s", timedelta()),
        ("0w", timedelta()),
        ("324ms", timedelta(milliseconds=324)),
        ("3s", timedelta(seconds=3)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("4d", timedelta(days=4)),
        ("4d1h", timedelta(days=4, hours=1)),
        ("3w2d1h", timedelta(weeks=3, days=2, hours=1)),
        ("10y", timedelta(days=3650)),
        ("90d", timedelta(days=90)),
        ("120m", timedelta(hours=2)),
    ],
)
def test_reading(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "1", "1y1m1d", "-1w", "1.5d", "d", "1s ", " 1s", "1m1m", "1h ago", "30 m", "1M", "٣s"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match="expected a duration such as 30m, 1h30m or 90d, found"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["293y", "999999999999y", "9" * 5000 + "s"])
def test_what_is_too_long_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(DurationError, match="expected a duration of at most 292y") as caught:
        parse_duration(text)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    "text", ["0s", "90d", "1h30m", "2w", "1y", "366d", "1d2h3m4s5ms", "12h", "15s"]
)
def test_writing(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@given(st.integers(0, LONGEST // timedelta(milliseconds=1)))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration
