"""What the forms behind a mail's link ask for, and having it done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from app.core.events import (
    Acknowledged,
    NoteAdded,
    PersonEvent,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.incidents import Entry, EntryKind
from app.core.person import Person
from app.core.signed_links import Right
from app.engine.silences import Wish
from app.errors import RevisionConflict
from app.notifiers.text import clean, cut, one_line
from app.store import incidents
from app.store.database import Transaction
from app.web.act_page import LENGTHS, LONGEST_NOTE, called
from app.web.context import Context

_LONGEST_REASON = 500
_TRIES = 5
_MOST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Silence:
    """Silence what fires; with `later`, as soon as Alertmanager answers, if it does not now."""

    by: str
    length: timedelta
    reason: str
    later: bool


@dataclass(frozen=True, slots=True)
class EndSilence:
    by: str
    number: int


Deed: TypeAlias = PersonEvent | Silence | EndSilence


def read(form: Mapping[str, str], right: Right, name: str) -> Deed | None:
    """What a form asks for; None if nobody can tell."""
    who = person(right, name)
    match form.get("do"):
        case "acknowledge":
            return Acknowledged(who)
        case "unacknowledge":
            return Unacknowledged(who)
        case "resolve":
            return _resolve(form, who)
        case "note":
            text = clean(form.get("text", "")).strip()
            return NoteAdded(who, text) if 0 < len(text) <= LONGEST_NOTE else None
        case "silence" if form.get("length") in LENGTHS:
            reason = cut(one_line(form.get("reason", "")), _LONGEST_REASON)
            return Silence(who.name, LENGTHS[form["length"]], reason, "later" in form)
        case "end-silence":
            number = _number(form.get("silence", ""))
            return EndSilence(who.name, number) if number else None
        case _:
            return None


def person(right: Right, name: str) -> Person:
    """Who acts: the recipient. Who says their name may be anybody who reads that mailbox, so
    that two of them are two people, of whom no more is known than that."""
    shown = called(name, right.recipient)
    return Person(shown) if name else Person(shown, f"email:{right.recipient.lower()}")


async def carry_out(service: Context, incident: int, deed: Deed) -> None:
    """Raises NotFound, NotApplicable, InvalidSilence, NeighbourFailed."""
    match deed:
        case NoteAdded():
            await _note(service, incident, deed)
        case Silence():
            ends_at = service.clock.now() + deed.length
            wish = Wish(by=deed.by, ends_at=ends_at, comment=deed.reason, retry=deed.later)
            await service.silencing.make(incident, wish)
        case EndSilence():
            await service.silencing.end(incident, deed.number, deed.by)
        case _:
            await service.actions.act(incident, deed)


async def _note(service: Context, incident: int, note: NoteAdded) -> None:
    """Store it once, though the button was pressed twice."""
    for _ in range(_TRIES):
        revision, last = await service.db.read(_last_note, incident)
        if last and (last.actor, last.data.get("text")) == (note.by.name, note.text):
            return
        try:
            await service.actions.act(incident, NoteAdded(note.by, note.text, revision=revision))
        except RevisionConflict:
            continue
        return
    await service.actions.act(incident, note)


def _last_note(tx: Transaction, number: int) -> tuple[int, Entry | None]:
    incident = incidents.get(tx, number)
    notes = [e for e in incidents.timeline(tx, number) if e.kind is EntryKind.NOTE]
    return incident.revision, notes[-1] if notes else None


def _resolve(form: Mapping[str, str], who: Person) -> Deed | None:
    """Although alerts fire only as it was when that was asked."""
    if "anyway" not in form:
        return ResolvedByPerson(who)
    revision = _number(form.get("revision", ""))
    return ResolvedByPerson(who, force=True, revision=revision) if revision else None


def _number(text: str) -> int:
    """0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and int(text[:20]) <= _MOST_NUMBER else 0
