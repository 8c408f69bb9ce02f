"""How long an answer is kept, and that a failure leaves none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.errors import KeyReused, NotApplicable
from app.store import schema
from app.store.answers import KEPT, Answer, Key, once, purge
from app.store.database import Database
from tests.clock import START

FIRST, SECOND = Key("k", "digest"), Key("k", "another")
TICK = timedelta(microseconds=1)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    db = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await db.write(schema.migrate)
    yield db
    db.close()


async def ask(db: Database, key: Key, body: bytes, *, after: timedelta = timedelta()) -> bytes:
    answer = await db.write(once, key, lambda: Answer(7, body), now=START + after)
    assert answer.revision == 7
    return answer.body


async def test_a_day_long_the_first_answer_stands(db: Database) -> None:
    assert await ask(db, FIRST, b"1") == b"1"
    assert await ask(db, FIRST, b"2", after=KEPT - TICK) == b"1"
    with pytest.raises(KeyReused, match="'k'"):
        await ask(db, SECOND, b"3", after=KEPT - TICK)
    assert await ask(db, SECOND, b"3", after=KEPT) == b"3"
    assert await ask(db, SECOND, b"4", after=KEPT + KEPT - TICK) == b"3"


async def test_a_failure_leaves_no_answer(db: Database) -> None:
    def fail() -> Answer:
        raise NotApplicable("no")

    with pytest.raises(NotApplicable):
        await db.write(once, FIRST, fail, now=START)
    assert await ask(db, SECOND, b"2") == b"2"


async def test_old_answers_are_forgotten_in_steps(db: Database) -> None:
    for name in "abc":
        await ask(db, Key(name, ""), b"")
    await ask(db, Key("d", ""), b"", after=TICK)
    gone = [await db.write(purge, before=START + TICK, limit=2) for _ in range(3)]
    assert gone == [2, 1, 0]
