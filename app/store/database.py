"""Reading and writing: one writer with group commit, and connections that only read.

On SQLite, one writer connection does everything that writes, checkpoints included:
versions before 3.51.3 can corrupt a WAL when a checkpoint on one connection races a commit
on another. What is queued while a commit is under way forms the next one; there is no timer.
On PostgreSQL the same writer is simply one connection among those of other replicas.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from urllib.parse import quote

import sqlalchemy as sa

from app.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

Transaction: TypeAlias = sa.Connection
"""What a transaction function works on. It is plain and cannot await: it never waits for
anything but the database, and it may be run a second time if another one in its batch fails."""

_BUSY_TIMEOUT_MS = 2_000
_READERS = 3
_BATCH = 64
_CONNECT_TIMEOUT = 5  # seconds
# Waiting for somebody's lock, or for an answer, ends: the sender is better told to try again.
_LOCK_SETTINGS = ("SET lock_timeout = '5s'",)
_READ_SETTINGS = (*_LOCK_SETTINGS, "SET statement_timeout = '30s'")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Transaction], Any]
    done: Future[Any]


class Database:
    """`await db.write(function, …)` and `await db.read(function, …)`; see the module's text.

    Raises StoreUnavailable when the database takes nothing (full, locked, gone); the next
    call tries anew, so that it recovers without a restart.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self._writer = _writer_engine(self.url)
        self._reader = _reader_engine(self.url)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="plantao-read")
        self._thread = threading.Thread(target=self._run, name="plantao-write", daemon=True)
        self._thread.start()

    @property
    def replicated(self) -> bool:
        """Whether other replicas of the service may work on the same database."""
        return self.url.get_backend_name() != "sqlite"

    async def write(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `work` in a transaction; when this returns, it is committed and on disk."""
        done: Future[T] = Future()
        self._jobs.put(_Job(lambda tx: work(tx, *args, **kwargs), done))
        return await asyncio.wrap_future(done)

    async def read(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `work` on a connection that cannot write, on one consistent snapshot."""

        def run() -> T:
            with _explained(), self._reader.connect() as tx:
                return work(tx, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def close(self) -> None:
        """Finish what is queued, then close; readers first, so that the writer checkpoints."""
        self._readers.shutdown()
        self._reader.dispose()
        self._jobs.put(None)
        self._thread.join()
        self._writer.dispose()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, last = self._queued(job)
            self._commit(batch)
            if last:
                return

    def _queued(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < _BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return _wanted(batch), True
            batch.append(job)
        return _wanted(batch), False

    def _commit(self, batch: Sequence[_Job]) -> None:
        """All of a batch in one transaction; if any of it fails, each in one of its own.

        A database that has refused two of them is not asked for the others: each could cost
        the whole time that a lock is waited for.
        """
        if len(batch) > 1 and self._attempt(batch) is None:
            return
        refusals = 0
        for at, job in enumerate(batch):
            error = self._attempt([job])
            if error is not None:
                job.done.set_exception(error)
            refusals += isinstance(error, StoreUnavailable)
            if refusals > 1:
                for other in batch[at + 1 :]:
                    other.done.set_exception(StoreUnavailable(str(error)))
                return

    def _attempt(self, batch: Sequence[_Job]) -> Exception | None:
        """One transaction for these; what went wrong, if it is not committed."""
        try:
            with _explained(), self._writer.begin() as tx:
                results = [job.work(tx) for job in batch]
        except Exception as error:  # noqa: BLE001  (it is handed to whoever waits for the job)
            return error
        for job, result in zip(batch, results, strict=True):
            job.done.set_result(result)
        return None


def _wanted(batch: Sequence[_Job]) -> list[_Job]:
    """Those that somebody still waits for; from now on they can no longer be cancelled."""
    return [job for job in batch if job.done.set_running_or_notify_cancel()]


@contextmanager
def _explained() -> Iterator[None]:
    """Turns the database's own failures into StoreUnavailable, with what to look at.

    What it will never take, however often it is tried, is our mistake and stays what it is.
    """
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError):
        raise
    except sa.exc.DBAPIError as error:
        raise StoreUnavailable(f"The database did not take it: {error.orig}.") from error
    except sa.exc.TimeoutError as error:
        raise StoreUnavailable("The database did not answer in time.") from error


def _writer_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return _postgres_engine(url, _LOCK_SETTINGS, pool_size=1, max_overflow=0)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # else an error tells what was to be stored
        poolclass=sa.StaticPool,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
    )
    sa.event.listen(engine, "connect", _prepare_writer)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_writer(connection: Any, _record: object) -> None:
    # SQLAlchemy's own events begin the transaction: pysqlite's would begin too late.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _reader_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return _postgres_engine(
            url,
            _READ_SETTINGS,
            pool_size=_READERS,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )
    uri = f"file:{quote(str(Path(url.database or '').absolute()))}?mode=ro"
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            uri, uri=True, check_same_thread=False, timeout=_BUSY_TIMEOUT_MS / 1000
        ),
        hide_parameters=True,
        poolclass=sa.QueuePool,
        pool_size=_READERS,
    )
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    sa.event.listen(engine, "connect", _prepare_reader)
    return engine


def _postgres_engine(url: sa.URL, settings: Sequence[str], **options: Any) -> sa.Engine:
    deadline = {"connect_timeout": _CONNECT_TIMEOUT}
    engine = sa.create_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args=deadline, **options
    )

    def prepare(connection: Any, _record: object) -> None:
        for setting in settings:
            connection.execute(setting)
        connection.commit()

    sa.event.listen(engine, "connect", prepare)
    return engine


def _prepare_reader(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")


def alone(tx: Transaction, work: str) -> None:
    """Let only one replica at a time go past here until this transaction ends.

    On SQLite there is one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:work))"), {"work": work})
