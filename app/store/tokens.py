"""Tokens of the API, each known by its hash."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core.rights import Right
from app.core.tokens import Token
from app.errors import NotFound
from app.store.database import Transaction
from app.store.tables import TokenRow, table

_tokens = table(TokenRow)

#: How far behind `used_at` may be: a write for each request would cost more than it tells.
USED_WITHIN = timedelta(hours=1)


def add(
    tx: Transaction,
    name: str,
    right: Right,
    digest: str,
    *,
    expires_at: datetime | None = None,
    now: datetime,
) -> Token:
    """Keep a new token."""
    kept = {"name": name, "access": right.value, "digest": digest}
    times = {"made_at": now, "expires_at": expires_at}
    row = tx.execute(sa.insert(_tokens).values(kept | times).returning(_tokens)).one()
    return _token(row)


def every(tx: Transaction) -> list[Token]:
    """All that were ever made, in that order."""
    return [_token(row) for row in tx.execute(sa.select(_tokens).order_by(_tokens.c.id))]


def exist(tx: Transaction) -> bool:
    """Whether one was ever made."""
    return bool(tx.scalar(sa.select(sa.exists(sa.select(_tokens.c.id)))))


def of_digest(tx: Transaction, digest: str) -> Token | None:
    """The token with this hash, whatever has become of it."""
    row = tx.execute(sa.select(_tokens).where(_tokens.c.digest == digest)).one_or_none()
    return None if row is None else _token(row)


def get(tx: Transaction, number: int) -> Token:
    """Raises NotFound."""
    row = tx.execute(sa.select(_tokens).where(_tokens.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(f"There is no token {number}.")
    return _token(row)


def revoke(tx: Transaction, number: int, *, now: datetime) -> Token:
    """End a token for good; one that was revoked stays as it is. Raises NotFound."""
    mine = sa.and_(_tokens.c.id == number, _tokens.c.revoked_at.is_(None))
    tx.execute(sa.update(_tokens).where(mine).values(revoked_at=now))
    return get(tx, number)


def used(tx: Transaction, number: int, *, now: datetime) -> None:
    """Remember when it was last used, unless that is known well enough."""
    stale = sa.or_(_tokens.c.used_at.is_(None), _tokens.c.used_at <= now - USED_WITHIN)
    tx.execute(sa.update(_tokens).where(_tokens.c.id == number, stale).values(used_at=now))


def _token(row: sa.Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        right=Right(row.access),
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
