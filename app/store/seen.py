"""What Slack told us already: a repeat, or a replay, changes nothing."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import Transaction
from app.store.tables import SeenRow, table

_seen = table(SeenRow)


def first(tx: Transaction, key: str, *, now: datetime) -> bool:
    """Remember this; False if it is remembered already.

    In the transaction of its effect: both are there, or neither.
    """
    module = postgresql if tx.dialect.name == "postgresql" else sqlite
    insert = module.insert(_seen).on_conflict_do_nothing()
    return bool(tx.execute(insert, {"key": key, "at": now}).rowcount)


def purge(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Forget at most `limit` of those that came before that."""
    old = sa.select(_seen.c.key).where(_seen.c.at < before).limit(limit)
    return tx.execute(sa.delete(_seen).where(_seen.c.key.in_(old))).rowcount
