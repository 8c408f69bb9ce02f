"""What watched neighbours showed last: kept, so that what changes while we are down is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import Transaction
from app.store.tables import SightRow, table

_sights = table(SightRow)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one neighbour showed. `at` (UTC) is when it was asked, `state` its watcher's own form.

    `revision` counts what was put down, whoever did.
    """

    at: datetime
    state: str
    revision: int = 0


def last(tx: Transaction, name: str) -> Sight | None:
    """What was seen last under this name."""
    row = tx.execute(sa.select(_sights).where(_sights.c.name == name)).one_or_none()
    return Sight(row.at, row.state, row.revision) if row else None


def put(tx: Transaction, name: str, sight: Sight) -> bool:
    """Put a sight in the place of the one of its `revision`, or first of all where that is 0.

    False if somebody else did meanwhile: then what was concluded from the old one is void.
    """
    values = {"at": sight.at, "state": sight.state, "revision": sight.revision + 1}
    if not sight.revision:
        module = postgresql if tx.dialect.name == "postgresql" else sqlite
        insert = module.insert(_sights).on_conflict_do_nothing().returning(_sights.c.name)
        return tx.scalar(insert, values | {"name": name}) is not None
    same = (_sights.c.name == name) & (_sights.c.revision == sight.revision)
    return tx.execute(sa.update(_sights).where(same), values).rowcount == 1
