"""What is learnt about an incident besides its alerts: context, and changes while it is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from app.core.context import Finding, Moment
from app.core.episodes import recorded
from app.core.events import ChangeLanded, ContextFound
from app.core.facts import Change, Missing, Served
from app.core.incidents import OURSELVES, Decision, Entry, EntryKind, Incident


def learn(incident: Incident, event: ContextFound | ChangeLanded, *, now: datetime) -> Decision:
    """The incident with what was found added to what is known of it."""
    match event:
        case ContextFound(finding, late):
            return _context_found(incident, finding, now, late=late)
        case ChangeLanded(change):
            return _change_landed(incident, change, now)
        case _:
            assert_never(event)


def _context_found(incident: Incident, finding: Finding, now: datetime, *, late: bool) -> Decision:
    """Facts of the opening are frozen once they are known; a Missing may still be filled, and
    what was so at the opening may be learnt late."""
    opening = finding.moment is Moment.OPENING
    known = incident.context.opening.get(finding.source)
    if opening and known is not None:
        frozen = not isinstance(known.facts, Missing) and not late
        if frozen or known.facts == finding.facts:
            return Decision(incident)
    # It is no new revision: what a person decided on has not changed.
    after = replace(incident, updated_at=max(now, incident.updated_at))
    if opening and isinstance(finding.facts, Served):
        served = finding.facts
        after = replace(after, model=served.name, model_version=served.current.version)
    return Decision(after, findings=(finding,), changed=True)


def _change_landed(incident: Incident, change: Change, now: datetime) -> Decision:
    data: dict[str, object] = {"change": change.id, "source": change.source, "title": change.title}
    if change.vague:
        data |= {"not_before": change.earliest.isoformat(), "at": change.at.isoformat()}
    entry = Entry(EntryKind.CHANGE, now, OURSELVES, data)
    return recorded(incident, incident, [], [entry], now=now)
