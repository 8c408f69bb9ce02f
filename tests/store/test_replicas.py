"""Several replicas write to one PostgreSQL: in turns, or they would wait in a circle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import sqlalchemy as sa

from app.store.database import Database, Transaction
from tests.neighbours.postgres import Postgres

pytestmark = pytest.mark.neighbour

_WAIT = 30  # seconds, for what takes a moment


@pytest.fixture
async def replicas() -> AsyncIterator[tuple[Database, Database]]:
    with Postgres() as postgres:
        url = postgres.new_database()
        first, second = Database(url), Database(url)
        await first.write(_create)
        yield first, second
        first.close()
        second.close()


def _create(tx: Transaction) -> None:
    tx.exec_driver_sql("CREATE TABLE counts (name TEXT PRIMARY KEY, value INT)")
    tx.exec_driver_sql("INSERT INTO counts VALUES ('a', 0), ('b', 0)")


def _count(tx: Transaction, name: str) -> None:
    tx.execute(sa.text("UPDATE counts SET value = value + 1 WHERE name = :name"), {"name": name})


def _counts(tx: Transaction) -> dict[str, int]:
    return {row.name: row.value for row in tx.execute(sa.text("SELECT name, value FROM counts"))}


async def test_rows_locked_in_opposite_orders(replicas: tuple[Database, Database]) -> None:
    both = threading.Barrier(2)

    def work(tx: Transaction, names: str) -> None:
        _count(tx, names[0])
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # were both in here at once, each would now want what the other has
        _count(tx, names[1])

    first, second = replicas
    await asyncio.gather(first.write(work, "ab"), second.write(work, "ba"))
    both.reset()
    await asyncio.gather(first.write_first(work, "ab"), second.write(work, "ba"))
    assert await first.read(_counts) == {"a": 4, "b": 4}


async def test_what_is_only_added_waits_for_nobody(replicas: tuple[Database, Database]) -> None:
    first, second = replicas
    begun, added = threading.Event(), threading.Event()

    def work(_: Transaction) -> bool:
        begun.set()
        return added.wait(_WAIT)

    def add(tx: Transaction) -> None:
        tx.exec_driver_sql("INSERT INTO counts VALUES ('c', 1)")

    writing = asyncio.ensure_future(first.write(work))
    assert await asyncio.to_thread(begun.wait, _WAIT)
    await second.append(add)
    added.set()
    assert await writing
    assert (await first.read(_counts))["c"] == 1
