"""What the console's forms ask for, and doing it only if nobody was faster.

A form says what its reader saw: the incident's revision and the last entry of its timeline. A
revision also grows while alerts come and go, which is no reason to refuse an acknowledgement in
a storm: refused is what was decided before another person did something that matters to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.durations import DurationError, parse_duration
from app.core.events import (
    Acknowledged,
    Assigned,
    NoteAdded,
    NoteEdited,
    NoteRemoved,
    PersonEvent,
    RepliesMuted,
    RepliesUnmuted,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.incidents import Entry, EntryKind, Incident
from app.core.matchers import Matcher, parse_matchers
from app.core.person import Person
from app.engine.actions import Deed, acting
from app.engine.policy import Policy
from app.errors import InvalidSilence, Obstacle, RevisionConflict
from app.notifiers.text import clean, cut, one_line
from app.store import incidents, postings
from app.store.database import Transaction
from app.web.context import Context
from app.web.deeds import (
    LONGEST_NOTE,
    LONGEST_REASON,
    EndSilence,
    Silence,
    carry_out,
    number,
)

#: What the form offers; any other length can be written.
LENGTHS = ("1h", "2h", "8h", "1d")
_LONGEST_NAME = 200
_LONGEST_MATCHERS = 10_000

_BY_PEOPLE = frozenset(
    {
        EntryKind.ACKNOWLEDGED,
        EntryKind.UNACKNOWLEDGED,
        EntryKind.ASSIGNED,
        EntryKind.RESOLVED,
        EntryKind.REPLIES_MUTED,
        EntryKind.REPLIES_UNMUTED,
    }
)
_ABOUT_NOTES = frozenset({EntryKind.NOTE_EDITED, EntryKind.NOTE_REMOVED})


@dataclass(frozen=True, slots=True)
class Posted:
    """Stop showing an incident at one place, or try again there."""

    posting: int
    again: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What was decided on: a revision, and the last entry of the timeline."""

    revision: int
    entry: int


Asked = PersonEvent | Silence | EndSilence | Posted


_PLAIN: Mapping[str, Callable[[Person], PersonEvent]] = {
    "acknowledge": Acknowledged,
    "unacknowledge": Unacknowledged,
    "mute": RepliesMuted,
    "unmute": RepliesUnmuted,
}


def read(form: Mapping[str, str], who: Person) -> Asked | None:
    """What a form asks for; None if nobody can tell. Raises MatcherError, InvalidSilence."""
    do = form.get("do", "")
    match do:
        case "assign" | "take":
            to = cut(one_line(form.get("to", "")), _LONGEST_NAME)
            return Assigned(who, who if do == "take" else Person.parse(to) if to else None)
        case "resolve":
            return ResolvedByPerson(who, force="anyway" in form)
        case "note" | "edit-note" | "remove-note":
            return _note(form, who)
        case "silence":
            return _silence(form, who)
        case "end-silence" if silence := number(form.get("silence", "")):
            return EndSilence(who.name, silence)
        case "stop-posting" | "retry-posting" if posting := number(form.get("posting", "")):
            return Posted(posting, again=do == "retry-posting")
        case _:
            return _PLAIN[do](who) if do in _PLAIN else None


def _note(form: Mapping[str, str], who: Person) -> PersonEvent | None:
    note, text = number(form.get("note", "")), clean(form.get("text", "")).strip()
    if form["do"] == "remove-note":
        return NoteRemoved(who, note)
    if not 0 < len(text) <= LONGEST_NOTE:
        return None
    return NoteAdded(who, text) if form["do"] == "note" else NoteEdited(who, note, text)


def _silence(form: Mapping[str, str], who: Person) -> Silence:
    return Silence(
        by=who.name,
        length=length(form),
        reason=cut(one_line(form.get("reason", "")), LONGEST_REASON),
        later="later" in form,
        matchers=matchers(form.get("matchers", "")),
    )


def length(form: Mapping[str, str]) -> timedelta:
    """How long a silence is to be. Raises InvalidSilence for what is no time."""
    text = form.get("other", "").strip() or form.get("length", "")
    try:
        return parse_duration(text)
    except (DurationError, OverflowError) as error:
        raise InvalidSilence(f"Write how long, such as 30m, 2h or 1d: {error}.") from None


def matchers(text: str) -> tuple[Matcher, ...]:
    """One or more to a line; none are those that are proposed. Raises MatcherError."""
    lines = text[:_LONGEST_MATCHERS].splitlines()
    return tuple(each for line in lines if line.strip() for each in parse_matchers(line.strip()))


async def do(service: Context, incident: int, asked: Asked, seen: Seen) -> None:
    """Raises NotFound, NotApplicable, InvalidSilence, NeighbourFailed."""
    match asked:
        case Silence() | EndSilence() | NoteAdded():
            await carry_out(service, incident, asked)
        case Posted():
            await service.actions.perform(_posted(incident, asked))
        case _:
            event = await service.actions.introduced(asked)
            await service.actions.perform(_decided(incident, event, seen))


def _posted(incident: int, asked: Posted) -> Deed[None]:
    def deed(tx: Transaction, _policy: Policy, now: datetime) -> None:
        if asked.again:
            postings.retry(tx, incident, asked.posting, now=now)
        else:
            postings.stop(tx, incident, asked.posting)

    return deed


def _decided(incident: int, event: PersonEvent, seen: Seen) -> Deed[Incident]:
    decided = replace(event, revision=seen.revision or None)

    def deed(tx: Transaction, policy: Policy, now: datetime) -> Incident:
        try:
            return acting(incident, decided)(tx, policy, now)
        except RevisionConflict as conflict:
            _check_nobody_was_faster(tx, incident, event, seen, conflict)
            return acting(incident, event)(tx, policy, now)

    return deed


def _check_nobody_was_faster(
    tx: Transaction, incident: int, event: PersonEvent, seen: Seen, conflict: RevisionConflict
) -> None:
    kinds = _ABOUT_NOTES if isinstance(event, NoteEdited | NoteRemoved) else _BY_PEOPLE
    faster = [
        entry
        for entry in incidents.timeline(tx, incident, after=seen.entry)
        if entry.kind in kinds and _same_note(entry, event)
    ]
    if faster:
        last = faster[-1]
        raise RevisionConflict(str(conflict), Obstacle.CHANGED_MEANWHILE, by=last.actor, at=last.at)
    # Whoever ends it although alerts fire was asked about those alerts, and no others.
    if isinstance(event, ResolvedByPerson) and event.force:
        raise conflict


def _same_note(entry: Entry, event: PersonEvent) -> bool:
    if isinstance(event, NoteEdited | NoteRemoved):
        return entry.data.get("note") == event.note
    return True
