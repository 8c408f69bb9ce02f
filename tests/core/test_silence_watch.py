"""The table of cases: what we know of a silence, what Alertmanager lists, and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.matchers import parse_matchers
from app.core.silence_events import (
    SilenceChanged,
    Silenced,
    SilenceEnded,
    SilenceEvent,
    SilenceExpiring,
    SilenceFound,
    SilenceNotMade,
)
from app.core.silence_watch import (
    View,
    compare,
    expiring,
    made,
    next_turn,
    to_end,
    unknown,
)
from app.core.silences import ListedSilence, Silence, SilenceState, marked_comment

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FIRING = {12: {"a": {"alertname": "KafkaLag", "broker": "1"}}}
WANTED = Silence(
    incident=12,
    matchers=parse_matchers('alertname="KafkaLag"'),
    by="Ana",
    comment="why",
    starts_at=T0,
    ends_at=T0 + HOUR,
    id=1,
    token="0123456789abcdef",
)
ACTIVE = made(WANTED, "ref", "http://am/#/silences/ref", FIRING[12])
ENDED = replace(ACTIVE, state=SilenceState.ENDED, ended_at=T0 + MINUTE, ended_by="Bia")
DOUBTFUL = replace(WANTED, state=SilenceState.DOUBTFUL)
LISTED = ListedSilence(
    "ref", WANTED.matchers, "Ana", marked_comment(WANTED, "x"), T0, T0 + HOUR, T0, "active"
)
EXPIRED = replace(LISTED, state="expired", ends_at=T0 + 5 * MINUTE)
FOREIGN = replace(LISTED, reference="other", by="Caio", comment="planned")


def view(*listed: ListedSilence, after: timedelta = 5 * MINUTE, complete: bool = True) -> View:
    return View({each.reference: each for each in listed}, T0 + after, complete, "http://am")


@pytest.mark.parametrize(
    ("known", "seen", "event", "state"),
    [
        (WANTED, view(LISTED), Silenced, SilenceState.ACTIVE),
        (WANTED, view(), None, None),
        (WANTED, view(after=HOUR), SilenceNotMade, SilenceState.NOT_MADE),
        (DOUBTFUL, view(LISTED), Silenced, SilenceState.ACTIVE),
        (DOUBTFUL, view(after=MINUTE / 2), None, None),
        (DOUBTFUL, view(complete=False), None, None),
        (ACTIVE, view(LISTED), None, None),
        (ACTIVE, view(EXPIRED), SilenceEnded, SilenceState.ENDED),
        (ACTIVE, view(), SilenceEnded, SilenceState.ENDED),
        (ACTIVE, view(complete=False), None, None),
        (ACTIVE, view(after=MINUTE / 2), None, None),
        (ACTIVE, view(replace(LISTED, ends_at=T0 + 2 * HOUR)), SilenceChanged, SilenceState.ACTIVE),
        (replace(ACTIVE, unknown_since=T0), view(LISTED), SilenceChanged, SilenceState.ACTIVE),
        (replace(ACTIVE, muted=7), view(LISTED), SilenceChanged, SilenceState.ACTIVE),
        (ENDED, view(LISTED), SilenceFound, SilenceState.ACTIVE),
        (ENDED, view(LISTED, after=1.5 * MINUTE), None, None),
        (ENDED, view(EXPIRED), None, None),
        (replace(WANTED, state=SilenceState.NOT_MADE), view(), None, None),
    ],
)  # fmt: skip
def test_what_follows(
    known: Silence, seen: View, event: type[SilenceEvent] | None, state: SilenceState | None
) -> None:
    steps = compare([known], seen, FIRING)
    assert [type(step.event) for step in steps] == ([event] if event else [])
    assert [step.after.state for step in steps] == ([state] if state else [])
    assert all(step.before == known for step in steps)
    # What has followed follows no second time.
    after = [step.after for step in steps] or [known]
    assert not compare(after, seen, FIRING)


def test_what_was_made_and_ended_before_we_knew_is_not_made_again() -> None:
    (first,) = compare([WANTED], view(EXPIRED), FIRING)
    (second,) = compare([first.after], view(EXPIRED), FIRING)
    assert isinstance(first.event, Silenced)
    assert isinstance(second.event, SilenceEnded)


def test_a_doubtful_one_that_nobody_has_is_forgotten() -> None:
    (step,) = compare([DOUBTFUL], view(), FIRING)
    assert step.event is None


@pytest.mark.parametrize(
    ("listed", "known", "early", "by"),
    [
        (EXPIRED, ACTIVE, True, None),
        (EXPIRED, replace(ACTIVE, ending_by="Bia"), True, "Bia"),
        (replace(EXPIRED, ends_at=T0 + HOUR), ACTIVE, False, None),
        (replace(EXPIRED, ends_at=T0 + HOUR), replace(ACTIVE, ending_by="Bia"), False, None),
    ],
)
def test_who_ended_it(listed: ListedSilence, known: Silence, early: bool, by: str | None) -> None:
    (step,) = compare([known], view(listed, after=2 * HOUR), FIRING)
    assert isinstance(step.event, SilenceEnded)
    assert (step.event.early, step.after.ended_by) == (early, by)
    assert step.after.ended_at == listed.ends_at


@pytest.mark.parametrize(
    ("listed", "firing", "found"),
    [
        (FOREIGN, FIRING, True),
        (replace(FOREIGN, state="pending"), FIRING, False),
        (replace(FOREIGN, state="expired"), FIRING, False),
        (FOREIGN, {12: {"a": {"alertname": "DiskFull"}}}, False),
        (FOREIGN, {}, False),
    ],
)
def test_what_was_made_elsewhere(
    listed: ListedSilence, firing: dict[int, dict[str, dict[str, str]]], found: bool
) -> None:
    steps = compare([], view(listed), firing)
    assert [type(step.event) for step in steps] == [SilenceFound] * found
    for step in steps:
        assert (step.after.by, step.after.comment, step.after.muted) == ("Caio", "planned", 1)
        assert step.after.link == "http://am/#/silences/other"


def test_ours_is_found_by_another_incident_but_not_again_by_its_own() -> None:
    firing = {**FIRING, 13: {"b": {"alertname": "KafkaLag"}}}
    (step,) = compare([ACTIVE], view(LISTED), firing)
    assert (step.after.incident, step.after.here) == (13, False)


def test_what_was_made_twice_is_ended() -> None:
    twin = replace(LISTED, reference="twin")
    assert to_end([ACTIVE], view(LISTED, twin)) == ["twin"]
    assert to_end([ENDED], view(EXPIRED, twin)) == ["twin"]
    assert to_end([WANTED], view(twin)) == []  # it is what was wanted
    assert to_end([ACTIVE], view(LISTED, FOREIGN, replace(twin, state="expired"))) == []


def test_what_somebody_wanted_ended_is_ended() -> None:
    ending = replace(ACTIVE, ending_by="Bia")
    assert to_end([ending], view(LISTED)) == ["ref"]
    assert to_end([ending], view(EXPIRED)) == []


# --- near its end

LONGER = replace(ACTIVE, id=2, ends_at=T0 + 2 * HOUR)
NARROW = replace(LONGER, matchers=parse_matchers('broker="2"'))


@pytest.mark.parametrize(
    ("ours", "firing", "minutes", "warned"),
    [
        ([ACTIVE], FIRING, 53, False),
        ([ACTIVE], FIRING, 54, True),
        ([ACTIVE], FIRING, 59, True),
        ([ACTIVE], FIRING, 60, False),
        ([replace(ACTIVE, warned=True)], FIRING, 55, False),
        ([ACTIVE], {}, 55, False),
        ([ACTIVE], {12: {"x": {"alertname": "DiskFull"}}}, 55, False),
        ([ACTIVE, LONGER], FIRING, 55, False),
        ([ACTIVE, NARROW], FIRING, 55, True),
        ([ACTIVE, replace(LONGER, incident=13)], FIRING, 55, True),
        ([replace(ACTIVE, state=SilenceState.ENDED)], FIRING, 55, False),
    ],
)  # fmt: skip
def test_when_to_warn(
    ours: list[Silence], firing: dict[int, dict[str, dict[str, str]]], minutes: int, warned: bool
) -> None:
    steps = expiring(ours, firing, T0 + minutes * MINUTE, before=10 * MINUTE)
    assert [type(step.event) for step in steps] == [SilenceExpiring] * warned
    assert all(step.after.warned for step in steps)


def test_when_there_is_something_to_do_next() -> None:
    def after(minutes: int, *ours: Silence) -> timedelta | None:
        at = next_turn(ours, T0 + minutes * MINUTE, before=10 * MINUTE)
        return at - T0 if at else None

    assert after(0, ACTIVE) == 54 * MINUTE
    assert after(54, ACTIVE) == HOUR
    assert after(0, replace(ACTIVE, warned=True)) == HOUR
    assert after(60, ACTIVE) is None
    assert after(0, ENDED, WANTED) is None


def test_no_answer_is_said_once() -> None:
    (step,) = unknown([ACTIVE, WANTED, ENDED], T0)
    assert (step.before, step.after.unknown_since) == (ACTIVE, T0)
    assert unknown([step.after], T0 + MINUTE) == []
