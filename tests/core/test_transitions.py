"""Walks the table in `app/core/transitions.py`, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.alerts import Alert, AlertStatus, fingerprint
from app.core.transitions import AlertState, Effect, Ending, transition

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LABELS = {"alertname": "HighErrorRate"}


def alert(status: str, starts: int = 0, ends: int | None = None, **annotations: str) -> Alert:
    """An alert whose times are minutes after T0."""
    return Alert(
        fingerprint(LABELS),
        AlertStatus(status),
        LABELS,
        annotations,
        starts_at=T0 + starts * MINUTE,
        ends_at=None if ends is None else T0 + ends * MINUTE,
    )


FIRING = AlertState(alert("firing"), reported_at=T0)
RESOLVED = AlertState(alert("resolved", 0, 5), reported_at=T0 + 5 * MINUTE, ending=Ending.RESOLVED)
CLOSED_BY_ANA = replace(RESOLVED, ending=Ending.BY_PERSON)
DOUBTED = replace(FIRING, unconfirmed=True, reported_at=T0 + 6 * MINUTE, ending=Ending.RESOLVED)
GONE = replace(RESOLVED, ending=Ending.NO_LONGER_REPORTED)


@pytest.mark.parametrize(
    ("known", "reported", "at", "effect"),
    [
        # known, reported, minute of arrival, what it means
        (FIRING, alert("resolved", 0, 5), 0, Effect.NOTHING),  # not newer than what was applied
        (RESOLVED, alert("firing", 9), 4, Effect.NOTHING),  # a replay from before the end
        (None, alert("firing"), 1, Effect.JOINED),
        (None, alert("resolved", 0, 1), 1, Effect.ENDED_UNSEEN),
        (FIRING, alert("firing"), 1, Effect.REPEATED),
        (FIRING, alert("firing", -9), 1, Effect.REPEATED),  # a twin's Prometheus saw it earlier
        (FIRING, alert("firing", 1), 2, Effect.REPEATED),  # its end between was never told
        (FIRING, alert("resolved", 0, 5), 6, Effect.ENDED),
        (FIRING, alert("resolved", 3, 5), 6, Effect.ENDED),  # a startsAt never seen firing
        (FIRING, alert("resolved", -9, -5), 6, Effect.NOTHING),  # an old end told again
        (DOUBTED, alert("resolved", 0, 5), 7, Effect.DISMISSED),
        (RESOLVED, alert("resolved", 0, 5), 6, Effect.NOTHING),
        (RESOLVED, alert("firing", 6), 7, Effect.REFIRED),
        (RESOLVED, alert("firing", 0), 6, Effect.DOUBTED),  # a twin's late repeat, or real
        (GONE, alert("firing", 0), 6, Effect.DOUBTED),
        (CLOSED_BY_ANA, alert("firing", 0), 6, Effect.NOTHING),  # her word stands
        (CLOSED_BY_ANA, alert("firing", 6), 7, Effect.REFIRED),  # for that occurrence only
    ],
)
def test_table(known: AlertState | None, reported: Alert, at: int, effect: Effect) -> None:
    assert transition(known, reported, at=T0 + at * MINUTE).effect is effect


def test_nothing_leaves_the_known_state_as_it_was() -> None:
    step = transition(RESOLVED, alert("resolved", 0, 5), at=T0 + 9 * MINUTE)
    assert step.state is RESOLVED


def test_a_repeat_brings_new_annotations_and_keeps_the_later_start() -> None:
    step = transition(FIRING, alert("firing", -3, summary="now 0.91"), at=T0 + MINUTE)
    assert step.state.alert.annotations == {"summary": "now 0.91"}
    assert step.state.alert.starts_at == T0


def test_a_repeat_does_not_clear_a_doubt() -> None:
    doubted = transition(RESOLVED, alert("firing"), at=T0 + 6 * MINUTE).state
    again = transition(doubted, alert("firing"), at=T0 + 7 * MINUTE).state
    assert doubted.unconfirmed
    assert again.unconfirmed


def test_a_doubt_remembers_how_the_alert_had_ended() -> None:
    assert transition(RESOLVED, alert("firing"), at=T0 + 6 * MINUTE).state.ending is Ending.RESOLVED


def test_an_end_at_the_expiry_that_alertmanager_showed_is_not_called_resolved() -> None:
    known = replace(FIRING, expires_at=T0 + 4 * MINUTE)
    timed_out = transition(known, alert("resolved", 0, 4), at=T0 + 5 * MINUTE)
    reported = transition(known, alert("resolved", 0, 3), at=T0 + 5 * MINUTE)
    assert timed_out.state.ending is Ending.NO_LONGER_REPORTED
    assert reported.state.ending is Ending.RESOLVED


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        # from recorded webhooks
        ({"scenario": "noalertname", "team": "x"}, "aaac047ca0fb59e4"),
        ({"alertname": "DiskFull", "node": "n7", "scenario": "amtool"}, "8677378413376093"),
    ],
)
def test_fingerprints_are_alertmanagers_own(labels: dict[str, str], name: str) -> None:
    assert fingerprint(labels) == name
