"""What people do to an incident: acknowledge, take that back, assign, resolve, mute.

Notes are in `notes.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from app.core.episodes import recorded
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
from app.core.incidents import Decision, Entry, EntryKind, Incident, Status
from app.core.notes import write
from app.core.person import Person
from app.core.replies import MENTION
from app.core.revisions import check_revision
from app.core.transitions import Ending
from app.errors import NotApplicable, Obstacle


def act(incident: Incident, event: PersonEvent, *, now: datetime) -> Decision:
    """Apply a person's action, if it was decided on the incident's present revision.

    Raises NotApplicable where the action does not fit, which says more than that the
    revision is another one; else RevisionConflict where it is. Doing again what one did
    already is no error.
    """
    decision = _decide(incident, event, now)
    if decision.changed:
        check_revision(incident, event.revision)
    return decision


def _decide(incident: Incident, event: PersonEvent, now: datetime) -> Decision:
    match event:
        case Acknowledged():
            return _acknowledge(incident, event, now)
        case Unacknowledged():
            return _unacknowledge(incident, event, now)
        case Assigned():
            return _assign(incident, event, now)
        case ResolvedByPerson():
            return _resolve(incident, event, now)
        case NoteAdded() | NoteEdited() | NoteRemoved():
            return write(incident, event, now=now)
        case RepliesMuted():
            return _mute(incident, event, now)
        case RepliesUnmuted():
            return _unmute(incident, event, now)
        case _:
            assert_never(event)


def _acknowledge(incident: Incident, event: Acknowledged, now: datetime) -> Decision:
    """Take it on, and make it one's own if it is nobody's. Somebody else having it is an error."""
    match incident.status:
        case Status.RESOLVED:
            raise _already_resolved(incident)
        case Status.ACKNOWLEDGED if event.by.is_same(incident.acknowledger):
            return Decision(incident)
        case Status.ACKNOWLEDGED:
            raise _already_acknowledged(incident)
        case Status.TRIGGERED:
            after = replace(
                incident,
                status=Status.ACKNOWLEDGED,
                acknowledged_at=now,
                acknowledged_by=event.by.name,
                acknowledged_ref=event.by.ref,
            )
            if incident.assignee is not None:
                return _done(incident, after, Entry.of(EntryKind.ACKNOWLEDGED, event.by, now))
            told = Entry.of(EntryKind.ACKNOWLEDGED, event.by, now, {"assigned": True})
            return _done(incident, _owned(after, event.by, now), told)


def _unacknowledge(incident: Incident, event: Unacknowledged, now: datetime) -> Decision:
    """Hand it back, so that it waits for somebody again."""
    match incident.status:
        case Status.RESOLVED:
            raise _already_resolved(incident)
        case Status.TRIGGERED:
            return Decision(incident)
        case Status.ACKNOWLEDGED:
            after = replace(
                incident,
                status=Status.TRIGGERED,
                acknowledged_at=None,
                acknowledged_by=None,
                acknowledged_ref=None,
            )
            if _is_the_owners(incident, event.by):
                after = _owned(after, None, now)
            return _done(incident, after, Entry.of(EntryKind.UNACKNOWLEDGED, event.by, now))


def _assign(incident: Incident, event: Assigned, now: datetime) -> Decision:
    """Say whose it is. Whether somebody has acknowledged it stays as it was."""
    if incident.status is Status.RESOLVED:
        raise _already_resolved(incident)
    if event.to == incident.assignee:
        return Decision(incident)
    told = Entry.of(EntryKind.ASSIGNED, event.by, now, _assignment(event))
    return _done(incident, _owned(incident, event.to, now), told)


def _assignment(event: Assigned) -> dict[str, object]:
    """Who gets it, and whom to mention for that in Slack: nobody who takes it themselves."""
    to = event.to
    if to is None:
        return {"to": None}
    mention = {} if to.is_same(event.by) or not to.slack else {MENTION: to.slack}
    return {"to": to.name, **mention}


def _is_the_owners(incident: Incident, by: Person) -> bool:
    """Whether who acknowledged it also owns it, as far as records, or who asks now, tell."""
    owner, acknowledger = incident.assignee, incident.acknowledger
    if owner is None:
        return False
    both = by.is_same(owner) and by.is_same(acknowledger)
    return both or owner.is_same(acknowledger)


def _owned(incident: Incident, owner: Person | None, now: datetime) -> Incident:
    return replace(
        incident,
        assigned_at=now if owner else None,
        assigned_to=owner.name if owner else None,
        assigned_ref=owner.ref if owner else None,
    )


def _resolve(incident: Incident, event: ResolvedByPerson, now: datetime) -> Decision:
    """End it. The alerts that still fire are ended too, for this occurrence of each."""
    if incident.status is Status.RESOLVED:
        if event.by.is_same(incident.resolver):
            return Decision(incident)
        raise _already_resolved(incident)
    if incident.firing and not event.force:
        raise _still_firing(incident)
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
        resolved_by=event.by.name,
        resolved_ref=event.by.ref,
        ending=Ending.BY_PERSON,
    )
    told = Entry.of(EntryKind.RESOLVED, event.by, now, {"forced": bool(states)})
    return replace(_done(incident, after, told), states=tuple(states))


def _mute(incident: Incident, event: RepliesMuted, now: datetime) -> Decision:
    """Possible in every state: what keeps coming back is what one mutes. A reopening leaves it."""
    if incident.replies_muted_at is not None:
        return Decision(incident)
    after = replace(incident, replies_muted_at=now, replies_muted_by=event.by.name)
    return _done(incident, after, Entry.of(EntryKind.REPLIES_MUTED, event.by, now))


def _unmute(incident: Incident, event: RepliesUnmuted, now: datetime) -> Decision:
    if incident.replies_muted_at is None:
        return Decision(incident)
    after = replace(incident, replies_muted_at=None, replies_muted_by=None)
    return _done(incident, after, Entry.of(EntryKind.REPLIES_UNMUTED, event.by, now))


def _done(before: Incident, after: Incident, told: Entry) -> Decision:
    return recorded(before, after, [], [told], now=told.at)


def _already_acknowledged(incident: Incident) -> NotApplicable:
    by, at = incident.acknowledged_by, incident.acknowledged_at
    what = f"Incident {incident.id} is already acknowledged by {by} at {_clock(at)}."
    return NotApplicable(what, Obstacle.ALREADY_ACKNOWLEDGED, by=by, at=at)


def _already_resolved(incident: Incident) -> NotApplicable:
    by, at = incident.resolved_by, incident.resolved_at
    who = f" by {by}" if by else ""
    what = f"Incident {incident.id} is already resolved{who} at {_clock(at)}."
    return NotApplicable(what, Obstacle.ALREADY_RESOLVED, by=by, at=at)


def _still_firing(incident: Incident) -> NotApplicable:
    what = (
        f"Incident {incident.id} still has {incident.firing} firing alert(s): silence "
        'them in Alertmanager, or resolve anyway with "force": true.'
    )
    return NotApplicable(what, Obstacle.STILL_FIRING, firing=incident.firing)


def _clock(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "an unknown time"
