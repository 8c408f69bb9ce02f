"""The table of cases: what each event makes of an incident in each state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.alerts import Alert, AlertStatus, fingerprint
from app.core.decide import decide
from app.core.events import (
    Acknowledged,
    AlertsConfirmed,
    AlertsReported,
    AlertsVanished,
    DeliveryChanged,
    EndingDoubted,
    Event,
    HiddenSettled,
    NoteAdded,
    Origin,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.incidents import Decision, EntryKind, Incident, Status
from app.core.person import Person
from app.core.transitions import Ending
from app.errors import NotApplicable, RevisionConflict

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORIGIN = Origin("key", ("fraud-oncall",), group_key="{}:{}")


def alert(name: str, status: str = "firing", starts: int = 0, **labels: str) -> Alert:
    every = {"alertname": "HighErrorRate", "instance": name, "severity": "warning", **labels}
    return Alert(
        fingerprint(every),
        AlertStatus(status),
        every,
        {"summary": "checkout is failing"},
        starts_at=T0 + starts * MINUTE,
        ends_at=None if status == "firing" else T0 + (starts + 1) * MINUTE,
    )


A, B = alert("a"), alert("b")
A_ENDED, B_ENDED = alert("a", "resolved"), alert("b", "resolved")
A_AGAIN = alert("a", starts=10)


def report(*alerts: Alert, truncated: int = 0) -> AlertsReported:
    return AlertsReported(ORIGIN, alerts, truncated)


class Story:
    """One incident through a sequence of events, a minute apart, as the store would keep it."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.minute = 0
        self.last = Decision(None)

    def tell(self, *events: Event) -> Story:
        for event in events:
            self.minute += 1
            self.last = decide(self.incident, event, now=T0 + self.minute * MINUTE)
            self._keep(self.last)
        return self

    def _keep(self, decision: Decision) -> None:
        if decision.incident is None:
            return
        known = dict(self.incident.alerts) if self.incident else {}
        known |= {state.alert.fingerprint: state for state in decision.states}
        after = decision.incident
        self.incident = replace(after, alerts=known)
        assert after.firing == sum(s.firing for s in known.values())
        assert after.resolved == sum(not s.firing for s in known.values())
        assert after.doubtful == sum(s.unconfirmed for s in known.values())

    @property
    def now(self) -> Incident:
        assert self.incident is not None
        return self.incident

    @property
    def told(self) -> list[EntryKind]:
        return [entry.kind for entry in self.last.entries]


CONFIRMED = AlertsConfirmed({A.fingerprint: None, B.fingerprint: None})
UNANSWERED = AlertsConfirmed({A.fingerprint: None}, asked=False)
A_VANISHED = AlertsVanished(frozenset({A.fingerprint}), "Alertmanager no longer lists it")

K = EntryKind
TRIGGERED, ACKED, OVER = Status.TRIGGERED, Status.ACKNOWLEDGED, Status.RESOLVED


@pytest.mark.parametrize(
    ("before", "event", "status", "told"),
    [
        # ── reports ────────────────────────────────────────────────────────────────────────
        ([], report(A), TRIGGERED, [K.OPENED]),
        ([], report(A, B_ENDED), TRIGGERED, [K.OPENED]),  # the group's status does not count
        ([report(A)], report(A), TRIGGERED, []),  # repeat, retry, HA twin
        ([report(A)], report(A, B), TRIGGERED, [K.ALERTS_FIRING]),
        ([report(A, B)], report(A, B_ENDED), TRIGGERED, [K.ALERTS_RESOLVED]),
        ([report(A, B)], report(A_ENDED, B_ENDED), OVER, [K.RESOLVED]),
        ([report(A)], report(A_ENDED), OVER, [K.RESOLVED]),
        ([report(A), report(A_ENDED)], report(A_ENDED), OVER, []),  # told again for 15 minutes
        ([report(A), Acknowledged(Person("ana"))], report(B), ACKED, [K.ALERTS_FIRING]),
        # ── reopening ──────────────────────────────────────────────────────────────────────
        ([report(A), report(A_ENDED)], report(A_AGAIN), TRIGGERED, [K.REOPENED]),
        ([report(A), report(A_ENDED)], report(A), TRIGGERED, [K.UNCONFIRMED]),
        ([report(A), report(A_ENDED), report(A)], CONFIRMED, TRIGGERED, [K.REOPENED]),
        ([report(A), report(A_ENDED), report(A)], UNANSWERED, TRIGGERED, [K.REOPENED]),
        ([report(A), report(A_ENDED), report(A)], A_VANISHED, OVER, [K.DISMISSED]),
        ([report(A), report(A_ENDED), report(A)], report(A_ENDED, B), TRIGGERED, [K.REOPENED]),
        ([report(A), report(A_ENDED), report(A)], report(alert("a", "resolved", 5)), OVER, [K.DISMISSED]),
        # ── truncation: absence is not resolution ──────────────────────────────────────────
        ([], report(A, truncated=7), TRIGGERED, [K.OPENED]),
        ([report(A, truncated=7)], report(A_ENDED, truncated=7), TRIGGERED, [K.ALERTS_RESOLVED, K.TRUNCATED]),
        ([report(A, truncated=7), report(A_ENDED, truncated=7)], HiddenSettled(), OVER, [K.RESOLVED]),
        ([report(A, truncated=7), report(A_ENDED, truncated=7)], HiddenSettled("silence"), OVER, [K.NO_LONGER_REPORTED]),
        ([report(A, truncated=7), report(A_ENDED, truncated=7)], report(B), TRIGGERED, [K.ALERTS_FIRING]),
        ([report(A, truncated=7)], HiddenSettled(), TRIGGERED, []),
        # ── what nobody reports any more ───────────────────────────────────────────────────
        ([report(A)], A_VANISHED, OVER, [K.NO_LONGER_REPORTED]),
        ([report(A, B)], A_VANISHED, TRIGGERED, [K.ALERTS_VANISHED]),
        ([report(A), report(A_ENDED)], A_VANISHED, OVER, []),
        ([report(A), report(A_ENDED)], EndingDoubted("Prometheus is down"), OVER, [K.NO_LONGER_REPORTED]),
        ([report(A)], EndingDoubted("Prometheus is down"), TRIGGERED, []),
        ([report(A)], CONFIRMED, TRIGGERED, []),
        # ── people ─────────────────────────────────────────────────────────────────────────
        ([report(A)], Acknowledged(Person("ana")), ACKED, [K.ACKNOWLEDGED]),
        ([report(A), Acknowledged(Person("ana"))], Acknowledged(Person("ana")), ACKED, []),
        ([report(A), Acknowledged(Person("ana"))], Unacknowledged(Person("bia")), TRIGGERED, [K.UNACKNOWLEDGED]),
        ([report(A)], Unacknowledged(Person("bia")), TRIGGERED, []),
        ([report(A)], ResolvedByPerson(Person("ana"), force=True), OVER, [K.RESOLVED]),
        ([report(A)], NoteAdded(Person("ana"), "looking"), TRIGGERED, [K.NOTE]),
        ([report(A), report(A_ENDED)], NoteAdded(Person("ana"), "it was the disk"), OVER, [K.NOTE]),
        ([report(A), ResolvedByPerson(Person("ana"), force=True)], report(A), OVER, []),
        ([report(A), ResolvedByPerson(Person("ana"), force=True)], report(A_AGAIN), TRIGGERED, [K.REOPENED]),
        ([report(A), Acknowledged(Person("ana")), report(A_ENDED)], report(A_AGAIN), TRIGGERED, [K.REOPENED]),
        # ── delivery ───────────────────────────────────────────────────────────────────────
        ([report(A)], DeliveryChanged("slack:#x", "sent by email"), TRIGGERED, [K.DELIVERY]),
    ],
)  # fmt: skip
def test_table(
    before: Sequence[Event], event: Event, status: Status, told: list[EntryKind]
) -> None:
    story = Story().tell(*before).tell(event)
    assert (story.now.status, sorted(story.told)) == (status, sorted(told))


@pytest.mark.parametrize(
    ("before", "event", "why"),
    [
        ([report(A)], ResolvedByPerson(Person("ana")), "still has 1 firing"),
        ([report(A), report(A_ENDED)], Acknowledged(Person("ana")), "already resolved at"),
        ([report(A), Acknowledged(Person("ana"))], Acknowledged(Person("bia")), "already acknowledged by ana"),
        ([report(A), ResolvedByPerson(Person("ana"), force=True)], ResolvedByPerson(Person("bia")), "resolved by ana"),
        ([report(A), report(A_ENDED)], Unacknowledged(Person("ana")), "already resolved"),
    ],
)  # fmt: skip
def test_what_no_longer_applies(before: Sequence[Event], event: Event, why: str) -> None:
    story = Story().tell(*before)
    with pytest.raises(NotApplicable, match=why):
        story.tell(event)


def test_the_end_of_something_never_heard_of_opens_nothing() -> None:
    assert decide(None, report(A_ENDED), now=T0).incident is None


def test_who_decided_on_an_older_revision_is_told() -> None:
    story = Story().tell(report(A), report(A, B))
    with pytest.raises(RevisionConflict, match="at revision 2, not 1"):
        story.tell(Acknowledged(Person("ana"), revision=1))
    assert story.tell(Acknowledged(Person("ana"), revision=2)).now.acknowledged_by == "ana"


def test_a_repeat_counts_but_does_not_change_the_revision() -> None:
    story = Story().tell(report(A))
    before = story.now
    after = story.tell(report(A), report(A)).now
    assert (after.revision, after.occurrences) == (before.revision, before.occurrences + 2)


def test_a_dismissed_doubt_leaves_no_trace() -> None:
    story = Story().tell(report(A), Acknowledged(Person("ana")), report(A_ENDED))
    before = story.now
    after = story.tell(report(A), A_VANISHED).now
    assert after.ending is Ending.RESOLVED
    assert (after.resolved_at, after.reopened) == (before.resolved_at, 0)
    assert after.acknowledged_by == "ana"


def test_a_doubted_reopening_is_unconfirmed_until_it_is_confirmed() -> None:
    story = Story().tell(report(A), report(A_ENDED), report(A))
    doubted = story.now
    confirmed = story.tell(CONFIRMED).now
    assert (doubted.unconfirmed, doubted.reopened) == (True, 0)
    assert (confirmed.unconfirmed, confirmed.reopened) == (False, 1)


def test_reopening_asks_for_somebody_again() -> None:
    after = (
        Story().tell(report(A), Acknowledged(Person("ana")), report(A_ENDED), report(A_AGAIN)).now
    )
    assert (after.acknowledged_by, after.resolved_at, after.ending) == (None, None, None)


def test_the_incident_shows_what_its_alerts_share_and_the_worst_severity() -> None:
    story = Story().tell(report(A, alert("c", severity="critical")))
    assert story.now.labels == {"alertname": "HighErrorRate"}
    assert story.now.annotations == {"summary": "checkout is failing"}
    assert story.now.title == "HighErrorRate: checkout is failing"
    assert story.now.severity == "critical"


def test_an_incident_of_one_alert_follows_its_annotations() -> None:
    changed = Alert(A.fingerprint, A.status, A.labels, {"summary": "now 91 %"}, A.starts_at)
    story = Story().tell(report(A), report(changed))
    assert story.now.title == "HighErrorRate: now 91 %"
    assert story.last.changed


def test_the_same_report_at_the_same_moment_changes_nothing() -> None:
    story = Story().tell(report(A, B))
    again = decide(story.now, report(A, B_ENDED), now=T0 + MINUTE)
    assert not again.changed
    assert again.incident == story.now
