"""Notes: what each event makes of them, and how people read what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.core.decide import decide
from app.core.events import Event, NoteAdded, NoteEdited, NoteRemoved, NoteSource
from app.core.incidents import Entry, EntryKind, Incident, Note
from app.core.notes import folded, news, notes_of
from app.core.person import Person
from app.errors import NotApplicable, NotFound, Obstacle
from tests.core.test_decide import A_ENDED, MINUTE, T0, A, K, report

ANA, BIA = Person("Ana", "slack:U1"), Person("Bia", "slack:U2")
IN_THREAD = NoteSource("slack:C1:17.5", "Bia", T0 - MINUTE, "https://slack.example/p175", "C1:17.0")
PINNED = NoteAdded(ANA, "it was the disk", IN_THREAD)


class Account:
    """An incident's whole timeline, each event a minute after the other, as the store keeps it."""

    def __init__(self, *events: Event) -> None:
        self.entries: list[Entry] = []
        self.incident: Incident | None = None
        self.tell(report(A), *events)

    def tell(self, *events: Event) -> list[EntryKind]:
        told: list[EntryKind] = []
        for event in events:
            if self.incident:
                self.incident = replace(self.incident, notes=notes_of(self.entries))
            now = T0 + len(self.entries) * MINUTE
            decision = decide(self.incident, event, now=now)
            assert decision.incident
            states = {state.alert.fingerprint: state for state in decision.states}
            known = self.incident.alerts if self.incident else {}
            self.incident = replace(decision.incident, alerts={**known, **states})
            for entry in decision.entries:
                self.entries.append(replace(entry, number=len(self.entries) + 1))
                told.append(entry.kind)
        return told

    @property
    def notes(self) -> list[Note]:
        return [note for note in notes_of(self.entries).values() if note.removed_at is None]

    @property
    def read(self) -> list[tuple[EntryKind, object]]:
        return [(entry.kind, entry.data.get("text")) for entry in folded(self.entries)][1:]


@pytest.mark.parametrize(
    ("before", "event", "told", "texts"),
    [
        ([], NoteAdded(ANA, "a"), [K.NOTE], ["a"]),
        ([NoteAdded(ANA, "a")], NoteAdded(ANA, "a"), [K.NOTE], ["a", "a"]),  # said twice
        ([NoteAdded(ANA, "a")], NoteEdited(BIA, 1, "b"), [K.NOTE_EDITED], ["b"]),
        ([NoteAdded(ANA, "a")], NoteEdited(ANA, 1, "a"), [], ["a"]),
        ([NoteAdded(ANA, "a"), NoteAdded(ANA, "b")], NoteRemoved(BIA, 1), [K.NOTE_REMOVED], ["b"]),
        ([NoteAdded(ANA, "a"), NoteRemoved(ANA, 1)], NoteRemoved(BIA, 1), [], []),
        ([NoteAdded(ANA, "a"), NoteRemoved(ANA, 1)], NoteAdded(ANA, "b"), [K.NOTE], ["b"]),
        # The same message marked twice, by whomever, is one note.
        ([PINNED], PINNED, [], ["it was the disk"]),
        ([PINNED], replace(PINNED, by=BIA, text="other"), [], ["it was the disk"]),
        ([PINNED], NoteEdited(BIA, IN_THREAD.key, "b"), [K.NOTE_EDITED], ["b"]),
        ([PINNED], NoteRemoved(BIA, IN_THREAD.key), [K.NOTE_REMOVED], []),
        ([PINNED, NoteRemoved(BIA, IN_THREAD.key)], PINNED, [K.NOTE], ["it was the disk"]),
        ([PINNED], NoteEdited(BIA, 1, "b"), [K.NOTE_EDITED], ["b"]),
        ([report(A_ENDED)], PINNED, [K.NOTE], ["it was the disk"]),  # in every state
    ],
)  # fmt: skip
def test_table(
    before: Sequence[Event], event: Event, told: list[EntryKind], texts: list[str]
) -> None:
    account = Account(*before)
    assert account.tell(event) == told
    assert [note.text for note in account.notes] == texts


def test_a_note_that_comes_back_keeps_its_number() -> None:
    account = Account(NoteAdded(ANA, "a"), PINNED, NoteRemoved(ANA, IN_THREAD.key), PINNED)
    assert [note.number for note in account.notes] == [1, 2]
    account.tell(NoteRemoved(ANA, 1), NoteAdded(ANA, "c"))
    assert [note.number for note in account.notes] == [2, 3]


def test_a_note_says_who_wrote_it_when_and_where_and_the_account_who_marked_it() -> None:
    account = Account(PINNED)
    (note,) = account.notes
    assert (note.author, note.at, note.link) == ("Bia", IN_THREAD.at, IN_THREAD.link)
    assert (account.entries[-1].actor, account.entries[-1].actor_ref) == ("Ana", "slack:U1")


def test_what_cannot_be_found_or_edited() -> None:
    account = Account(NoteAdded(ANA, "a"), NoteRemoved(BIA, 1))
    for unknown in (NoteEdited(ANA, 2, "b"), NoteRemoved(ANA, 2), NoteRemoved(ANA, "slack:?")):
        with pytest.raises(NotFound, match="has no note"):
            account.tell(unknown)
    with pytest.raises(NotApplicable, match="Note 1 was removed by Bia") as caught:
        account.tell(NoteEdited(ANA, 1, "b"))
    assert (caught.value.obstacle, caught.value.by) == (Obstacle.NOTE_REMOVED, "Bia")


def test_the_account_only_grows() -> None:
    account = Account(NoteAdded(ANA, "a"), NoteEdited(ANA, 1, "b"), NoteRemoved(BIA, 1))
    texts = [entry.data.get("text") for entry in account.entries[1:]]
    assert texts == ["a", "b", None]


@pytest.mark.parametrize(
    ("events", "read"),
    [
        ([NoteAdded(ANA, "a"), NoteEdited(ANA, 1, "b"), NoteEdited(ANA, 1, "c")], [(K.NOTE, "c")]),
        ([NoteAdded(ANA, "a"), NoteEdited(ANA, 1, "b"), NoteRemoved(BIA, 1)], [(K.NOTE_REMOVED, None)]),
        ([PINNED, NoteRemoved(ANA, 1), PINNED], [(K.NOTE, "it was the disk")]),
        ([PINNED, NoteRemoved(ANA, 1), PINNED, NoteEdited(BIA, 1, "b")], [(K.NOTE, "b")]),
        (
            [NoteAdded(ANA, "a"), NoteAdded(BIA, "b"), report(A_ENDED), NoteEdited(ANA, 1, "c")],
            [(K.NOTE, "c"), (K.NOTE, "b"), (K.RESOLVED, None)],
        ),
    ],
)  # fmt: skip
def test_people_read_what_is_so_now(
    events: Sequence[Event], read: list[tuple[EntryKind, object]]
) -> None:
    assert Account(*events).read == read


@pytest.mark.parametrize(
    ("events", "after", "told"),
    [
        # What came and went before anybody was told is not worth a word.
        ([NoteAdded(ANA, "a"), NoteRemoved(ANA, 1)], 1, []),
        ([NoteAdded(ANA, "a"), NoteEdited(ANA, 1, "b"), NoteRemoved(ANA, 1)], 1, []),
        # What was told and is no longer so is taken back.
        ([NoteAdded(ANA, "a"), NoteRemoved(ANA, 1)], 2, [(K.NOTE_REMOVED, None, 3)]),
        ([PINNED, NoteRemoved(ANA, 1), PINNED, NoteRemoved(ANA, 1)], 2, [(K.NOTE_REMOVED, None, 5)]),
        # It is told once, in its last form, and with the number up to which it is told.
        ([NoteAdded(ANA, "a"), NoteEdited(ANA, 1, "b"), NoteEdited(ANA, 1, "c")], 1, [(K.NOTE, "c", 4)]),
        ([NoteAdded(ANA, "a"), NoteEdited(ANA, 1, "b"), NoteEdited(ANA, 1, "c")], 2, [(K.NOTE_EDITED, "c", 4)]),
        (
            [NoteAdded(ANA, "a"), NoteAdded(ANA, "b"), NoteEdited(ANA, 1, "c")],
            1,
            [(K.NOTE, "b", 3), (K.NOTE, "c", 4)],
        ),
    ],
)  # fmt: skip
def test_what_is_still_to_be_told(
    events: Sequence[Event], after: int, told: list[tuple[EntryKind, object, int]]
) -> None:
    untold = [entry for entry in Account(*events).entries if entry.number > after]
    found = [(entry.kind, entry.data.get("text"), entry.number) for entry in news(untold)]
    assert found == told


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([PINNED], []),
        ([PINNED, NoteEdited(BIA, IN_THREAD.key, "b")], []),
        ([PINNED, NoteEdited(ANA, 1, "b")], [(K.NOTE_EDITED, "b")]),
        ([PINNED, NoteEdited(ANA, 1, "b"), NoteEdited(BIA, IN_THREAD.key, "c")], []),
        ([PINNED, NoteRemoved(ANA, 1)], [(K.NOTE_REMOVED, None)]),
        ([PINNED, NoteRemoved(ANA, 1), PINNED], []),
        ([PINNED, NoteAdded(ANA, "b")], [(K.NOTE, "b")]),
    ],
)
def test_what_the_thread_it_was_written_in_must_still_be_told(
    events: Sequence[Event], told: list[tuple[EntryKind, object]]
) -> None:
    found = news(Account(*events).entries[1:], IN_THREAD.thread)
    assert [(entry.kind, entry.data.get("text")) for entry in found] == told


def test_only_what_comes_from_a_thread_is_known_there() -> None:
    account = Account(
        PINNED,
        NoteEdited(BIA, IN_THREAD.key, "b"),
        NoteEdited(ANA, 1, "c"),
        NoteRemoved(BIA, IN_THREAD.key),
    )
    threads = [entry.data.get("thread") for entry in account.entries[1:]]
    assert threads == ["C1:17.0", "C1:17.0", None, "C1:17.0"]
