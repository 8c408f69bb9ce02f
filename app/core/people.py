"""What people do to an incident: acknowledge, take that back, resolve, write a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from app.core.events import (
    Acknowledged,
    NoteAdded,
    PersonEvent,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.incidents import Decision, Entry, EntryKind, Incident, Status
from app.core.transitions import Ending
from app.errors import NotApplicable, RevisionConflict


def act(incident: Incident, event: PersonEvent, *, now: datetime) -> Decision:
    """Apply a person's action, if it was decided on the incident's present revision.

    Raises RevisionConflict where it was not, NotApplicable where the action does not fit.
    """
    _check_revision(incident, event)
    match event:
        case Acknowledged():
            return _acknowledge(incident, event, now)
        case Unacknowledged():
            return _unacknowledge(incident, event, now)
        case ResolvedByPerson():
            return _resolve(incident, event, now)
        case NoteAdded():
            return _note(incident, event, now)
        case _:
            assert_never(event)


def _acknowledge(incident: Incident, event: Acknowledged, now: datetime) -> Decision:
    """Take it on. Doing so twice is no error; somebody else having done so is."""
    match incident.status:
        case Status.RESOLVED:
            raise NotApplicable(_already_resolved(incident))
        case Status.ACKNOWLEDGED if incident.acknowledged_by == event.by:
            return Decision(incident)
        case Status.ACKNOWLEDGED:
            when = _clock(incident.acknowledged_at)
            raise NotApplicable(
                f"Incident {incident.id} is already acknowledged by "
                f"{incident.acknowledged_by} at {when}."
            )
        case Status.TRIGGERED:
            after = replace(
                incident,
                status=Status.ACKNOWLEDGED,
                acknowledged_at=now,
                acknowledged_by=event.by,
            )
            return _seen(after, Entry(EntryKind.ACKNOWLEDGED, now, event.by))


def _unacknowledge(incident: Incident, event: Unacknowledged, now: datetime) -> Decision:
    """Hand it back, so that it waits for somebody again."""
    match incident.status:
        case Status.RESOLVED:
            raise NotApplicable(_already_resolved(incident))
        case Status.TRIGGERED:
            return Decision(incident)
        case Status.ACKNOWLEDGED:
            after = replace(
                incident, status=Status.TRIGGERED, acknowledged_at=None, acknowledged_by=None
            )
            return _seen(after, Entry(EntryKind.UNACKNOWLEDGED, now, event.by))


def _resolve(incident: Incident, event: ResolvedByPerson, now: datetime) -> Decision:
    """End it. The alerts that still fire are ended too, for this occurrence of each."""
    if incident.status is Status.RESOLVED:
        if incident.resolved_by == event.by:
            return Decision(incident)
        raise NotApplicable(_already_resolved(incident))
    if incident.firing and not event.force:
        raise NotApplicable(
            f"Incident {incident.id} still has {incident.firing} firing alert(s): silence "
            'them in Alertmanager, or resolve anyway with "force": true.'
        )
    states = [
        state.ended(Ending.BY_PERSON, at=now) for state in incident.alerts.values() if state.firing
    ]
    after = replace(
        incident,
        status=Status.RESOLVED,
        firing=incident.firing - len(states),
        resolved=incident.resolved + len(states),
        doubtful=0,
        hidden=0,
        resolved_at=now,
        resolved_by=event.by,
        ending=Ending.BY_PERSON,
    )
    entry = Entry(EntryKind.RESOLVED, now, event.by, {"forced": bool(states)})
    return replace(_seen(after, entry), states=tuple(states))


def _note(incident: Incident, event: NoteAdded, now: datetime) -> Decision:
    """Write something down; possible in every state."""
    entry = Entry(EntryKind.NOTE, now, event.by, {"text": event.text})
    return _seen(incident, entry)


def _seen(after: Incident, entry: Entry) -> Decision:
    grown = replace(after, revision=after.revision + 1, updated_at=entry.at)
    return Decision(grown, (entry,), changed=True)


def _check_revision(incident: Incident, event: PersonEvent) -> None:
    if event.revision is not None and event.revision != incident.revision:
        raise RevisionConflict(
            f"Incident {incident.id} is at revision {incident.revision}, not "
            f"{event.revision}: read it again and decide anew."
        )


def _already_resolved(incident: Incident) -> str:
    who = f" by {incident.resolved_by}" if incident.resolved_by else ""
    return f"Incident {incident.id} is already resolved{who} at {_clock(incident.resolved_at)}."


def _clock(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "an unknown time"
