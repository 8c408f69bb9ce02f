"""One writer with group commit, readers that cannot write, and a database that says no."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.errors import StoreUnavailable
from app.store.database import Database, Transaction
from tests.house import WEBHOOK, alert, incompressible, notification, serving
from tests.neighbours.processes import Process, free_port, request
from tests.waiting import soon, tell


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    db = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await db.write(_create)
    yield db
    db.close()


def _create(tx: Transaction) -> None:
    tx.exec_driver_sql("CREATE TABLE words (word TEXT UNIQUE)")


def _add(tx: Transaction, word: str) -> Transaction:
    """The transaction itself is the answer: how many there were can be counted."""
    tx.execute(sa.text("INSERT INTO words VALUES (:word)"), {"word": word})
    return tx


def _words(tx: Transaction) -> list[str]:
    return list(tx.scalars(sa.text("SELECT word FROM words ORDER BY word")))


@asynccontextmanager
async def _writer_held(db: Database) -> AsyncIterator[None]:
    """Keep the writer busy, so that what is queued inside forms the next batch."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        begun.set()
        go_on.wait(30)

    holding = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(begun.wait, 30)
    try:
        yield
    finally:
        go_on.set()
        await holding


async def _queued(db: Database, *words: str) -> list[asyncio.Task[Transaction]]:
    tasks = [asyncio.create_task(db.write(_add, word)) for word in words]
    await asyncio.sleep(0)  # each now stands in the queue
    return tasks


def _told_to(tx: Transaction, trace: Callable[[str], None]) -> None:
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_trace_callback(trace)


# --- group commit


async def test_an_error_does_not_tell_what_was_to_be_stored(db: Database) -> None:
    await db.write(_add, "529.982.247-25")
    with pytest.raises(sa.exc.IntegrityError) as raised:
        await db.write(_add, "529.982.247-25")
    assert "529.982.247-25" not in str(raised.value)


async def test_what_is_queued_becomes_one_commit(db: Database) -> None:
    statements: list[str] = []
    await db.write(_told_to, statements.append)
    async with _writer_held(db):
        tasks = await _queued(db, *(f"{n:03}" for n in range(150)))
        statements.clear()
    await asyncio.gather(*tasks)
    assert statements.count("COMMIT") == 1 + 3  # what held the writer, and 64 at a time
    assert len(await db.read(_words)) == 150


async def test_a_failing_job_does_not_spoil_its_batch(db: Database) -> None:
    await db.write(_add, "known")
    async with _writer_held(db):
        tasks = await _queued(db, "a", "known", "b")
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(outcome, sa.exc.IntegrityError) for outcome in outcomes] == [
        False,
        True,
        False,
    ]
    assert await db.read(_words) == ["a", "b", "known"]


async def test_a_job_nobody_waits_for_any_more_is_not_run(db: Database) -> None:
    async with _writer_held(db):
        (cancelled, kept) = await _queued(db, "a", "b")
        cancelled.cancel()
        await asyncio.sleep(0)
    await kept
    assert await db.read(_words) == ["b"]


async def test_a_job_cancelled_while_it_fails_does_not_stop_the_writer(db: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def fail(_: Transaction) -> None:
        begun.set()
        go_on.wait(30)
        raise ValueError

    task = asyncio.ensure_future(db.write(fail))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    go_on.set()
    await db.write(_add, "a")
    assert await db.read(_words) == ["a"]


async def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    db = Database(f"sqlite:///{path}")
    await db.write(_create)
    tasks = await _queued(db, *(f"{n:03}" for n in range(200)))
    await asyncio.to_thread(db.close)
    await asyncio.gather(*tasks)
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT count(*) FROM words").fetchone() == (200,)
    assert not path.with_name("test.db-wal").exists()  # checkpointed, by the writer


# --- readers


async def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises(StoreUnavailable, match="readonly"):
        await db.read(_add, "a")
    assert await db.read(_words) == []


async def test_a_reader_sees_one_snapshot(db: Database) -> None:
    seen, written = threading.Event(), threading.Event()

    def look_twice(tx: Transaction) -> tuple[list[str], list[str]]:
        before = _words(tx)
        seen.set()
        written.wait(30)
        return before, _words(tx)

    looking = asyncio.ensure_future(db.read(look_twice))
    await asyncio.to_thread(seen.wait, 30)
    await db.write(_add, "a")
    written.set()
    assert await looking == ([], [])
    assert await db.read(_words) == ["a"]


async def test_a_name_with_odd_characters_is_a_file_like_any_other(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'plantão 100% é.db'}")
    await db.write(_create)
    assert await db.read(_words) == []
    db.close()


# --- a database that takes nothing


async def test_refused_jobs_are_not_all_tried_one_by_one(db: Database) -> None:
    tried = 0

    def refuse(_: Transaction) -> None:
        nonlocal tried
        tried += 1
        raise StoreUnavailable("The database did not take it.")

    async with _writer_held(db):
        tasks = [asyncio.ensure_future(db.write(refuse)) for _ in range(50)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert tried < 10


async def test_what_can_never_be_stored_is_our_mistake_not_the_databases(db: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        await asyncio.gather(db.write(_add, "a"), db.write(_add, "a"))
    with pytest.raises(sa.exc.ProgrammingError):
        await db.write(lambda tx: tx.execute(sa.text("SELECT :a"), {"a": object()}))


BODY = notification(alert())


async def test_a_locked_database_is_a_503_and_then_recovers(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        with closing(sqlite3.connect(tmp_path / "plantao.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = await house.http.post(WEBHOOK, json=BODY)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "locked" in answer.json()["detail"]
            assert (await house.http.get("/readyz")).status_code == 503
            assert (await house.http.get("/incidents")).status_code == 200  # readers go on
            other.execute("ROLLBACK")
        await tell(house, BODY)
        assert len(await house.incidents()) == 1

        async def ready() -> bool:
            return (await house.http.get("/readyz")).status_code == 200

        await soon(ready, what="ready again")


async def test_a_full_database_is_a_503_and_then_recovers(tmp_path: Path) -> None:
    big = notification(alert(annotations={"summary": incompressible(200_000)}))
    async with serving(tmp_path) as house:
        db = house.context.db
        await db.write(lambda tx: tx.exec_driver_sql("PRAGMA max_page_count = 1"))
        answer = await house.http.post(WEBHOOK, json=big)
        assert (answer.status_code, "full" in answer.json()["detail"]) == (503, True)
        await db.write(lambda tx: tx.exec_driver_sql("PRAGMA max_page_count = 1000000"))
        await tell(house, big)
        assert len(await house.incidents()) == 1


def test_a_process_that_may_not_write_any_more_answers_503_and_then_recovers(
    tmp_path: Path,
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    serve = ["-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    service = Process(
        [sys.executable, *serve],
        log=tmp_path / "log",
        env={"PLANTAO_DATABASE_URL": f"sqlite:///{tmp_path / 'plantao.db'}"},
    )
    service.start()
    try:
        service.wait_for_url(f"{url}/readyz")
        _, most = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (4096, most))
        assert request("POST", f"{url}{WEBHOOK}", json=BODY).status_code == 503
        assert request("GET", f"{url}/readyz").status_code == 503
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (most, most))
        assert request("POST", f"{url}{WEBHOOK}", json=BODY).status_code == 202
        service.wait_until(lambda: len(_incidents(url)) == 1)
        service.wait_for_url(f"{url}/readyz")
    finally:
        service.stop()


def _incidents(url: str) -> list[object]:
    found: list[object] = request("GET", f"{url}/incidents").json()["items"]
    return found


async def test_a_lock_held_while_a_receipt_waits_loses_nothing(tmp_path: Path) -> None:
    """Accepted, then locked before it is applied: the loops try until the lock is gone."""
    async with serving(tmp_path) as house:
        with closing(sqlite3.connect(tmp_path / "plantao.db", isolation_level=None)) as other:
            answers = [await house.post(notification(alert(instance=f"{n}"))) for n in range(5)]
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await house.context.db.write(lambda tx: tx.exec_driver_sql("SELECT 1"))
            other.execute("ROLLBACK")

        async def all_applied() -> bool:
            receipts = (await house.http.get("/receipts")).json()["items"]
            return [r["state"] for r in receipts] == ["applied"] * len(answers)

        await soon(all_applied, what="every receipt applied")
        (incident,) = await house.incidents()
        assert incident["alert_counts"]["firing"] == len(answers)
