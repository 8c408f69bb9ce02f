"""The tables of delivery: which call comes next, what becomes one reply, who goes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.incidents import Entry, EntryKind, Incident, Status
from app.core.notices import LISTED
from app.core.postings import (
    URGENT_BELOW,
    Destination,
    Posting,
    PostingState,
    StepKind,
    Wanted,
    next_step,
    priority,
)
from app.core.replies import coalesce, is_told

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
K = EntryKind
ROOT, EDIT, DETAILS = StepKind.POST_ROOT, StepKind.EDIT_ROOT, StepKind.POST_DETAILS
REPLY, EDIT_DETAILS, REST = StepKind.REPLY, StepKind.EDIT_DETAILS, StepKind.REST


def posting(**shown: Any) -> Posting:
    return Posting(1, "token", 7, "oncall", Destination("slack", "#x"), T0, **shown)


def entry(kind: EntryKind, number: int = 0, **data: object) -> Entry:
    return Entry(kind, T0 + timedelta(minutes=number), "alertmanager", data, number)


NEWS = entry(K.ALERTS_FIRING, 5, count=1)
QUIET = entry(K.ACKNOWLEDGED, 6)
ROOT_OLD = {"root": "C:1", "root_digest": "old"}
ROOT_TRUE = {"root": "C:1", "root_digest": "r"}
ALL_TRUE = {**ROOT_TRUE, "details": "C:2", "details_digest": "d"}
DETAILS_OLD = {**ALL_TRUE, "details_digest": "old"}


@pytest.mark.parametrize(
    ("shown", "entries", "step"),
    [
        # Nothing comes before the first message, however much there is to tell.
        ({}, [], ROOT),
        ({}, [NEWS], ROOT),
        ({"details": "C:2", "told": 9}, [NEWS], ROOT),  # the root was deleted
        # What everybody sees first is made true first.
        (ROOT_OLD, [NEWS], EDIT),
        ({**ALL_TRUE, "root_digest": ""}, [], EDIT),  # adopted: what it shows is not known
        # The details stand above the replies.
        (ROOT_TRUE, [NEWS], DETAILS),
        (ALL_TRUE, [NEWS], REPLY),
        (DETAILS_OLD, [NEWS], REPLY),
        (DETAILS_OLD, [QUIET], EDIT_DETAILS),
        # What is told is told once; what need not be noticed is not told.
        ({**ALL_TRUE, "told": 5}, [NEWS], REST),
        ({**ALL_TRUE, "told": 4}, [NEWS], REPLY),
        (ALL_TRUE, [QUIET], REST),
        (ALL_TRUE, [], REST),
    ],
)
def test_the_next_step(shown: dict[str, Any], entries: list[Entry], step: StepKind) -> None:
    assert next_step(posting(**shown), Wanted("r", "d", entries)).kind is step


@pytest.mark.parametrize(
    ("shown", "entries", "step"),
    [
        ({}, [NEWS], ROOT),
        (ROOT_OLD, [], REST),  # a mail that was sent stays as it is
        (ROOT_OLD, [NEWS], REPLY),
        (ROOT_OLD, [QUIET], REPLY),  # nobody would see it otherwise
        ({**ROOT_OLD, "told": 6}, [NEWS, QUIET], REST),
    ],
)
def test_the_next_step_where_nothing_can_be_edited(
    shown: dict[str, Any], entries: list[Entry], step: StepKind
) -> None:
    assert next_step(posting(**shown), Wanted("r", None, entries, edits=False)).kind is step


DIED = entry(K.DELIVERY, 4, instead="email")
BACK = entry(K.DELIVERY, 7, instead="")
LATER = entry(K.NOTE, 8, text="x")


@pytest.mark.parametrize(
    ("shown", "entries", "told"),
    [
        (ROOT_OLD, [DIED, BACK], [7]),
        (ROOT_OLD, [DIED, NEWS, BACK], [5, 7]),
        (ROOT_OLD, [BACK, LATER], [7]),  # what comes after it is told there, not here
        ({**ROOT_OLD, "told": 7}, [LATER], []),
        ({}, [DIED, BACK], []),  # it never began to stand in
    ],
)
def test_a_stand_in_that_is_relieved_tells_so_and_no_more(
    shown: dict[str, Any], entries: list[Entry], told: list[int]
) -> None:
    relieved = posting(**shown, state=PostingState.RELIEVED)
    step = next_step(relieved, Wanted("r", "d", entries, edits=False))
    assert step.kind is (REPLY if told else REST)
    assert [each.number for each in step.entries] == told


def test_without_details_there_are_none_to_post() -> None:
    assert next_step(posting(**ROOT_TRUE), Wanted("r", None, [])).kind is REST


def test_a_reply_tells_all_that_is_untold_in_order() -> None:
    entries = [entry(K.OPENED, 1), entry(K.NOTE, 2), QUIET, NEWS, entry(K.RESOLVED, 8)]
    step = next_step(posting(**ALL_TRUE, told=2), Wanted("r", "d", entries))
    assert [each.kind for each in step.entries] == [K.ALERTS_FIRING, K.RESOLVED]


def test_steps_lead_to_rest() -> None:
    """Whatever is shown, doing what is next gets there, and does nothing twice."""
    wanted = Wanted("r", "d", [NEWS])
    after: dict[StepKind, dict[str, Any]] = {
        ROOT: ROOT_TRUE,
        EDIT: {"root_digest": "r"},
        DETAILS: {"details": "C:2", "details_digest": "old"},
        REPLY: {"told": 5},
        EDIT_DETAILS: {"details_digest": "d"},
    }
    shown: dict[str, Any] = {}
    taken = []
    while (step := next_step(posting(**shown), wanted).kind) is not REST:
        taken.append(step)
        shown |= after[step]
    assert taken == [ROOT, DETAILS, REPLY, EDIT_DETAILS]


FIRED, ENDED, GONE = K.ALERTS_FIRING, K.ALERTS_RESOLVED, K.ALERTS_VANISHED


@pytest.mark.parametrize(
    ("kinds", "merged"),
    [
        ([], []),
        ([FIRED, FIRED, FIRED], [FIRED]),
        ([FIRED, ENDED, FIRED], [FIRED, ENDED, FIRED]),  # the order is the story
        ([ENDED, ENDED, GONE, GONE], [ENDED, GONE]),
        ([K.NOTE, K.NOTE], [K.NOTE, K.NOTE]),  # each note is its own
        ([K.REOPENED, K.RESOLVED, K.REOPENED], [K.REOPENED, K.RESOLVED, K.REOPENED]),
        ([FIRED, K.NOTE, FIRED], [FIRED, K.NOTE, FIRED]),
    ],
)
def test_neighbours_that_tell_the_same_become_one(
    kinds: list[EntryKind], merged: list[EntryKind]
) -> None:
    told = coalesce(entry(kind, number) for number, kind in enumerate(kinds, start=1))
    assert [each.kind for each in told] == merged


def test_a_merged_entry_counts_all_names_some_and_marks_the_last() -> None:
    names = [f"{n:02}" for n in range(LISTED)]
    first = entry(FIRED, 3, count=8, fingerprints=names[:8])
    again = entry(FIRED, 4, count=8, fingerprints=names[4:])
    (merged,) = coalesce([first, again])
    assert (merged.number, merged.at) == (4, again.at)
    assert merged.data == {"count": 16, "fingerprints": names}


def test_merging_twice_is_merging_once() -> None:
    entries = [entry(FIRED, n, count=1, fingerprints=[str(n)]) for n in range(30)]
    (merged,) = coalesce(coalesce(entries))
    assert merged.data["count"] == 30
    assert merged.data["fingerprints"] == [str(n) for n in range(LISTED)]


TOLD_BY_MAIL = {K.ACKNOWLEDGED, K.UNACKNOWLEDGED, K.ASSIGNED, K.REPLIES_MUTED, K.REPLIES_UNMUTED}


@pytest.mark.parametrize("kind", EntryKind)
def test_without_edits_more_is_told_and_nothing_less(kind: EntryKind) -> None:
    told, told_by_mail = (is_told(entry(kind), edits=edits) for edits in (True, False))
    assert told <= told_by_mail
    assert (told != told_by_mail) is (kind in TOLD_BY_MAIL)


def incident(severity: str, status: Status = Status.TRIGGERED) -> Incident:
    return Incident("key", ("oncall",), T0, T0, severity=severity, status=status)


def test_urgent_before_others_new_before_changed_open_before_over() -> None:
    order = [
        priority(incident(severity, status), root_shown=shown)
        for severity in ("critical", "error", "warning", "info", "none")
        for status in (Status.TRIGGERED, Status.RESOLVED)
        for shown in (False, True)
    ]
    assert order == sorted(set(order))
    acknowledged = incident("critical", Status.ACKNOWLEDGED)
    assert priority(acknowledged, root_shown=True) == order[1]


@pytest.mark.parametrize(
    ("severity", "urgent"),
    [("critical", True), ("error", False), ("warning", False), ("unheard-of", False)],
)
def test_only_critical_incidents_are_urgent(severity: str, *, urgent: bool) -> None:
    for status in Status:
        for shown in (False, True):
            number = priority(incident(severity, status), root_shown=shown)
            assert (number < URGENT_BELOW) is urgent


@pytest.mark.parametrize(
    "text", ["slack:#fraude", "email:a@example.com,b@example.com", "console", "slack:C0:1"]
)
def test_a_destination_is_read_as_it_is_written(text: str) -> None:
    assert str(Destination.parse(text)) == text
