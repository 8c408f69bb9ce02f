"""The incident log, searched: filters, order and pages of `GET /incidents`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.dialects import postgresql

from app.core.history import Past
from app.core.incidents import Entry, Incident, Note, Status
from app.core.notes import NOTES, notes_of
from app.core.transitions import AlertState, Ending
from app.store.database import Transaction
from app.store.incidents import entry_from_row, incident_from_row, state_from_row
from app.store.tables import AlertRow, IncidentRow, TimelineRow, table

_incidents = table(IncidentRow)
_alerts = table(AlertRow)
_timeline = table(TimelineRow)

SORTS = {
    "opened_at": (_incidents.c.opened_at, False),
    "-opened_at": (_incidents.c.opened_at, True),
    "updated_at": (_incidents.c.updated_at, False),
    "-updated_at": (_incidents.c.updated_at, True),
}


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. Values of one filter are alternatives; filters are combined.

    Times are in UTC. `after` is the sort value and number of the last row of the page before.
    """

    statuses: Sequence[str] = ()
    severities: Sequence[str] = ()
    receivers: Sequence[str] = ()
    models: Sequence[str] = ()
    model_versions: Sequence[str] = ()
    labels: Sequence[tuple[str, Sequence[str]]] = ()
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    text: str | None = None
    sort: str = "-opened_at"
    limit: int = 50
    after: tuple[datetime, int] | None = None


def find(tx: Transaction, search: Search) -> list[Incident]:
    """One page of incidents, without their alerts."""
    column, descending = SORTS[search.sort]
    query = sa.select(_incidents).where(*_conditions(search, tx.dialect.name))
    if search.after is not None:
        here = sa.tuple_(column, _incidents.c.id)
        there = sa.tuple_(
            sa.bindparam("value", search.after[0], type_=column.type),
            sa.bindparam("number", search.after[1]),
        )
        query = query.where(here < there if descending else here > there)
    order = [column.desc(), _incidents.c.id.desc()] if descending else [column, _incidents.c.id]
    rows = tx.execute(query.order_by(*order).limit(search.limit))
    return [incident_from_row(row) for row in rows]


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


def _conditions(search: Search, dialect: str) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if search.statuses:
        found.append(_incidents.c.status.in_(search.statuses))
    if search.severities:
        found.append(_incidents.c.severity.in_(search.severities))
    if search.models:
        found.append(_incidents.c.model.in_(search.models))
    if search.model_versions:
        found.append(_incidents.c.model_version.in_(search.model_versions))
    if search.receivers:
        found.append(sa.or_(*(_lists(_incidents.c.receivers, r) for r in search.receivers)))
    found += [_has_label(name, values, dialect) for name, values in search.labels]
    if search.opened_after is not None:
        found.append(_incidents.c.opened_at >= search.opened_after)
    if search.opened_before is not None:
        found.append(_incidents.c.opened_at < search.opened_before)
    if search.text:
        found.append(_mentions(search.text))
    return found


def _lists(column: Any, value: str) -> sa.ColumnElement[bool]:
    """Whether a stored JSON list of texts holds this one; JSON quotes each of them."""
    return sa.type_coerce(column, sa.Text).contains(to_json(value).decode(), autoescape=True)


def _has_label(name: str, values: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    """Whether any alert of the incident has the label with one of these values."""
    labels = sa.type_coerce(_alerts.c.labels, sa.Text)
    value: sa.ColumnElement[Any]
    if dialect == "postgresql":
        # JSONB knows no NUL either; the stored JSON keeps it as an escape.
        known = sa.func.replace(labels, "\\u0000", "\\ufffd")
        value = sa.cast(known, postgresql.JSONB)[name].astext
    else:
        value = sa.func.json_extract(labels, f'$."{name}"')
    return (
        sa.select(sa.literal(1))
        .where(_alerts.c.incident_id == _incidents.c.id, value.in_(values))
        .exists()
    )


def _mentions(text: str) -> sa.ColumnElement[bool]:
    places = [_incidents.c.title, *(sa.type_coerce(c, sa.Text) for c in _searched)]
    return sa.or_(*(place.icontains(text, autoescape=True) for place in places))


_searched = (_incidents.c.labels, _incidents.c.annotations)
