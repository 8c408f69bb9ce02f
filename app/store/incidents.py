"""Incidents, their alerts and their timeline: rows to core objects and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.core.alerts import Alert, AlertStatus, severity_rank
from app.core.copying import replace
from app.core.incidents import Entry, EntryKind, Incident, Status
from app.core.notes import NOTES, notes_of
from app.core.transitions import AlertState, Ending
from app.errors import NotFound
from app.store import bulk, feed
from app.store.columns import UtcTime
from app.store.database import Transaction
from app.store.tables import AlertRow, IncidentRow, TimelineRow, table

_incidents = table(IncidentRow)
_alerts = table(AlertRow)
_timeline = table(TimelineRow)

_NOT_COLUMNS = {"id", "alerts", "context", "notes"}
_COLUMNS = [field.name for field in fields(Incident) if field.name not in _NOT_COLUMNS]
_get_columns = attrgetter(*_COLUMNS)
_DERIVED = (*_COLUMNS, "component")
_get_derived = attrgetter(*_DERIVED)
_STORED = (*_DERIVED, "urgency", "change")
_MANY = 500  # SQLite takes a limited number of values in one statement


@dataclass(frozen=True, slots=True)
class Saved:
    """One incident to store, with what is new about it.

    `ask_at` is when the sources of context are to be asked about it (UTC), or earlier if that
    is planned; None: as planned.
    """

    incident: Incident
    states: Sequence[AlertState]
    entries: Sequence[Entry]
    ask_at: datetime | None = None


def get(tx: Transaction, number: int, *, for_update: bool = False) -> Incident:
    """One incident without its alerts; raises NotFound."""
    query = sa.select(_incidents).where(_incidents.c.id == number)
    row = tx.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no incident {number}.")
    return incident_from_row(row)


def get_many(tx: Transaction, numbers: Iterable[int]) -> dict[int, Incident]:
    """These incidents without their alerts, locked for writing, by number."""
    found: dict[int, Incident] = {}
    for some in _chunks(sorted(numbers)):
        query = sa.select(_incidents).where(_incidents.c.id.in_(some)).with_for_update()
        found |= {row.id: incident_from_row(row) for row in tx.execute(query)}
    return found


def with_firing_alerts(tx: Transaction, incident: Incident) -> Incident:
    """The incident with all of its firing alerts loaded."""
    query = sa.select(_alerts).where(_alerts.c.incident_id == incident.id)
    query = query.where(_alerts.c.status == AlertStatus.FIRING.value)
    states = [state_from_row(row) for row in tx.execute(query)]
    return replace(incident, alerts={s.alert.fingerprint: s for s in states})


def latest_holders(
    tx: Transaction, fingerprints: Iterable[str]
) -> dict[str, tuple[int, AlertState]]:
    """For each alert, the newest incident that holds it, and the alert as known there."""
    held: dict[str, tuple[int, AlertState]] = {}
    for some in _chunks(sorted(fingerprints)):
        newest = (
            sa.select(_alerts.c.fingerprint, sa.func.max(_alerts.c.incident_id).label("id"))
            .where(_alerts.c.fingerprint.in_(some))
            .group_by(_alerts.c.fingerprint)
            .subquery()
        )
        query = sa.select(_alerts).join(
            newest,
            (_alerts.c.fingerprint == newest.c.fingerprint)
            & (_alerts.c.incident_id == newest.c.id),
        )
        held |= {
            row.fingerprint: (row.incident_id, state_from_row(row)) for row in tx.execute(query)
        }
    return held


def latest_by_key(tx: Transaction, keys: Iterable[str]) -> dict[str, int]:
    """For each correlation key, the number of the newest incident that has it."""
    found: dict[str, int] = {}
    for some in _chunks(sorted(keys)):
        query = (
            sa.select(_incidents.c.key, sa.func.max(_incidents.c.id).label("id"))
            .where(_incidents.c.key.in_(some))
            .group_by(_incidents.c.key)
        )
        found |= {row.key: row.id for row in tx.execute(query)}
    return found


def save(tx: Transaction, changes: Sequence[Saved]) -> list[Incident]:
    """Store incidents, new ones (without a number above 0) and known ones, in order.

    Returns them with their numbers, in the order given.
    """
    numbered = _numbered(tx, [change.incident for change in changes])
    pairs = list(zip(numbered, changes, strict=True))
    news = feed.numbers(tx, len(pairs))
    rows = [
        {"number": i.id, "ask_at": c.ask_at, "change": new, **_values(i)}
        for new, (i, c) in zip(news, pairs, strict=True)
    ]
    new = [row for row, c in zip(rows, changes, strict=True) if c.incident.id <= 0]
    known = [row for row, c in zip(rows, changes, strict=True) if c.incident.id > 0]
    alerts = [_alert_values(i.id, s) for i, change in pairs for s in change.states]
    entries = [_entry_values(i.id, e) for i, change in pairs for e in change.entries]
    bulk.execute(tx, _INSERT, new)
    bulk.execute(tx, _UPDATE, known)
    bulk.execute(tx, _UPSERT_ALERTS[tx.dialect.name], alerts)
    bulk.execute(tx, _INSERT_ENTRIES, entries)
    return numbered


_NUMBER = sa.bindparam("number", type_=_incidents.c.id.type)
_DUE, _ASK_AT = _incidents.c.context_due_at, sa.bindparam("ask_at", type_=UtcTime)

_INSERT = sa.insert(_incidents).values(id=_NUMBER, context_due_at=_ASK_AT)
_UPDATE = (
    sa.update(_incidents)
    .where(_incidents.c.id == _NUMBER)
    .values({name: sa.bindparam(name) for name in _STORED})
    .values(context_due_at=sa.case((_DUE <= _ASK_AT, _DUE), else_=sa.func.coalesce(_ASK_AT, _DUE)))
)
_INSERT_ENTRIES = sa.insert(_timeline)


def _numbered(tx: Transaction, incidents: Sequence[Incident]) -> list[Incident]:
    """The incidents, the new ones with the next numbers."""
    new = sum(incident.id <= 0 for incident in incidents)
    numbers = iter(_next_numbers(tx, new) if new else ())
    return [i if i.id > 0 else replace(i, id=next(numbers)) for i in incidents]


def _next_numbers(tx: Transaction, count: int) -> Iterable[int]:
    """Taken before the rows are stored: asking for them row by row would take a statement each."""
    if tx.dialect.name == "sqlite":  # one writer: nobody else takes them meanwhile
        last = tx.scalar(_LAST_IN_SQLITE) or 0
        return range(last + 1, last + 1 + count)
    return sorted(tx.scalars(_NEXT_IN_POSTGRES, {"count": count}))


_LAST_IN_SQLITE = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'incidents'")
_NEXT_IN_POSTGRES = sa.text(
    "SELECT nextval(pg_get_serial_sequence('incidents', 'id')) FROM generate_series(1, :count)"
)


def _upsert(insert: Any) -> Any:
    keys = ["incident_id", "fingerprint"]
    values = {c.name: insert.excluded[c.name] for c in _alerts.c if c.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=values)


_UPSERT_ALERTS = {
    "sqlite": _upsert(sqlite.insert(_alerts)),
    "postgresql": _upsert(postgresql.insert(_alerts)),
}


def alerts_of(tx: Transaction, number: int, *, limit: int | None = None) -> list[AlertState]:
    """An incident's alerts: firing before resolved, the newest first."""
    query = (
        sa.select(_alerts)
        .where(_alerts.c.incident_id == number)
        .order_by(_alerts.c.status, _alerts.c.starts_at.desc(), _alerts.c.fingerprint)
        .limit(limit)
    )
    return [state_from_row(row) for row in tx.execute(query)]


def alerts_named(tx: Transaction, number: int, names: Iterable[str]) -> dict[str, AlertState]:
    """Those of an incident's alerts that have these fingerprints."""
    found: dict[str, AlertState] = {}
    for some in _chunks(sorted(names)):
        query = sa.select(_alerts).where(_alerts.c.incident_id == number)
        rows = tx.execute(query.where(_alerts.c.fingerprint.in_(some)))
        found |= {row.fingerprint: state_from_row(row) for row in rows}
    return found


def alerts_of_many(tx: Transaction, numbers: Sequence[int]) -> dict[int, list[AlertState]]:
    """The alerts of several incidents, by incident number."""
    found: dict[int, list[AlertState]] = {number: [] for number in numbers}
    query = sa.select(_alerts).where(_alerts.c.incident_id.in_(numbers))
    for row in tx.execute(query.order_by(_alerts.c.status, _alerts.c.starts_at.desc())):
        found[row.incident_id].append(state_from_row(row))
    return found


def timeline(tx: Transaction, number: int, *, after: int = 0) -> list[Entry]:
    """An incident's entries in order, those with a number above `after`."""
    query = (
        sa.select(_timeline)
        .where(_timeline.c.incident_id == number, _timeline.c.number > after)
        .order_by(_timeline.c.number)
    )
    return [entry_from_row(row) for row in tx.execute(query)]


def with_notes(tx: Transaction, incident: Incident) -> Incident:
    """The incident with all of its notes loaded, those that were removed among them."""
    query = (
        sa.select(_timeline)
        .where(_timeline.c.incident_id == incident.id, _timeline.c.kind.in_(sorted(NOTES)))
        .order_by(_timeline.c.number)
    )
    return replace(incident, notes=notes_of(entry_from_row(row) for row in tx.execute(query)))


def firing_everywhere(
    tx: Transaction, *, unheard_since: datetime | None = None
) -> dict[int, list[AlertState]]:
    """Every alert that fires in an open incident, by incident number.

    With `unheard_since`, only those not reported after that, and those that are unconfirmed.
    """
    query = (
        sa.select(_alerts)
        .join(_incidents, _incidents.c.id == _alerts.c.incident_id)
        .where(_incidents.c.status != Status.RESOLVED.value)
        .where(_alerts.c.status == AlertStatus.FIRING.value)
    )
    if unheard_since is not None:
        query = query.where(_alerts.c.unconfirmed | (_alerts.c.reported_at <= unheard_since))
    found: dict[int, list[AlertState]] = {}
    for row in tx.execute(query):
        found.setdefault(row.incident_id, []).append(state_from_row(row))
    return found


def with_hidden(tx: Transaction) -> list[Incident]:
    """Open incidents some of whose alerts were cut off a notification, without their alerts."""
    query = sa.select(_incidents).where(
        _incidents.c.status != Status.RESOLVED.value, _incidents.c.hidden > 0
    )
    return [incident_from_row(row) for row in tx.execute(query)]


def open_at(tx: Transaction, components: Iterable[str], *, limit: int) -> list[Incident]:
    """Open incidents of these components, the newest first, without their alerts."""
    query = (
        sa.select(_incidents)
        .where(_incidents.c.status != Status.RESOLVED.value)
        .where(_incidents.c.component.in_(sorted(components)))
        .order_by(_incidents.c.id.desc())
        .limit(limit)
    )
    return [incident_from_row(row) for row in tx.execute(query)]


def resolved_since(tx: Transaction, at: datetime) -> list[Incident]:
    """Incidents that ended by their alerts after that time."""
    query = sa.select(_incidents).where(
        _incidents.c.resolved_at > at, _incidents.c.ending == Ending.RESOLVED.value
    )
    return [incident_from_row(row) for row in tx.execute(query)]


def purge(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` incidents that were resolved before that, with all they hold."""
    old = (
        sa.select(_incidents.c.id)
        .where(_incidents.c.resolved_at < before)
        .where(_incidents.c.status == Status.RESOLVED.value)
        .limit(limit)
    )
    return tx.execute(sa.delete(_incidents).where(_incidents.c.id.in_(old))).rowcount


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))


def _values(incident: Incident) -> dict[str, Any]:
    values = dict(zip(_DERIVED, _get_derived(incident), strict=True))
    values["urgency"] = severity_rank(incident.severity)
    values["status"] = incident.status.value
    values["ending"] = _word(incident.ending)
    return values


def _word(ending: Ending | None) -> str | None:
    return ending.value if ending else None


def incident_from_row(row: Any) -> Incident:
    """An incident without its alerts, context and notes, from a row of all its columns."""
    known = dict(zip(_COLUMNS, _get_columns(row), strict=True))
    known["receivers"] = tuple(known["receivers"])
    known["status"] = Status(known["status"])
    known["ending"] = Ending(known["ending"]) if known["ending"] else None
    return Incident(id=row.id, **known)


def _alert_values(incident: int, state: AlertState) -> dict[str, Any]:
    alert = state.alert
    return {
        "incident_id": incident,
        "fingerprint": alert.fingerprint,
        "status": alert.status.value,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "generator_url": alert.generator_url,
        "reported_at": state.reported_at,
        "unconfirmed": state.unconfirmed,
        "ending": _word(state.ending),
        "expires_at": state.expires_at,
    }


def state_from_row(row: Any) -> AlertState:
    """An alert as one incident holds it, from a row of all its columns."""
    alert = Alert(
        fingerprint=row.fingerprint,
        status=AlertStatus(row.status),
        labels=row.labels,
        annotations=row.annotations,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        generator_url=row.generator_url,
    )
    return AlertState(
        alert,
        reported_at=row.reported_at,
        unconfirmed=row.unconfirmed,
        ending=Ending(row.ending) if row.ending else None,
        expires_at=row.expires_at,
    )


def _entry_values(incident: int, entry: Entry) -> dict[str, Any]:
    return {
        "incident_id": incident,
        "kind": entry.kind.value,
        "at": entry.at,
        "actor": entry.actor,
        "actor_ref": entry.actor_ref,
        "data": entry.data,
    }


def entry_from_row(row: Any) -> Entry:
    """An entry with its number, from a row of all its columns."""
    return Entry(EntryKind(row.kind), row.at, row.actor, row.data, row.number, row.actor_ref)
