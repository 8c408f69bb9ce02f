"""The incident log, read: pages of it, and what is asked about several incidents at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app.core.history import Past
from app.core.incidents import Entry, Incident, Note, Status
from app.core.notes import NOTES, notes_of
from app.core.transitions import AlertState, Ending
from app.store.database import Transaction
from app.store.incidents import entry_from_row, incident_from_row, state_from_row
from app.store.pages import Page, page
from app.store.search import SORTS, Search
from app.store.tables import AlertRow, IncidentRow, TimelineRow, table

_incidents = table(IncidentRow)
_alerts = table(AlertRow)
_timeline = table(TimelineRow)

__all__ = ["SORTS", "Page", "Search", "find", "page"]


def find(tx: Transaction, search: Search) -> list[Incident]:
    """One page of incidents, without their alerts."""
    return list(page(tx, search).incidents)


def count_open(tx: Transaction) -> int:
    """How many incidents are open."""
    query = sa.select(sa.func.count()).where(_incidents.c.status != Status.RESOLVED.value)
    return tx.scalar(query) or 0


def first_alerts(
    tx: Transaction, numbers: Sequence[int], *, limit: int
) -> dict[int, list[AlertState]]:
    """At most `limit` alerts of each of these incidents, firing before resolved."""
    order = [_alerts.c.status, _alerts.c.starts_at.desc(), _alerts.c.fingerprint]
    place = sa.func.row_number().over(partition_by=_alerts.c.incident_id, order_by=order)
    ranked = (
        sa.select(_alerts, place.label("place"))
        .where(_alerts.c.incident_id.in_(numbers))
        .subquery()
    )
    query = sa.select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.place)
    found: dict[int, list[AlertState]] = {number: [] for number in numbers}
    for row in tx.execute(query):
        found[row.incident_id].append(state_from_row(row))
    return found


def past(
    tx: Transaction, incident: Incident, names: Sequence[str], *, since: datetime, limit: int = 200
) -> list[Past]:
    """Earlier incidents with this key or one of these alerts, opened since then, newest first."""
    holding = sa.select(_alerts.c.incident_id).where(_alerts.c.fingerprint.in_(names))
    same = (_incidents.c.key == incident.key) | _incidents.c.id.in_(holding)
    query = (
        sa.select(_incidents)
        .where(same, _incidents.c.id < incident.id, _incidents.c.opened_at >= since)
        .order_by(_incidents.c.id.desc())
        .limit(limit)
    )
    found = [incident_from_row(row) for row in tx.execute(query)]
    notes = _newest_notes(tx, [each.id for each in found])
    return [_past(each, notes.get(each.id)) for each in found]


def _newest_notes(tx: Transaction, numbers: Sequence[int]) -> dict[int, Note]:
    """For each of these incidents, the last of its notes that was not removed."""
    query = (
        sa.select(_timeline)
        .where(_timeline.c.incident_id.in_(numbers), _timeline.c.kind.in_(sorted(NOTES)))
        .order_by(_timeline.c.number)
    )
    entries: dict[int, list[Entry]] = {}
    for row in tx.execute(query):
        entries.setdefault(row.incident_id, []).append(entry_from_row(row))
    kept = {
        number: [note for note in notes_of(own).values() if note.removed_at is None]
        for number, own in entries.items()
    }
    return {number: notes[-1] for number, notes in kept.items() if notes}


def _past(incident: Incident, note: Note | None) -> Past:
    ended_by_person = incident.ending is Ending.BY_PERSON
    return Past(
        id=incident.id,
        opened_at=incident.opened_at,
        resolved_at=None if incident.open else incident.resolved_at,
        acknowledged_at=incident.acknowledged_at,
        acted=incident.acknowledged_by is not None or ended_by_person,
        note=note.text if note else "",
        note_by=note.author if note else "",
    )
