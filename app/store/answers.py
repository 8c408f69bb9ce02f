"""Answers that are kept for those who ask again: an action under a key is done once.

Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.errors import KeyReused
from app.store.database import Transaction
from app.store.tables import AnswerRow, table

_answers = table(AnswerRow)

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Key:
    """What a client calls one request; `digest` is the same for the same request."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with; `revision` is the incident's then."""

    revision: int
    body: bytes


def once(tx: Transaction, key: Key, work: Callable[[], Answer], *, now: datetime) -> Answer:
    """The answer kept under this key, else that of `work`, kept in the same transaction.

    What `work` raises leaves nothing behind, so that it can be tried again.
    Raises KeyReused where the key was given to another request.
    """
    mine = _answers.c.key == key.name
    tx.execute(sa.delete(_answers).where(mine, _answers.c.at <= now - KEPT))
    row = tx.execute(sa.select(_answers).where(mine)).one_or_none()
    if row is None:
        answer = work()
        kept = {"key": key.name, "digest": key.digest, "at": now, **asdict(answer)}
        tx.execute(sa.insert(_answers).values(kept))
        return answer
    if row.digest != key.digest:
        raise KeyReused(
            f"The Idempotency-Key {key.name!r} was used for another request within 24 h: "
            "repeat that one as it was, or use a new key."
        )
    return Answer(row.revision, row.body)


def purge(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` answers that were given before that."""
    old = sa.select(_answers.c.key).where(_answers.c.at < before).limit(limit)
    return tx.execute(sa.delete(_answers).where(_answers.c.key.in_(old))).rowcount
