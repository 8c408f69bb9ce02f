"""Reading and writing: one writer with group commit, and connections that only read.

On SQLite, one writer connection does everything that writes, checkpoints included:
versions before 3.51.3 can corrupt a WAL when a checkpoint on one connection races a commit
on another. What is queued while a commit is under way forms the next one; there is no timer.
On PostgreSQL the same writer is one connection among those of other replicas, and they take
turns: work that locks rows in whatever order it needs them would otherwise wait in a circle.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from app.errors import StoreUnavailable
from app.store.connections import READERS, Transaction, reader_engine, writer
from app.store.turns import Job, Turns

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Database", "Transaction", "alone"]


class Database:
    """`await db.write(function, …)` and `await db.read(function, …)`; see the module's text.

    Raises StoreUnavailable when the database takes nothing (full, locked, gone); the next
    call tries anew, so that it recovers without a restart.
    """

    def __init__(self, url: str, *, guest: bool = False) -> None:
        """A `guest` is a command beside a service, to which it leaves SQLite's checkpoints."""
        self.url = sa.make_url(url)
        self._writer = writer(self.url, guest=guest)
        self._reader = reader_engine(self.url)
        self._turns = Turns()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="plantao-read")
        self._thread = threading.Thread(target=self._run, name="plantao-write", daemon=True)
        self._thread.start()

    @property
    def replicated(self) -> bool:
        """Whether other replicas of the service may work on the same database."""
        return self.url.get_backend_name() != "sqlite"

    @property
    def pressed(self) -> bool:
        """Whether somebody waited for the writer within the last second: webhooks are coming."""
        return self._turns.pressed()

    async def write(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `work` in a transaction; when this returns, it is committed and on disk."""
        return await self._take_turn(lambda tx: work(tx, *args, **kwargs))

    async def write_first(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same for what a sender or a person waits for: it goes before the background's."""
        return await self._take_turn(lambda tx: work(tx, *args, **kwargs), urgent=True)

    async def append(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `write_first`, for what only adds rows that nobody else knows yet: it does not
        wait for other replicas."""
        return await self._take_turn(
            lambda tx: work(tx, *args, **kwargs), urgent=True, together=True
        )

    async def _take_turn(
        self, work: Callable[[Transaction], T], *, urgent: bool = False, together: bool = False
    ) -> T:
        done: Future[T] = Future()
        self._turns.put(Job(work, done, urgent, alone=not together))
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
        self._turns.close()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        while batch := self._turns.take():
            self._commit(batch)
            self._turns.over(batch)

    def _commit(self, batch: Sequence[Job]) -> None:
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

    def _attempt(self, batch: Sequence[Job]) -> Exception | None:
        """One transaction for these; what went wrong, if it is not committed."""
        try:
            with _explained(), self._writer.transaction() as tx:
                if any(job.alone for job in batch):
                    alone(tx)
                results = [job.work(tx) for job in batch]
        except Exception as error:  # noqa: BLE001  (it is handed to whoever waits for the job)
            return error
        for job, result in zip(batch, results, strict=True):
            job.done.set_result(result)
        return None


_OUR_MISTAKES = (
    sa.exc.IntegrityError,
    sa.exc.DataError,
    sa.exc.ProgrammingError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
)


@contextmanager
def _explained() -> Iterator[None]:
    """Turns the database's own failures into StoreUnavailable, with what to look at.

    What it will never take, however often it is tried, is our mistake and stays what it is.
    """
    try:
        yield
    except _OUR_MISTAKES:
        raise
    except sa.exc.DBAPIError as error:
        raise StoreUnavailable(f"The database did not take it: {error.orig}.") from error
    except sqlite3.DatabaseError as error:  # of what goes past SQLAlchemy
        raise StoreUnavailable(f"The database did not take it: {error}.") from error
    except sa.exc.TimeoutError as error:
        raise StoreUnavailable("The database did not answer in time.") from error


def alone(tx: Transaction) -> None:
    """Let only one replica at a time go past here until this transaction ends.

    What is written with `write` and `write_first` begins with this. It comes before the first
    row is locked, or two replicas wait for each other. On SQLite there is one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_ALONE)


_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtext('plantao'))")
