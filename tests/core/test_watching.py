"""Changes that show in figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core.facts import Change
from app.core.watching import STANDARD, Figure, Watch, noticed, remembered

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LAST = NOW - timedelta(seconds=30)
RELOAD, DRIVER, DELTA = STANDARD
LABELS = {"__name__": "x", "instance": "spark:4040", "table": "pix"}
SERIES = frozenset(LABELS.items())


def look(watch: Watch, before: float | None, after: float | None) -> list[Change]:
    """What is noticed of one series between two looks; None: it is not there."""
    known = [] if before is None else [Figure(LABELS, before, LAST)]
    seen = {} if after is None else {SERIES: after}
    return noticed(watch, known, seen, since=LAST, now=NOW)


def ago(**time: float) -> float:
    return (NOW - timedelta(**time)).timestamp()


def test_a_reload_is_told_with_its_own_time() -> None:
    [change] = look(RELOAD, ago(days=1), ago(seconds=9))
    assert (change.at, change.not_before) == (NOW - timedelta(seconds=9), None)
    assert "component" not in change.labels  # it concerns all


def test_a_counter_that_grows_is_no_restart_and_one_that_falls_is() -> None:
    assert look(DRIVER, 5.0, 9.0) == []
    [change] = look(DRIVER, 9.0, 1.0)
    assert change.title == "Spark driver restarted (spark:4040)"
    assert (change.at, change.not_before) == (NOW, LAST)


@pytest.mark.parametrize("value", [0.0, -1e300, 1e300, float(2**63)])
def test_a_moment_of_no_calendar_is_the_one_it_was_noticed(value: float) -> None:
    [change] = look(RELOAD, -1e301, value)
    assert change.at <= NOW


def test_a_moment_that_goes_back_is_another_server_that_answers() -> None:
    assert look(RELOAD, ago(minutes=1), ago(minutes=9)) == []


def test_a_series_that_is_new_tells_of_what_is_new() -> None:
    assert look(DRIVER, None, 1.0) == []
    assert look(DELTA, None, ago(hours=2)) == []
    [change] = look(DELTA, None, ago(minutes=1))
    assert change.at == NOW - timedelta(minutes=1)


def test_a_series_that_is_gone_is_no_change_and_remembered_for_a_while() -> None:
    assert look(DRIVER, 5.0, None) == []
    old = [Figure({**LABELS, "instance": "old"}, 1.0, NOW - timedelta(days=8))]
    away = [Figure(LABELS, 5.0, LAST)]
    assert remembered([*old, *away], {}, now=NOW) == away
    assert remembered(away, {SERIES: 2.0}, now=NOW) == [Figure(LABELS, 2.0, NOW)]


def test_a_label_the_series_lacks_stays_visible_in_the_title() -> None:
    [change] = look(DELTA, 1.0, 2.0)
    assert change.title == "pix: $operation"
