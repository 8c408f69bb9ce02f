"""The table of what people do: who has an incident after it, and who is told that they are late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.events import (
    Acknowledged,
    Assigned,
    Event,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.person import Person
from app.errors import NotApplicable, Obstacle, RevisionConflict
from tests.core.test_decide import A_AGAIN, A_ENDED, T0, A, K, Story, report

ANA, BIA, CAIO = Person("Ana", "slack:U1"), Person("Bia", "slack:U2"), Person("Caio")
FIRES = report(A)
FORCED = ResolvedByPerson(ANA, force=True)


@pytest.mark.parametrize(
    ("events", "acknowledged", "assigned"),
    [
        # Acknowledging takes it on: what is nobody's becomes one's own.
        ([Acknowledged(ANA)], ANA, ANA),
        ([Assigned(BIA, BIA), Acknowledged(ANA)], ANA, BIA),
        # Assigning says nothing of whether anybody has seen it.
        ([Assigned(ANA, ANA)], None, ANA),
        ([Assigned(ANA, BIA)], None, BIA),
        ([Assigned(ANA, BIA), Assigned(BIA, CAIO)], None, CAIO),
        ([Assigned(ANA, BIA), Assigned(ANA, None)], None, None),
        ([Acknowledged(ANA), Assigned(ANA, BIA)], ANA, BIA),
        ([Acknowledged(ANA), Assigned(ANA, None)], ANA, None),
        # Handing it back gives it up; what is somebody else's stays theirs.
        ([Acknowledged(ANA), Unacknowledged(ANA)], None, None),
        ([Acknowledged(ANA), Unacknowledged(BIA)], None, None),
        ([Assigned(BIA, BIA), Acknowledged(ANA), Unacknowledged(ANA)], None, BIA),
        ([Acknowledged(ANA), Unacknowledged(ANA), Acknowledged(BIA)], BIA, BIA),
        # Who had it is known after the end; a reopening asks for somebody anew.
        ([Acknowledged(ANA), report(A_ENDED)], ANA, ANA),
        ([Acknowledged(ANA), report(A_ENDED), report(A_AGAIN)], None, None),
        ([Assigned(ANA, BIA), FORCED, report(A_AGAIN)], None, None),
    ],
)  # fmt: skip
def test_who_has_it(
    events: Sequence[Event], acknowledged: Person | None, assigned: Person | None
) -> None:
    now = Story().tell(FIRES, *events).now
    assert (now.acknowledger, now.assignee) == (acknowledged, assigned)
    assert (now.acknowledged_at is None) == (acknowledged is None)
    assert (now.assigned_at is None) == (assigned is None)


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ([Acknowledged(ANA)], Acknowledged(ANA)),
        ([Acknowledged(ANA)], Acknowledged(Person("Ana Souza", ANA.ref))),  # another name by now
        ([Acknowledged(ANA)], Acknowledged(Person("Ana"))),  # through the API, which knows no ref
        ([], Unacknowledged(ANA)),
        ([], Assigned(ANA, None)),
        ([Assigned(ANA, BIA)], Assigned(CAIO, BIA)),
        ([FORCED], ResolvedByPerson(ANA)),
    ],
)
def test_doing_again_what_is_done_changes_nothing(before: Sequence[Event], event: Event) -> None:
    story = Story().tell(FIRES, *before)
    known = story.now
    assert story.tell(event).now == known
    assert not story.told


LATE = T0 + 2 * timedelta(minutes=1)


@pytest.mark.parametrize(
    ("before", "event", "why", "by", "words"),
    [
        ([Acknowledged(ANA)], Acknowledged(BIA), Obstacle.ALREADY_ACKNOWLEDGED, "Ana", "already acknowledged by Ana at 2026-11-23T03:02:00Z"),
        ([Acknowledged(ANA)], Acknowledged(Person("Ana", "slack:U9")), Obstacle.ALREADY_ACKNOWLEDGED, "Ana", "by Ana"),
        ([FORCED], Acknowledged(BIA), Obstacle.ALREADY_RESOLVED, "Ana", "already resolved by Ana at 2026-11-23T03:02:00Z"),
        ([FORCED], Unacknowledged(BIA), Obstacle.ALREADY_RESOLVED, "Ana", "already resolved by Ana"),
        ([FORCED], Assigned(BIA, BIA), Obstacle.ALREADY_RESOLVED, "Ana", "already resolved by Ana"),
        ([FORCED], ResolvedByPerson(BIA), Obstacle.ALREADY_RESOLVED, "Ana", "already resolved by Ana"),
        ([report(A_ENDED)], ResolvedByPerson(BIA), Obstacle.ALREADY_RESOLVED, None, "already resolved at 2026-11-23T03:02:00Z"),
    ],
)  # fmt: skip
def test_who_is_late_is_told_what_happened(
    before: Sequence[Event], event: Event, why: Obstacle, by: str | None, words: str
) -> None:
    story = Story().tell(FIRES, *before)
    with pytest.raises(NotApplicable, match=words) as caught:
        story.tell(event)
    assert (caught.value.obstacle, caught.value.by, caught.value.at) == (why, by, LATE)


def test_what_happened_is_told_before_that_the_revision_is_another() -> None:
    story = Story().tell(FIRES, Acknowledged(ANA))
    with pytest.raises(NotApplicable, match="already acknowledged by Ana"):
        story.tell(Acknowledged(BIA, revision=1))
    with pytest.raises(RevisionConflict, match="at revision 2, not 1") as caught:
        story.tell(Assigned(BIA, BIA, revision=1))
    assert (caught.value.obstacle, caught.value.at) == (Obstacle.CHANGED_MEANWHILE, LATE)


def test_who_already_has_it_is_not_late_whatever_the_revision() -> None:
    story = Story().tell(FIRES, Acknowledged(ANA))
    assert story.tell(Acknowledged(ANA, revision=1)).now.revision == 2


def test_how_many_still_fire() -> None:
    with pytest.raises(NotApplicable) as caught:
        Story().tell(FIRES, ResolvedByPerson(ANA))
    assert (caught.value.obstacle, caught.value.firing) == (Obstacle.STILL_FIRING, 1)


def test_the_account_names_who_it_was_and_whose_it_is() -> None:
    (entry,) = Story().tell(FIRES, Assigned(ANA, BIA)).last.entries
    assert (entry.kind, entry.actor, entry.actor_ref) == (K.ASSIGNED, "Ana", "slack:U1")
    assert entry.data == {"to": "Bia", "mention": "U2"}


@pytest.mark.parametrize(
    ("by", "to", "mention"),
    [
        (ANA, BIA, "U2"),
        (ANA, Person("Bia", "email:bia@x.example", frozenset({"slack:U2"})), "U2"),
        (ANA, ANA, None),  # who takes it need not be told
        (Person("ana@x.example", "email:ana@x.example", frozenset({"slack:U1"})), ANA, None),
        (ANA, CAIO, None),
        (ANA, Person("Bia", "slack:!channel"), None),
        (ANA, None, None),
    ],
)
def test_whom_an_assignment_mentions(by: Person, to: Person | None, mention: str | None) -> None:
    (entry,) = Story().tell(FIRES, Assigned(CAIO, Person("Duda")), Assigned(by, to)).last.entries
    assert entry.data.get("mention") == mention


MAILED = Person("ana@x.example", "email:ana@x.example")
ANA_KNOWN = replace(ANA, also=frozenset({MAILED.ref}))
MAILED_KNOWN = replace(MAILED, also=frozenset({ANA.ref}))


def test_who_is_known_under_two_references_is_one_person() -> None:
    assert Story().tell(FIRES, Acknowledged(MAILED), Acknowledged(ANA_KNOWN)).now.revision == 2
    assert Story().tell(FIRES, Acknowledged(ANA), Acknowledged(MAILED_KNOWN)).now.revision == 2
    given = Story().tell(FIRES, Assigned(BIA, MAILED), Acknowledged(ANA), Unacknowledged(ANA_KNOWN))
    assert given.now.assignee is None
    with pytest.raises(NotApplicable, match="already acknowledged by ana@"):
        Story().tell(FIRES, Acknowledged(MAILED), Acknowledged(replace(BIA, also=frozenset())))


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Ana", Person("Ana")),
        ("  Ana Souza ", Person("Ana Souza")),
        ("Ana Souza <Ana@Example.com>", Person("Ana Souza", "email:ana@example.com")),
        ("Ana <slack:U123>", Person("Ana", "slack:U123")),
        ("Ana <email:ana@example.com>", Person("Ana", "email:ana@example.com")),
        ("<ana@example.com>", Person("ana@example.com", "email:ana@example.com")),
        ("<slack:U123>", Person("U123", "slack:U123")),
        ("ana@example.com", Person("ana@example.com")),
        ("Ana <3", Person("Ana <3")),
        ("Ana <javascript:alert(1)>", Person("Ana <javascript:alert(1)>")),
        ("<>", Person("<>")),
    ],
)
def test_a_person_as_people_write_it(text: str, person: Person) -> None:
    assert Person.parse(text) == person
