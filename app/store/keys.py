"""Keys that sign what leaves the service: made once, and kept as long as the database."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import Transaction
from app.store.tables import KeyRow, table

_keys = table(KeyRow)

_INSERT_ONCE: dict[str, Any] = {
    "sqlite": sqlite.insert(_keys).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_keys).on_conflict_do_nothing(),
}


def lasting(tx: Transaction, name: str, *, length: int, now: datetime) -> bytes:
    """The key of that name, of so many random bytes; the first to ask for it makes it."""
    fresh = {"name": name, "key": secrets.token_bytes(length), "made_at": now}
    tx.execute(_INSERT_ONCE[tx.dialect.name], fresh)
    return bytes(tx.scalars(sa.select(_keys.c.key).where(_keys.c.name == name)).one())
