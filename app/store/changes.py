"""The change ledger: what was changed in the pipeline, whoever told us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.core.facts import Change
from app.core.registry import Kind
from app.store.database import Transaction
from app.store.tables import ChangeRow, table

_changes = table(ChangeRow)


def add(tx: Transaction, change: Change, *, delivery: str | None = None) -> Change | None:
    """Store a change and return it with its number; None if this delivery is known already."""
    module = postgresql if tx.dialect.name == "postgresql" else sqlite
    insert = module.insert(_changes).on_conflict_do_nothing().returning(_changes.c.id)
    number = tx.scalar(insert, _values(change) | {"delivery": delivery})
    return None if number is None else replace(change, id=number)


def between(tx: Transaction, after: datetime, until: datetime, *, limit: int) -> list[Change]:
    """The changes of that time (UTC, `until` included), the newest first.

    With those that were noticed later and may have been then.
    """
    by_then = (_changes.c.at <= until) | (_changes.c.not_before <= until)
    query = sa.select(_changes).where(_changes.c.at > after, by_then)
    rows = tx.execute(query.order_by(_changes.c.at.desc(), _changes.c.id.desc()).limit(limit))
    return [_change(row) for row in rows]


def newest(
    tx: Transaction, *, limit: int, before: int | None = None, source: str | None = None
) -> list[Change]:
    """Changes by number, the newest first, those before number `before`."""
    query = sa.select(_changes).order_by(_changes.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_changes.c.id < before)
    if source is not None:
        query = query.where(_changes.c.source == source)
    return [_change(row) for row in tx.execute(query)]


def of_kind(tx: Transaction, source: str, kinds: Sequence[str]) -> list[Change]:
    """All changes of these kinds, the newest first."""
    query = sa.select(_changes).where(_changes.c.source == source, _changes.c.kind.in_(kinds))
    return [_change(row) for row in tx.execute(query.order_by(_changes.c.at.desc()))]


def purge(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` changes older than that; not the moves of aliases, by which it is
    known what serves and since when."""
    kept = _changes.c.kind.in_([Kind.ALIAS_MOVED.value, Kind.ALIAS_DELETED.value])
    old = sa.select(_changes.c.id).where(_changes.c.at < before, ~kept).limit(limit)
    return tx.execute(sa.delete(_changes).where(_changes.c.id.in_(old))).rowcount


def _values(change: Change) -> dict[str, Any]:
    return {
        "source": change.source,
        "kind": change.kind,
        "title": change.title,
        "at": change.at,
        "labels": dict(change.labels),
        "link": change.link,
        "not_before": change.not_before,
    }


def _change(row: Any) -> Change:
    return Change(
        row.source, row.kind, row.title, row.at, row.labels, row.link, row.id, row.not_before
    )
