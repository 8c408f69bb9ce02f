"""A destination's room: bursts, refilling, the reserved place, rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.engine.pace import Pace

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def calls(pace: Pace, *, urgent: bool, until: float) -> list[float]:
    """When calls are made by somebody who makes one whenever there is room."""
    made: list[float] = []
    now = 0.0
    while now <= until:
        if wait := pace.wait(at(now), urgent=urgent):
            now += wait
            continue
        pace.take()
        made.append(round(now, 6))
    return made


@pytest.mark.parametrize(
    ("interval", "burst", "urgent", "expected"),
    [
        (1.0, 3, True, [0, 0, 0, 1, 2, 3]),
        (1.0, 3, False, [0, 0, 1, 2, 3]),  # the last place is for urgent ones
        (1.0, 1, True, [0, 1, 2, 3]),
        (1.0, 1, False, [0, 1, 2, 3]),  # nothing to reserve
        (2.0, 2, False, [0, 2]),
        (0.5, 1, True, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
    ],
)
def test_a_burst_and_then_one_at_a_time(
    interval: float, burst: int, expected: list[float], *, urgent: bool
) -> None:
    assert calls(Pace(interval, burst), urgent=urgent, until=3) == expected


def test_an_urgent_call_finds_room_at_any_moment_of_a_storm() -> None:
    pace = Pace(1.0, 3)
    for moment in range(60):
        calls(pace, urgent=False, until=0)
        now = at(moment)
        while not pace.wait(now, urgent=False):
            pace.take()
        assert pace.wait(now, urgent=True) == 0


def test_without_an_interval_there_is_always_room() -> None:
    pace = Pace(0.0, 1)
    for _ in range(100):
        assert pace.wait(T0, urgent=False) == 0
        pace.take()


def test_room_does_not_gather_beyond_a_burst() -> None:
    pace = Pace(1.0, 3)
    assert calls(pace, urgent=True, until=0) == [0, 0, 0]
    assert pace.wait(at(3600), urgent=True) == 0
    waits = []
    for _ in range(4):
        pace.take()
        waits.append(pace.wait(at(3600), urgent=True))
    assert waits == [0, 0, 1, 2]


def test_those_in_debt_wait_longer() -> None:
    pace = Pace(1.0, 3)
    pace.wait(T0, urgent=True)
    for _ in range(5):  # calls that were made without asking
        pace.take()
    assert pace.wait(T0, urgent=True) == 3
    assert pace.wait(at(2), urgent=True) == 1
    assert pace.wait(at(2), urgent=False) == 2


def test_asking_takes_nothing() -> None:
    pace = Pace(1.0, 1)
    assert [pace.wait(T0, urgent=True) for _ in range(5)] == [0] * 5


def test_a_rest_holds_for_everybody_and_is_never_cut_short() -> None:
    pace = Pace(1.0, 3)
    pace.rest(T0, timedelta(seconds=30))
    pace.rest(T0, timedelta(seconds=5))
    assert pace.wait(at(10), urgent=True) == 20
    assert pace.wait(at(30), urgent=True) == 0
    pace.rest(at(30), timedelta(0))
    assert pace.wait(at(30), urgent=True) == 0


def test_a_clock_that_is_set_back_gives_no_room_and_takes_none() -> None:
    pace = Pace(1.0, 2)
    calls(pace, urgent=True, until=0)
    assert pace.wait(at(-3600), urgent=True) == 1
    assert pace.wait(at(-3599), urgent=True) == 0
