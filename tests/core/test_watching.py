"""Changes that show in figures."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core.watching import STANDARD, noticed

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
RELOAD, DRIVER, DELTA = STANDARD
SERIES = frozenset({("__name__", "x"), ("instance", "spark:4040"), ("table", "pix")})


def test_a_reload_is_told_with_its_own_time() -> None:
    [change] = noticed(RELOAD, {SERIES: 1000.0}, {SERIES: 2000.0}, now=NOW)
    assert change.at == datetime.fromtimestamp(2000, UTC)
    assert change.labels["component"] == "monitoring"


def test_a_counter_that_grows_is_no_restart_and_one_that_falls_is() -> None:
    assert noticed(DRIVER, {SERIES: 5.0}, {SERIES: 9.0}, now=NOW) == []
    [change] = noticed(DRIVER, {SERIES: 9.0}, {SERIES: 1.0}, now=NOW)
    assert (change.title, change.at) == ("Spark driver restarted (spark:4040)", NOW)


def test_a_series_that_is_new_or_gone_is_no_change() -> None:
    assert noticed(RELOAD, {}, {SERIES: 1.0}, now=NOW) == []
    assert noticed(RELOAD, {SERIES: 1.0}, {}, now=NOW) == []


def test_a_label_the_series_lacks_stays_visible_in_the_title() -> None:
    [change] = noticed(DELTA, {SERIES: 1.0}, {SERIES: 2.0}, now=NOW)
    assert change.title == "pix: $operation"
