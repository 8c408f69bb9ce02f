"""What a form on a page asks for, beyond what `core` knows, and having it done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from app.core.events import NoteAdded, PersonEvent
from app.core.incidents import Entry, EntryKind
from app.core.matchers import Matcher
from app.engine.silences import Wish
from app.errors import RevisionConflict
from app.store import incidents
from app.store.database import Transaction
from app.web.context import Context

LONGEST_NOTE = 10_000
LONGEST_REASON = 500

_TRIES = 5
_MOST_NUMBER = 2**63 - 1  # that a database knows
_MOST_DIGITS = len(str(_MOST_NUMBER))


@dataclass(frozen=True, slots=True)
class Silence:
    """Silence what fires, or what `matchers` name; with `later`, as soon as Alertmanager
    answers, if it does not now."""

    by: str
    length: timedelta
    reason: str
    later: bool
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class EndSilence:
    by: str
    number: int


Deed: TypeAlias = PersonEvent | Silence | EndSilence


async def carry_out(service: Context, incident: int, deed: Deed) -> None:
    """Raises NotFound, NotApplicable, InvalidSilence, NeighbourFailed."""
    match deed:
        case NoteAdded():
            await _note(service, incident, deed)
        case Silence():
            wish = Wish(
                by=deed.by,
                ends_at=service.clock.now() + deed.length,
                comment=deed.reason,
                matchers=deed.matchers,
                retry=deed.later,
            )
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


def number(text: str) -> int:
    """A number from a form; 0 for what is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        return 0
    found = int(text)
    return found if found <= _MOST_NUMBER else 0
