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
        case ContextFound(finding):
            return _context_found(incident, finding, now)
        case ChangeLanded(change):
            return _change_landed(incident, change, now)
        case _:
            assert_never(event)


def _context_found(incident: Incident, finding: Finding, now: datetime) -> Decision:
    """Facts of the opening are frozen once they are known; a Missing may still be filled."""
    opening = finding.moment is Moment.OPENING
    known = incident.context.opening.get(finding.source)
    if opening and known is not None and not isinstance(known.facts, Missing):
        return Decision(incident)
    # It is no new revision: what a person decided on has not changed.
    after = replace(incident, updated_at=now)
    if opening and isinstance(finding.facts, Served):
        served = finding.facts
        after = replace(after, model=served.name, model_version=served.current.version)
    return Decision(after, findings=(finding,), changed=True)


def _change_landed(incident: Incident, change: Change, now: datetime) -> Decision:
    data = {"change": change.id, "source": change.source, "title": change.title}
    entry = Entry(EntryKind.CHANGE, now, OURSELVES, data)
    return recorded(incident, incident, [], [entry], now=now)
