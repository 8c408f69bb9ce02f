"""Notices of incidents whose alerts were silenced, through every event of a silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from app.core.events import Event
from app.core.matchers import Matcher
from app.core.notices import Notice
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
from app.core.silence_watch import TOO_LATE, ended
from app.core.silences import Silence, SilenceState
from tests.notifiers import samples
from tests.notifiers.known import MINUTE, START

LINK = "http://alertmanager.example:9093/#/silences/85e5ab93"
ACTIVE = Silence(
    incident=12,
    matchers=(Matcher("alertname", "=", "HighErrorRate"),),
    by="Ana",
    comment="restarted the scorer",
    starts_at=START,
    ends_at=START + 60 * MINUTE,
    state=SilenceState.ACTIVE,
    id=1,
    reference="85e5ab93",
    link=LINK,
    muted=1,
)
ELSEWHERE = replace(ACTIVE, id=2, by="Bia", here=False, ends_at=START + timedelta(days=2))
WAITING = replace(
    ACTIVE, id=3, state=SilenceState.WANTED, reference=None, link="", muted=0, problem="no answer"
)


def silenced(*events: SilenceEvent, of: tuple[Event, ...] = ()) -> Notice:
    """An incident with a firing alert after these events; its silences are as they say."""
    shown = samples.notice(*(of or (samples.reported(samples.alert()),)), *events)
    latest = {event.silence.id: event.silence for event in events}
    return replace(shown, silences=list(latest.values()))


def every_silence() -> Iterator[tuple[str, Notice]]:
    """A notice for each thing that can happen to a silence."""
    later = replace(ACTIVE, ends_at=ACTIVE.ends_at + 30 * MINUTE)
    late = replace(WAITING, state=SilenceState.NOT_MADE, problem=TOO_LATE)
    at_its_time = ended(ACTIVE, at=ACTIVE.ends_at, by=None)
    elsewhere = ended(ACTIVE, at=START + MINUTE, by=None)
    by_person = ended(ACTIVE, at=START + MINUTE, by="Bia")
    unknown = replace(ACTIVE, unknown_since=START)
    two = samples.reported(samples.alert("a"), samples.alert("b"))
    yield "silenced", silenced(Silenced(ACTIVE))
    yield "silenced in part", silenced(Silenced(ACTIVE), of=(two,))
    yield "silenced elsewhere", silenced(SilenceFound(ELSEWHERE))
    yield "silenced twice", silenced(Silenced(ACTIVE), SilenceFound(ELSEWHERE))
    yield "silenced for longer", silenced(Silenced(ACTIVE), SilenceChanged(later, ACTIVE))
    yield "silence unknown", silenced(Silenced(ACTIVE), SilenceChanged(unknown, ACTIVE))
    yield "silence expiring", silenced(Silenced(ACTIVE), SilenceExpiring(ACTIVE))
    yield "silence over", silenced(Silenced(ACTIVE), SilenceEnded(at_its_time, early=False))
    yield "silence ended", silenced(Silenced(ACTIVE), SilenceEnded(by_person, early=True))
    yield "silence lost", silenced(Silenced(ACTIVE), SilenceEnded(elsewhere, early=True))
    yield "silence waiting", silenced(SilenceDelayed(WAITING))
    yield "silence too late", silenced(SilenceDelayed(WAITING), SilenceNotMade(late))


def hostile(text: str) -> Silence:
    """A silence made elsewhere, by somebody who means no good."""
    link = "javascript:alert(1)"
    return replace(ACTIVE, by=text, comment=text, link=link, reference=text, here=False)
