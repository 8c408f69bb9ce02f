"""Up and down the pipeline, and which change is nearest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core.changes import concerns, distance, rank
from app.core.facts import Change
from app.core.topology import Topology

PIPELINE = Topology.of(
    [("kafka", "spark"), ("spark", "delta"), ("spark", "serving"), ("delta", "training")]
)
OPENED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def change(component: str, minutes: int, number: int = 0) -> Change:
    """A change so many minutes before the opening."""
    at = OPENED - timedelta(minutes=minutes)
    return Change("ci", "deploy", component, at, {"component": component}, id=number)


def test_the_nearest_come_first() -> None:
    assert PIPELINE.upstream("training") == {"delta": 1, "spark": 2, "kafka": 3}
    assert list(PIPELINE.downstream("kafka")) == ["spark", "delta", "serving", "training"]
    assert PIPELINE.upstream("kafka") == {}
    assert PIPELINE.downstream("billing") == {}


@pytest.mark.parametrize(
    ("changed", "steps"),
    [("serving", 0), ("spark", 1), ("kafka", 2), ("delta", 4), ("billing", 4), ("", 4)],
)
def test_distance_to_serving(changed: str, steps: int) -> None:
    assert distance(changed, "serving", PIPELINE) == steps


def test_what_lies_downstream_counts_as_farther() -> None:
    assert distance("delta", "spark", PIPELINE) == 3
    assert distance("kafka", "spark", PIPELINE) == 1


def ranked(*changes: Change, component: str = "serving") -> list[Change]:
    found = rank(changes, component=component, topology=PIPELINE, opened_at=OPENED)
    return list(found)


def test_time_and_distance_are_weighed_against_each_other() -> None:
    here, upstream, far = change("serving", 20), change("spark", 10), change("billing", 1)
    # 20 min; 10 min and one step of a quarter of an hour; 1 min and four steps
    assert ranked(far, upstream, here) == [here, upstream, far]


def test_what_came_after_the_opening_is_no_cause() -> None:
    assert ranked(change("serving", -1)) == []


def test_of_equals_the_one_told_last_comes_first() -> None:
    first, second = change("serving", 5, number=1), change("serving", 5, number=2)
    assert ranked(first, second) == [second, first]


def test_what_is_far_concerns_nothing_and_what_may_be_anywhere_concerns_all() -> None:
    assert not concerns(change("billing", 5), "serving", PIPELINE)
    assert concerns(change("", 5), "serving", PIPELINE)
    assert concerns(change("kafka", 5), "serving", PIPELINE)
