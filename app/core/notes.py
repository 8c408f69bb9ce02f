"""Notes: written, edited and removed. The timeline only ever grows; what people read folds it.

Every entry about a note holds its number as `note`. One that comes from where the note was
first written holds that thread's root as `thread`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from app.core.episodes import recorded
from app.core.events import NoteAdded, NoteEdited, NoteEvent, NoteRemoved, NoteSource
from app.core.incidents import Decision, Entry, EntryKind, Incident, Note
from app.errors import NotApplicable, NotFound, Obstacle

NOTES = frozenset({EntryKind.NOTE, EntryKind.NOTE_EDITED, EntryKind.NOTE_REMOVED})


def write(incident: Incident, event: NoteEvent, *, now: datetime) -> Decision:
    """Possible in every state. The incident's notes are loaded.

    Raises NotFound where there is no such note, NotApplicable where the one to edit was removed.
    """
    match event:
        case NoteAdded():
            return _add(incident, event, now)
        case NoteEdited():
            return _edit(incident, event, now)
        case NoteRemoved():
            return _remove(incident, event, now)
        case _:
            assert_never(event)


def _add(incident: Incident, event: NoteAdded, now: datetime) -> Decision:
    known = by_source(incident, event.source.key) if event.source else None
    if known and known.removed_at is None:
        return Decision(incident)
    number = known.number if known else len(incident.notes) + 1
    data = {"note": number, "text": event.text, **_origin(event.source)}
    return _done(incident, Entry.of(EntryKind.NOTE, event.by, now, data))


def _edit(incident: Incident, event: NoteEdited, now: datetime) -> Decision:
    note = _found(incident, event.note)
    if note.removed_at is not None:
        raise NotApplicable(
            f"Note {note.number} was removed by {note.removed_by}: write a new one.",
            Obstacle.NOTE_REMOVED,
            by=note.removed_by,
            at=note.removed_at,
        )
    if note.text == event.text:
        return Decision(incident)
    data = {**_named(note, event.note), "text": event.text}
    return _done(incident, Entry.of(EntryKind.NOTE_EDITED, event.by, now, data))


def _remove(incident: Incident, event: NoteRemoved, now: datetime) -> Decision:
    note = _found(incident, event.note)
    if note.removed_at is not None:
        return Decision(incident)
    data = _named(note, event.note)
    return _done(incident, Entry.of(EntryKind.NOTE_REMOVED, event.by, now, data))


def _done(incident: Incident, told: Entry) -> Decision:
    return recorded(incident, incident, [], [told], now=told.at)


def _origin(source: NoteSource | None) -> dict[str, object]:
    if source is None:
        return {}
    given = {"source": source.key, "link": source.link, "thread": source.thread}
    known = {name: value for name, value in given.items() if value}
    return {"author": source.author, "written_at": source.at.isoformat(), **known}


def _named(note: Note, given: int | str) -> dict[str, object]:
    """Which note it is; with the thread, where it is told of from there."""
    data: dict[str, object] = {
        "note": note.number,
        "author": note.author,
        "written_at": note.at.isoformat(),
    }
    return data | {"thread": note.thread} if isinstance(given, str) and note.thread else data


def by_source(incident: Incident, key: str) -> Note | None:
    """The note that was first written there, if there is one."""
    return next((note for note in incident.notes.values() if note.source == key), None)


def _found(incident: Incident, given: int | str) -> Note:
    if isinstance(given, str):
        note, what = by_source(incident, given), "note from there"
    else:
        note, what = incident.notes.get(given), f"note {given}"
    if note is None:
        raise NotFound(f"Incident {incident.id} has no {what}.")
    return note


# What entries come to


def notes_of(entries: Iterable[Entry]) -> dict[int, Note]:
    """Every note of a whole timeline by its number, those that were removed among them."""
    notes: dict[int, Note] = {}
    for entry in entries:
        number = entry.data.get("note")
        if entry.kind not in NOTES or not isinstance(number, int):
            continue
        if entry.kind is EntryKind.NOTE:
            notes[number] = _note(number, entry)
        elif number in notes:
            notes[number] = _changed(notes[number], entry)
    return notes


def _note(number: int, entry: Entry) -> Note:
    return Note(
        number,
        author_of(entry),
        written_at(entry),
        entry.text("text"),
        source=entry.text("source"),
        link=entry.text("link"),
        thread=entry.text("thread"),
    )


def _changed(note: Note, entry: Entry) -> Note:
    if entry.kind is EntryKind.NOTE_EDITED:
        return replace(note, text=entry.text("text"), edited_at=entry.at)
    return replace(note, removed_at=entry.at, removed_by=entry.actor)


def author_of(entry: Entry) -> str:
    """Who wrote the note that an entry is about, who may not be who marked it as one."""
    return entry.text("author") or entry.actor


def written_at(entry: Entry) -> datetime:
    """When the note that an entry is about was written, in UTC."""
    told = entry.text("written_at")
    return datetime.fromisoformat(told) if told else entry.at


def folded(entries: Sequence[Entry]) -> list[Entry]:
    """A whole timeline as people read it: each note once, where it was last added, with its
    last text and `edited`; of one that was removed, only that it was."""
    shown: dict[int, Entry] = {}
    for own in _by_note(entries):
        last = entries[own[-1]]
        start = _start(entries, own)
        if last.kind is EntryKind.NOTE_REMOVED or start is None:
            shown[own[-1]] = last
        else:
            shown[start] = _with_last_text(entries[start], last)
    return _only(entries, shown)


def news(entries: Sequence[Entry], root: str | None = None) -> list[Entry]:
    """A part of a timeline that is still to be told, in short: a note in its last form, where
    it got that; nothing of one that came and went meanwhile.

    What was written in the thread below `root` is read there already.
    """
    shown: dict[int, Entry] = {}
    for every in _by_note(entries):
        own = _unread(entries, every, root)
        if not own:
            continue
        last = entries[own[-1]]
        start = _start(entries, own)
        if last.kind is not EntryKind.NOTE_REMOVED and start is not None:
            # It bears the last number, so that all of it counts as told.
            told = _with_last_text(entries[start], last)
            shown[own[-1]] = replace(told, number=last.number)
        elif entries[own[0]].kind is not EntryKind.NOTE:
            shown[own[-1]] = last
    return _only(entries, shown)


def _by_note(entries: Sequence[Entry]) -> Iterable[list[int]]:
    """The places of the entries about each note."""
    places: dict[object, list[int]] = {}
    for place, entry in enumerate(entries):
        if entry.kind in NOTES:
            places.setdefault(entry.data.get("note"), []).append(place)
    return places.values()


def _unread(entries: Sequence[Entry], own: list[int], root: str | None) -> list[int]:
    """What came after the last word that was said below this root."""
    if root is None:
        return own
    read = [n for n, place in enumerate(own, 1) if entries[place].data.get("thread") == root]
    return own[read[-1] :] if read else own


def _start(entries: Sequence[Entry], own: Sequence[int]) -> int | None:
    added = [place for place in own if entries[place].kind is EntryKind.NOTE]
    return added[-1] if added else None


def _with_last_text(note: Entry, last: Entry) -> Entry:
    if last.kind is EntryKind.NOTE:
        return note
    return replace(note, data={**note.data, "text": last.data.get("text"), "edited": True})


def _only(entries: Sequence[Entry], shown: dict[int, Entry]) -> list[Entry]:
    return [
        shown.get(place, entry)
        for place, entry in enumerate(entries)
        if entry.kind not in NOTES or place in shown
    ]
