"""Receipts: one webhook body each, kept before anything else happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from app.errors import NotFound
from app.store import bulk
from app.store.connections import driver
from app.store.database import Transaction
from app.store.tables import ReceiptRow, table

_receipts = table(ReceiptRow)
_WITHOUT_BODY = [c for c in _receipts.c if c.name != "body"]


class ReceiptState(StrEnum):
    """Accepted: waiting to be applied. Quarantined: kept, but could not be read."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A body that has just come in. `received_at` is in UTC.

    `receiver` is Alertmanager's name for us, as it came: escaped for a regular expression.
    """

    received_at: datetime
    body: bytes
    headers: Mapping[str, str]
    receiver: str = ""
    problem: str | None = None
    state: ReceiptState = ReceiptState.ACCEPTED


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored body. `body` is empty where only the list was asked for; `size` is in bytes."""

    id: int
    received_at: datetime
    state: ReceiptState
    problem: str | None
    receiver: str
    headers: Mapping[str, str]
    applied_at: datetime | None
    replayed: bool
    size: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a receipt matters to applying it."""

    id: int
    received_at: datetime
    replayed: bool
    body: bytes


def add(tx: Transaction, arrivals: Sequence[Arrival]) -> list[int]:
    """Store bodies in their order of arrival and return their numbers in that order."""
    rows = [_new_values(arrival) for arrival in arrivals]
    if tx.dialect.name != "sqlite":
        return list(tx.scalars(_INSERT_NUMBERED, rows))
    bulk.execute(tx, _INSERT, rows)
    # While one writer holds the database, its AUTOINCREMENT counts without a gap.
    (last,) = driver(tx).execute("SELECT last_insert_rowid()").fetchone()
    return list(range(last - len(rows) + 1, last + 1))


def _new_values(arrival: Arrival) -> dict[str, Any]:
    return {
        "received_at": arrival.received_at,
        "state": arrival.state.value,
        "problem": arrival.problem,
        "receiver": arrival.receiver,
        "headers": arrival.headers,
        "body": arrival.body,
        "size": len(arrival.body),
        "replayed": False,
    }


_INSERT = sa.insert(_receipts)
_INSERT_NUMBERED = _INSERT.returning(_receipts.c.id, sort_by_parameter_order=True)


def waiting(tx: Transaction, *, rows: int, size: int) -> list[Waiting]:
    """The oldest receipts not yet applied: at most `rows`, and at most `size` bytes and one."""
    found: list[Waiting] = []
    taken = 0
    with tx.execute(_WAITING, {"rows": rows}) as result:
        for row in result:
            receipt = Waiting(*row)
            found.append(receipt)
            taken += len(receipt.body)
            if taken >= size:
                break
    return found


_WAITING = (
    sa.select(_receipts.c.id, _receipts.c.received_at, _receipts.c.replayed, _receipts.c.body)
    .where(_receipts.c.state == ReceiptState.ACCEPTED.value)
    .order_by(_receipts.c.id)
    .limit(sa.bindparam("rows"))
)


def applied(tx: Transaction, numbers: Sequence[int], *, now: datetime) -> None:
    """Note that these receipts are part of their incidents; none before it came, though the
    clock of whoever took it in be ahead."""
    came = _receipts.c.received_at
    at = sa.case((came > now, came), else_=sa.literal(now, came.type))
    tx.execute(
        sa.update(_receipts)
        .where(_receipts.c.id.in_(numbers))
        .values(state=ReceiptState.APPLIED.value, applied_at=at)
    )


def judged(tx: Transaction, number: int, problem: str | None) -> None:
    """Note what is wrong with a body that was read once more, or that nothing is."""
    tx.execute(sa.update(_receipts).where(_receipts.c.id == number).values(problem=problem))


def quarantine(tx: Transaction, number: int, problem: str) -> None:
    """Keep a receipt aside, with the reason why it could not be read."""
    tx.execute(
        sa.update(_receipts)
        .where(_receipts.c.id == number)
        .values(state=ReceiptState.QUARANTINED.value, problem=problem)
    )


def replay(tx: Transaction, number: int) -> Receipt:
    """Put a receipt back in the line; raises NotFound. Until it is read again, what was wrong
    with it stays."""
    receipt = get(tx, number)
    tx.execute(
        sa.update(_receipts)
        .where(_receipts.c.id == number)
        .values(state=ReceiptState.ACCEPTED.value, applied_at=None, replayed=True)
    )
    return receipt


def get(tx: Transaction, number: int) -> Receipt:
    """One receipt with its body; raises NotFound."""
    query = sa.select(_receipts)
    row = tx.execute(query.where(_receipts.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(f"There is no receipt {number}.")
    return _receipt(row, body=row.body)


def newest(
    tx: Transaction, *, limit: int, before: int | None = None, state: str | None = None
) -> list[Receipt]:
    """Receipts without their bodies, the newest first, those before number `before`."""
    query = sa.select(*_WITHOUT_BODY).order_by(_receipts.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_receipts.c.id < before)
    if state is not None:
        query = query.where(_receipts.c.state == state)
    return [_receipt(row) for row in tx.execute(query)]


def arrived_at(tx: Transaction, moments: Iterable[datetime], *, limit: int) -> list[Receipt]:
    """Receipts that arrived at one of these moments, without their bodies, the newest first."""
    query = (
        sa.select(*_WITHOUT_BODY)
        .where(_receipts.c.received_at.in_(sorted(moments, reverse=True)[:_MOMENTS]))
        .order_by(_receipts.c.id.desc())
        .limit(limit)
    )
    return [_receipt(row) for row in tx.execute(query)]


_MOMENTS = 500  # SQLite takes a limited number of values in one statement


def oldest_waiting(tx: Transaction) -> datetime | None:
    """When the oldest receipt arrived that is not yet part of its incident."""
    query = sa.select(_receipts.c.received_at).where(
        _receipts.c.state == ReceiptState.ACCEPTED.value
    )
    return tx.scalar(query.order_by(_receipts.c.id).limit(1))


def any_quarantined(tx: Transaction) -> bool:
    """Whether any receipt is still in quarantine."""
    query = sa.select(_receipts.c.id).where(_receipts.c.state == ReceiptState.QUARANTINED.value)
    return tx.scalar(query.limit(1)) is not None


def any_replaying(tx: Transaction) -> bool:
    """Whether any receipt that was put back in the line still waits there."""
    query = sa.select(_receipts.c.id).where(
        _receipts.c.state == ReceiptState.ACCEPTED.value, _receipts.c.replayed
    )
    return tx.scalar(query.limit(1)) is not None


def any_problem(tx: Transaction, *, since: datetime) -> bool:
    """Whether anything that came in since then could not be read, wholly or in part."""
    query = sa.select(_receipts.c.id).where(
        _receipts.c.received_at >= since, _receipts.c.problem.is_not(None)
    )
    return tx.scalar(query.limit(1)) is not None


def senders(tx: Transaction, *, among: int) -> set[str]:
    """The receiver names, as they came, in the newest `among` receipts."""
    newest_id = sa.select(sa.func.max(_receipts.c.id)).scalar_subquery()
    query = sa.select(_receipts.c.receiver).where(_receipts.c.id > newest_id - among).distinct()
    return set(tx.scalars(query)) - {""}


def purge(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` receipts older than that, never one that waits."""
    old = (
        sa.select(_receipts.c.id)
        .where(_receipts.c.received_at < before)
        .where(_receipts.c.state != ReceiptState.ACCEPTED.value)
        .limit(limit)
    )
    return tx.execute(sa.delete(_receipts).where(_receipts.c.id.in_(old))).rowcount


def _receipt(row: Any, body: bytes = b"") -> Receipt:
    return Receipt(
        id=row.id,
        received_at=row.received_at,
        state=ReceiptState(row.state),
        problem=row.problem,
        receiver=row.receiver,
        headers=row.headers,
        applied_at=row.applied_at,
        replayed=row.replayed,
        size=row.size,
        body=body,
    )
