"""What is known about incidents beside their alerts: context findings, and who is due one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, get_args

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite

from app.core.context import Context, Finding, Moment
from app.core.facts import Facts, Missing
from app.core.incidents import Status
from app.store import bulk
from app.store.database import Transaction
from app.store.tables import ContextRow, IncidentRow, table

_context = table(ContextRow)
_incidents = table(IncidentRow)
_due = _incidents.c.context_due_at

_KINDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (*get_args(Facts), Missing)
}


def save(tx: Transaction, findings: Iterable[tuple[int, Finding]]) -> None:
    """Store findings by incident number; a later one of the same moment takes the place."""
    rows = [
        {
            "incident_id": number,
            "source": finding.source,
            "moment": finding.moment.value,
            "at": finding.at,
            "kind": type(finding.facts).__name__,
            "facts": _KINDS[type(finding.facts).__name__].dump_json(finding.facts).decode(),
        }
        for number, finding in findings
    ]
    bulk.execute(tx, _UPSERT[tx.dialect.name], rows)


def _upsert(insert: Any) -> Any:
    keys = ["incident_id", "source", "moment"]
    values = {c.name: insert.excluded[c.name] for c in _context.c if c.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=values)


_UPSERT = {
    "sqlite": _upsert(sqlite.insert(_context)),
    "postgresql": _upsert(postgresql.insert(_context)),
}


def of_incidents(tx: Transaction, numbers: Sequence[int]) -> dict[int, Context]:
    """The context of these incidents, by number."""
    found: dict[int, list[Finding]] = {number: [] for number in numbers}
    for row in tx.execute(sa.select(_context).where(_context.c.incident_id.in_(numbers))):
        facts = _KINDS[row.kind].validate_json(row.facts)
        finding = Finding(row.source, Moment(row.moment), row.at, facts)
        found[row.incident_id].append(finding)
    return {number: Context.of(*findings) for number, findings in found.items()}


def of_incident(tx: Transaction, number: int) -> Context:
    """The context of one incident."""
    return of_incidents(tx, [number])[number]


def take_due(tx: Transaction, *, now: datetime, again_at: datetime, limit: int) -> list[int]:
    """The open incidents to be asked about now, the newest first.

    Each is due again at `again_at`, in case we die before the answers are stored.
    """
    query = (
        sa.select(_incidents.c.id)
        .where(_due <= now)
        .order_by(_incidents.c.id.desc())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    numbers = list(tx.scalars(query))
    _set_due(tx, numbers, sa.literal(again_at, type_=_due.type))
    return numbers


def asked(
    tx: Transaction, number: int, *, taken_until: datetime, again_at: datetime | None
) -> None:
    """The answers are stored; an open incident is asked about again at that time, if any.

    `taken_until` is when `take_due` made it due again. If it is due at another time now, alerts
    have joined that nobody was asked about: that time stays. All times are in UTC.
    """
    taken = _due == taken_until
    again = sa.literal(again_at, type_=_due.type)
    _set_due(tx, [number], sa.case((taken, again), else_=_due))


def _set_due(tx: Transaction, numbers: Sequence[int], at: sa.ColumnElement[Any]) -> None:
    over = _incidents.c.status == Status.RESOLVED.value
    update = sa.update(_incidents).where(_incidents.c.id.in_(numbers))
    tx.execute(update.values(context_due_at=sa.case((over, None), else_=at)))
