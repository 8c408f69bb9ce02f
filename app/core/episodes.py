"""When an episode begins again and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.core.copying import replace
from app.core.incidents import ALERTMANAGER, OURSELVES, Decision, Entry, EntryKind, Incident, Status
from app.core.transitions import Ending, Transition

_NAMED_IN_ENTRY = 10

#: What the whole incident's entry says already, so that it is not said twice.
_COVERED = {
    EntryKind.REOPENED: {EntryKind.ALERTS_FIRING},
    EntryKind.RESOLVED: {EntryKind.ALERTS_RESOLVED},
    EntryKind.NO_LONGER_REPORTED: {EntryKind.ALERTS_RESOLVED, EntryKind.ALERTS_VANISHED},
}


def named(steps: Sequence[Transition]) -> dict[str, object]:
    """How many alerts, and the fingerprints of the first few, for a timeline entry."""
    names = [step.state.alert.fingerprint for step in steps[:_NAMED_IN_ENTRY]]
    return {"count": len(steps), "fingerprints": names}


def conclude(
    before: Incident,
    after: Incident,
    steps: Sequence[Transition],
    entries: Sequence[Entry],
    *,
    now: datetime,
    vanished: bool = False,
) -> Decision:
    """Reopen or close `after` as its alerts demand, and count the revision if it shows.

    `vanished` says that an ending, if this is one, cannot be called resolved.
    """
    settled, turn = _turn(before, after, steps, now, vanished=vanished)
    covered = _COVERED.get(turn.kind, set()) if turn else set()
    told = [entry for entry in entries if entry.kind not in covered]
    if turn:
        told.append(turn)
    return recorded(before, settled, steps, told, now=now)


def recorded(
    before: Incident,
    after: Incident,
    steps: Sequence[Transition],
    entries: Sequence[Entry],
    *,
    now: datetime,
) -> Decision:
    """The decision, with the next revision if people can see a difference."""
    states = tuple(step.state for step in steps)
    seen = (
        bool(entries)
        or _looks(before) != _looks(after)
        or any(s.tells_more_than(before.alerts.get(s.alert.fingerprint)) for s in states)
    )
    if seen:
        changed_at = max(now, before.updated_at)
        after = replace(after, revision=before.revision + 1, updated_at=changed_at)
    return Decision(after, tuple(entries), states, changed=seen)


def _looks(incident: Incident) -> tuple[object, ...]:
    return (incident.title, incident.severity, incident.annotations, incident.hidden)


def _turn(
    before: Incident,
    after: Incident,
    steps: Sequence[Transition],
    now: datetime,
    *,
    vanished: bool,
) -> tuple[Incident, Entry | None]:
    surely_firing = after.firing > after.doubtful
    if surely_firing and (not before.open or before.reopening_doubted):
        return _reopened(after, steps, now)
    if after.firing and not before.open:
        return replace(after, status=Status.TRIGGERED), None
    if before.open and not after.firing:
        return _closed(before, after, steps, now, vanished=vanished)
    return after, None


def _reopened(
    after: Incident, steps: Sequence[Transition], now: datetime
) -> tuple[Incident, Entry]:
    firing = [step for step in steps if step.state.firing]
    opened = replace(
        after,
        status=Status.TRIGGERED,
        reopened=after.reopened + 1,
        acknowledged_at=None,
        acknowledged_by=None,
        acknowledged_ref=None,
        assigned_at=None,
        assigned_to=None,
        assigned_ref=None,
        resolved_at=None,
        resolved_by=None,
        resolved_ref=None,
        ending=None,
    )
    return opened, Entry(EntryKind.REOPENED, now, ALERTMANAGER, named(firing))


def _closed(
    before: Incident,
    after: Incident,
    steps: Sequence[Transition],
    now: datetime,
    *,
    vanished: bool,
) -> tuple[Incident, Entry | None]:
    if after.hidden:
        # Absence is not resolution: the alerts that were cut off may still be firing.
        entry = Entry(EntryKind.TRUNCATED, now, ALERTMANAGER, {"hidden": after.hidden})
        return after, entry if before.firing else None
    if before.reopening_doubted:
        return replace(after, status=Status.RESOLVED), Entry(EntryKind.DISMISSED, now, OURSELVES)
    vanished = vanished or any(step.state.ending is Ending.NO_LONGER_REPORTED for step in steps)
    ending = Ending.NO_LONGER_REPORTED if vanished else Ending.RESOLVED
    kind = EntryKind.NO_LONGER_REPORTED if vanished else EntryKind.RESOLVED
    closed = replace(after, status=Status.RESOLVED, resolved_at=now, ending=ending)
    return closed, Entry(kind, now, ALERTMANAGER, named(steps))
