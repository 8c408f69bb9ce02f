"""What the log's counts add up to, and what they advise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.incidents import Status
from app.core.stats import (
    Advice,
    Counted,
    Figures,
    Kind,
    Reason,
    Row,
    Spread,
    Waited,
    spread,
    summarise,
    tune_first,
)

LAG = Kind("critical", "kafka", "KafkaLag", "pix-fraud", "3")
DRIFT = Kind("warning", "model", "Drift", "pix-fraud", "4")
MIXED = Kind("warning", None, None, None, None)


def counted(
    kind: Kind = LAG,
    incidents: int = 1,
    *,
    status: Status = Status.RESOLVED,
    lasted: int | None = 600,
    notifications: int = 0,
    refires: int = 0,
    short_lived: int = 0,
    unattended: int = 0,
) -> Counted:
    return Counted(kind, status, lasted, incidents, notifications, refires, short_lived, unattended)


def seconds(found: Spread) -> tuple[int, float | None, float | None]:
    median, p90 = (
        None if each is None else each.total_seconds() for each in (found.median, found.p90)
    )
    return found.count, median, p90


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        ({}, (0, None, None)),
        ({7: 1}, (1, 7, 7)),
        ({0: 3}, (3, 0, 0)),
        ({10: 1, 20: 1}, (2, 10, 20)),
        ({10: 1, 20: 1, 30: 1}, (3, 20, 30)),
        (dict.fromkeys(range(1, 11), 1), (10, 5, 9)),
        ({1: 90, 500: 10}, (100, 1, 1)),
        ({1: 89, 500: 11}, (100, 1, 500)),
        ({500: 1, 1: 1_000_000}, (1_000_001, 1, 1)),
    ],
)
def test_percentiles_are_by_nearest_rank(
    durations: dict[int, int], expected: tuple[int, float | None, float | None]
) -> None:
    assert seconds(spread(durations)) == expected


def test_kinds_are_put_together_by_each_of_their_names() -> None:
    stats = summarise(
        [
            counted(LAG, 3, lasted=60, notifications=9, refires=2, short_lived=1, unattended=2),
            counted(LAG, 1, status=Status.ACKNOWLEDGED, lasted=None, notifications=4),
            counted(DRIFT, 2, lasted=600, notifications=2),
            counted(MIXED, 1, status=Status.TRIGGERED, lasted=None, notifications=1),
        ],
        [Waited(LAG, 120, 1), Waited(LAG, 60, 1), Waited(DRIFT, 30, 1)],
    )
    whole = stats.whole
    assert (whole.opened, whole.triggered, whole.acknowledged, whole.resolved) == (7, 1, 1, 5)
    assert seconds(whole.time_to_acknowledge) == (3, 60, 120)
    assert seconds(whole.time_to_resolve) == (5, 60, 600)
    noise = (whole.notifications, whole.refires, whole.short_lived, whole.unattended)
    assert noise == (16, 2, 1, 2)
    assert [(row.name, row.figures.opened) for row in stats.by_severity] == [
        ("critical", 4),
        ("warning", 3),
    ]
    assert [(row.name, row.figures.opened) for row in stats.by_alertname] == [
        ("KafkaLag", 4),
        ("Drift", 2),
        (None, 1),
    ]
    versions = [(row.name, row.version, row.figures.opened) for row in stats.by_model_version]
    assert versions == [("pix-fraud", "3", 4), ("pix-fraud", "4", 2), (None, None, 1)]
    assert seconds(stats.by_component[0].figures.time_to_acknowledge) == (2, 60, 120)


def test_an_empty_log() -> None:
    stats = summarise([], [])
    assert stats.whole.opened == 0
    assert stats.whole.time_to_resolve == Spread(0, None, None)
    assert stats.by_alertname == []
    assert tune_first(stats.by_alertname) == []


def test_any_number_of_names_is_bounded_and_the_whole_still_counts() -> None:
    kinds = [Kind("critical", "kafka", f"Alert{n}", None, None) for n in range(10_050)]
    stats = summarise([counted(kind) for kind in kinds], [Waited(kind, 1, 1) for kind in kinds])
    assert stats.whole.opened == 10_050
    assert stats.whole.time_to_acknowledge.count == 10_050
    assert len(stats.by_alertname) == 10_000
    assert [row.figures.opened for row in stats.by_severity] == [10_050]


NONE = Spread(0, None, None)
ONCE = Spread(1, timedelta(), timedelta())


def row(
    name: str | None, opened: int, *, refires: int = 0, short_lived: int = 0, unattended: int = 0
) -> Row:
    figures = Figures(
        opened, 0, 0, opened, NONE, ONCE, opened, refires, short_lived, max(unattended, short_lived)
    )
    return Row(name, figures)


@pytest.mark.parametrize(
    ("figures", "advice"),
    [
        (row("A", 10), None),
        (row("A", 10, short_lived=4), None),
        (row("A", 10, short_lived=5), Advice("A", Reason.SHORT_LIVED, 5, 10)),
        (row("A", 2, short_lived=2), None),  # chance
        (row("A", 10, refires=4), None),
        (row("A", 10, refires=5), Advice("A", Reason.REFIRES, 5, 10)),
        (row("A", 10, refires=30), Advice("A", Reason.REFIRES, 30, 10)),
        (row("A", 10, refires=30, short_lived=5), Advice("A", Reason.SHORT_LIVED, 5, 10)),
        (row("A", 10, unattended=7), None),
        (row("A", 10, unattended=8), Advice("A", Reason.UNATTENDED, 8, 10)),
        (row(None, 10, short_lived=10), None),  # nobody could tune it
        (row("A", 0), None),
    ],
)
def test_what_to_tune(figures: Row, advice: Advice | None) -> None:
    assert tune_first([figures]) == ([advice] if advice else [])


def test_the_noisiest_is_tuned_first_and_five_are_enough() -> None:
    rows = [row(f"A{n}", 10 + n, short_lived=10 + n) for n in range(7)]
    assert [each.alertname for each in tune_first(rows)] == ["A6", "A5", "A4", "A3", "A2"]
