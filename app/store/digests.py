"""Weekly digests: which are sent, which are due, and in whose hands they are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.core.postings import LEASE, Destination
from app.store.database import Transaction
from app.store.tables import DigestRow, table

_digests = table(DigestRow)
_here = _digests.c
_LEASE = 2 * LEASE  # the week is counted in it, too


@dataclass(frozen=True, slots=True)
class Due:
    """The digest of the week that ended at `until` (UTC), for one destination.

    `token` marks it there. `in_doubt` says that an earlier call may have been carried out.
    """

    until: datetime
    destination: Destination
    token: str
    created_at: datetime
    attempts: int
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a digest did not get through, and when it is tried again (UTC); None: never."""

    error: str
    again_at: datetime | None
    in_doubt: bool


def planned(tx: Transaction, until: datetime) -> bool:
    """Whether the digest of this week was sent, or is to be."""
    return tx.scalar(sa.select(sa.literal(1)).where(_here.until == until).limit(1)) is not None


def plan(
    tx: Transaction, until: datetime, destinations: Sequence[Destination], *, now: datetime
) -> None:
    """Let it be sent there; once, whoever asks how often."""
    module = postgresql if tx.dialect.name == "postgresql" else sqlite
    rows = [
        {
            "until": until,
            "destination": str(destination),
            "token": secrets.token_hex(8),
            "created_at": now,
            "attempts": 0,
            "in_doubt": False,
            "due_at": now,
        }
        for destination in destinations
    ]
    if rows:
        tx.execute(module.insert(_digests).on_conflict_do_nothing(), rows)


def any_due(tx: Transaction, *, now: datetime) -> bool:
    """Whether there is one to send now."""
    return tx.scalar(sa.select(sa.literal(1)).where(_is_due(now)).limit(1)) is not None


def lease(tx: Transaction, *, now: datetime) -> Due | None:
    """Take one that is due into one's hands; None where there is none.

    From now on it is in doubt until it is recorded: whoever takes it after us looks first.
    """
    query = sa.select(_digests).where(_is_due(now)).limit(1).with_for_update(skip_locked=True)
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    due = Due(
        row.until,
        Destination.parse(row.destination),
        row.token,
        row.created_at,
        row.attempts,
        row.in_doubt,
    )
    _update(tx, due, in_doubt=True, lease_until=now + _LEASE)
    return due


def sent(tx: Transaction, due: Due, *, now: datetime) -> None:
    """It is there."""
    _update(tx, due, in_doubt=False, sent_at=now, due_at=None, lease_until=None, last_error=None)


def failed(tx: Transaction, due: Due, failure: Failure) -> None:
    """It did not get through."""
    _update(
        tx,
        due,
        attempts=due.attempts + 1,
        in_doubt=failure.in_doubt,
        last_error=failure.error,
        due_at=failure.again_at,
        lease_until=None,
    )


def purge(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Forget at most `limit` of those of weeks that ended before that."""
    keys = sa.select(_here.until).where(_here.until < before).limit(limit)
    return tx.execute(sa.delete(_digests).where(_here.until.in_(keys))).rowcount


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    free = _here.lease_until.is_(None) | (_here.lease_until <= now)
    return (_here.due_at <= now) & free


def _update(tx: Transaction, due: Due, **values: object) -> None:
    this = (_here.until == due.until) & (_here.destination == str(due.destination))
    tx.execute(sa.update(_digests).where(this).values(**values))
