"""What an event about a silence makes of an incident: an entry, and never another status."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.decide import decide
from app.core.events import Acknowledged, Event, ResolvedByPerson
from app.core.incidents import NOTEWORTHY, EntryKind, Incident
from app.core.person import Person
from app.core.silence_events import (
    SilenceChanged,
    Silenced,
    SilenceDelayed,
    SilenceEnded,
    SilenceEvent,
    SilenceExpiring,
    SilenceFound,
    SilenceNotMade,
)
from app.core.silence_watch import ended
from app.core.silencing import check_may_silence
from app.errors import NotApplicable, RevisionConflict
from tests.core.test_decide import MINUTE, T0, A, Story, report
from tests.core.test_silence_watch import ACTIVE, WANTED

LONGER = replace(ACTIVE, ends_at=ACTIVE.ends_at + MINUTE)
BY_BIA = ended(ACTIVE, at=T0 + MINUTE, by="Bia")
BY_NOBODY = ended(ACTIVE, at=T0 + MINUTE, by=None)
REFUSED = replace(WANTED, problem="because")


def incident(*events: Event) -> Incident:
    told = Story().tell(report(A), *events).incident
    assert told is not None
    return told


STATES = {
    "triggered": incident(),
    "acknowledged": incident(Acknowledged(Person("Ana"))),
    "resolved": incident(ResolvedByPerson(Person("Ana"), force=True)),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("event", "kind", "actor"),
    [
        (Silenced(ACTIVE), EntryKind.SILENCED, "Ana"),
        (SilenceFound(ACTIVE), EntryKind.SILENCE_FOUND, "alertmanager"),
        (SilenceChanged(LONGER, ACTIVE), EntryKind.SILENCE_CHANGED, "alertmanager"),
        (SilenceExpiring(ACTIVE), EntryKind.SILENCE_EXPIRING, "plantao"),
        (SilenceEnded(BY_BIA, early=True), EntryKind.SILENCE_ENDED, "Bia"),
        (SilenceEnded(BY_NOBODY, early=True), EntryKind.SILENCE_ENDED, "alertmanager"),
        (SilenceDelayed(REFUSED), EntryKind.SILENCE_DELAYED, "Ana"),
        (SilenceNotMade(REFUSED), EntryKind.SILENCE_NOT_MADE, "plantao"),
    ],
)
def test_it_is_told_and_the_status_stays(
    state: str, event: SilenceEvent, kind: EntryKind, actor: str
) -> None:
    before = STATES[state]
    decision = decide(before, event, now=T0)
    (entry,) = decision.entries
    assert (entry.kind, entry.actor, entry.at) == (kind, actor, T0)
    assert entry.kind in NOTEWORTHY
    assert {"silence", "reference", "by", "until", "comment", "link"} <= set(entry.data)
    assert decision.incident == replace(before, revision=before.revision + 1)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("triggered", SilenceChanged(replace(ACTIVE, muted=2), ACTIVE)),
        ("triggered", SilenceChanged(replace(ACTIVE, unknown_since=T0), ACTIVE)),
        ("resolved", SilenceEnded(BY_NOBODY, early=False)),
    ],
)
def test_what_is_shown_but_not_told(state: str, event: SilenceEvent) -> None:
    decision = decide(STATES[state], event, now=T0)
    assert (decision.changed, decision.entries) == (True, ())
    assert decision.incident == STATES[state]


def test_an_end_at_its_time_is_told_while_the_incident_is_open() -> None:
    decision = decide(STATES["triggered"], SilenceEnded(BY_NOBODY, early=False), now=T0)
    assert [entry.data["early"] for entry in decision.entries] == [False]


def test_when_there_is_something_to_silence() -> None:
    check_may_silence(STATES["triggered"], None)
    check_may_silence(STATES["acknowledged"], STATES["acknowledged"].revision)
    with pytest.raises(RevisionConflict):
        check_may_silence(STATES["triggered"], 99)
    with pytest.raises(NotApplicable, match="is over"):
        check_may_silence(STATES["resolved"], None)
    with pytest.raises(NotApplicable, match="fires now"):
        check_may_silence(replace(STATES["triggered"], firing=0, hidden=3), None)


def test_times_in_the_entry_are_plain_json() -> None:
    (entry,) = decide(STATES["triggered"], Silenced(ACTIVE), now=T0).entries
    assert entry.data["until"] == (ACTIVE.starts_at + timedelta(hours=1)).isoformat()
    assert entry.data["matchers"] == ['alertname="KafkaLag"']
