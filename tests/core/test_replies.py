"""What a thread is told: nothing it has read already, nothing while it is muted but the turns."""

from __future__ import annotations

import pytest

from app.core.incidents import EntryKind
from app.core.replies import due
from tests.core.test_postings import K, entry

FIRED, OVER, AGAIN, NOTE = K.ALERTS_FIRING, K.RESOLVED, K.REOPENED, K.NOTE
MUTED, UNMUTED = K.REPLIES_MUTED, K.REPLIES_UNMUTED


@pytest.mark.parametrize(
    ("kinds", "muted", "told"),
    [
        ([FIRED, NOTE, OVER], False, [FIRED, NOTE, OVER]),
        # Muted before what is at hand: only the turns are told.
        ([FIRED, NOTE, OVER, AGAIN, K.NO_LONGER_REPORTED], True, [OVER, AGAIN, K.NO_LONGER_REPORTED]),
        # What came before the switch is still told, what came meanwhile never.
        ([FIRED, MUTED, NOTE, OVER], True, [FIRED, OVER]),
        ([MUTED, FIRED, UNMUTED, NOTE], False, [NOTE]),
        ([FIRED, UNMUTED, NOTE], False, [NOTE]),
        ([FIRED, UNMUTED, NOTE, MUTED, FIRED, UNMUTED], False, [NOTE]),
        ([FIRED, UNMUTED, NOTE, MUTED, FIRED], True, [NOTE]),
    ],
)  # fmt: skip
def test_muted(kinds: list[EntryKind], muted: bool, told: list[EntryKind]) -> None:
    entries = [entry(kind, number, note=number) for number, kind in enumerate(kinds, start=1)]
    found = due(entries, root="C1:1", edits=True, muted=muted)
    assert [each.kind for each in found] == told


@pytest.mark.parametrize("muted", [False, True])
def test_who_is_mentioned_is_reached_in_any_case(muted: bool) -> None:
    entries = [entry(K.ASSIGNED, 1), entry(K.ASSIGNED, 2, mention="U2")]
    found = due(entries, root="C1:1", edits=True, muted=muted)
    assert [each.number for each in found] == [2]


def test_where_nothing_can_be_edited_the_switch_itself_is_told() -> None:
    entries = [entry(MUTED, 1), entry(FIRED, 2), entry(UNMUTED, 3), entry(MUTED, 4)]
    found = due(entries, root="<m@x> s", edits=False, muted=True)
    assert [each.number for each in found] == [1, 3, 4]


def test_a_note_is_told_everywhere_but_in_the_thread_it_was_written_in() -> None:
    note = entry(NOTE, 1, note=1, thread="C1:17.0")
    for root, told in (("C1:17.0", ()), ("C1:18.0", (note,)), (None, (note,))):
        assert due([note], root=root, edits=True, muted=False) == told
