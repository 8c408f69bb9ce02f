"""Whose turn it is: urgent work first, the background in between, nobody for ever."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from app.store.turns import Job, Turns


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns(clock)


def job(*, urgent: bool) -> Job:
    return Job(lambda tx: tx, Future(), urgent)


def put(turns: Turns, *, urgent: bool) -> Job:
    new = job(urgent=urgent)
    turns.put(new)
    return new


def background(turns: Turns, clock: Clock, seconds: float) -> None:
    """A turn of the background's, of that length."""
    put(turns, urgent=False)
    taken = turns.take()
    clock.seconds += seconds
    turns.over(taken)


def test_the_urgent_go_first_in_a_turn_of_their_own(turns: Turns) -> None:
    later = [put(turns, urgent=False), put(turns, urgent=False)]
    urgent = [put(turns, urgent=True), put(turns, urgent=True)]
    assert turns.take() == urgent
    assert turns.take() == later


def test_a_turn_has_a_bound(turns: Turns) -> None:
    jobs = [put(turns, urgent=True) for _ in range(100)]
    assert (turns.take(), turns.take()) == (jobs[:64], jobs[64:])


def test_the_background_rests_in_proportion_while_urgent_work_keeps_coming(
    turns: Turns, clock: Clock
) -> None:
    background(turns, clock, 0.01)
    waiting = put(turns, urgent=False)
    for _ in range(17):  # 9 times 10 ms, in steps of 5 ms
        clock.seconds += 0.005
        urgent = put(turns, urgent=True)
        assert turns.take() == [urgent]
    clock.seconds += 0.006
    assert turns.take() == [waiting]


def test_without_urgent_work_nobody_rests(turns: Turns, clock: Clock) -> None:
    background(turns, clock, 0.1)
    waiting = put(turns, urgent=False)
    assert turns.take() == [waiting]


def test_a_long_turn_is_followed_by_a_second_of_rest_at_most(turns: Turns, clock: Clock) -> None:
    background(turns, clock, 60.0)
    waiting = put(turns, urgent=False)
    for _ in range(199):
        clock.seconds += 0.005
        urgent = put(turns, urgent=True)
        assert turns.take() == [urgent]
    clock.seconds += 0.006
    assert turns.take() == [waiting]


def test_a_lull_ends_the_rest(turns: Turns, clock: Clock) -> None:
    background(turns, clock, 1.0)
    put(turns, urgent=True)
    turns.take()
    waiting = put(turns, urgent=False)
    clock.seconds += 0.051
    assert turns.take() == [waiting]


def test_a_second_without_anybody_ends_the_press(turns: Turns, clock: Clock) -> None:
    assert not turns.pressed()
    background(turns, clock, 0.1)
    assert not turns.pressed()
    put(turns, urgent=True)
    turns.take()
    assert turns.pressed()
    clock.seconds += 1.1
    assert not turns.pressed()


def test_who_is_no_longer_waited_for_is_passed_over(turns: Turns) -> None:
    gone, kept = put(turns, urgent=True), put(turns, urgent=True)
    gone.done.cancel()
    assert turns.take() == [kept]


def test_what_is_there_at_the_end_is_still_taken(turns: Turns, clock: Clock) -> None:
    background(turns, clock, 60.0)
    urgent, later = put(turns, urgent=True), put(turns, urgent=False)
    turns.close()
    assert [turns.take(), turns.take(), turns.take()] == [[urgent], [later], []]
