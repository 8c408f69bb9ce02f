"""Connections to the database: the one that writes, and those that only read."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import quote

import sqlalchemy as sa

Transaction: TypeAlias = sa.Connection
"""What a transaction function works on. It is plain and cannot await: it never waits for
anything but the database, and it may be run a second time if another one in its batch fails."""

READERS = 3

_BUSY_TIMEOUT_MS = 2_000
_CONNECT_TIMEOUT = 5  # seconds
# Waiting for somebody's lock, or for an answer, ends: the sender is better told to try again.
_LOCK_SETTINGS = ("SET lock_timeout = '5s'",)
_READ_SETTINGS = (*_LOCK_SETTINGS, "SET statement_timeout = '30s'")
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    # In a log of millions each new alert is put into pages that are far apart. All that one
    # transaction changes stays in memory (4 MB, or what it takes) until it ends, else they are
    # written twice; and they are put back into the file after 16 MB of the WAL.
    "cache_size=-4000",
    "cache_spill=OFF",
    "wal_autocheckpoint=4000",
)


class Writer(ABC):
    """The one connection that writes; used by one thread."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction that is on disk when it ends, or undone when an error leaves it."""

    @abstractmethod
    def close(self) -> None: ...


def driver(tx: Transaction) -> sqlite3.Connection:
    """SQLite's own connection behind a transaction, for what SQLAlchemy would slow down.

    What it raises is sqlite3's; `Database` knows those errors as well as SQLAlchemy's.
    """
    return cast("sqlite3.Connection", tx.connection.driver_connection)


def writer(url: sa.URL, *, guest: bool = False) -> Writer:
    """The writer for this kind of database; a `guest` makes no checkpoints while others write.

    Raises OSError where its folder cannot be made.
    """
    sqlite = url.get_backend_name() == "sqlite"
    return _SqliteWriter(url, guest=guest) if sqlite else _PostgresWriter(url)


class _PostgresWriter(Writer):
    def __init__(self, url: sa.URL) -> None:
        self._engine = _postgres_engine(url, _LOCK_SETTINGS, pool_size=1, max_overflow=0)

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self._engine.begin()

    def close(self) -> None:
        self._engine.dispose()


class _SqliteWriter(Writer):
    """It begins and ends its transactions itself: past SQLAlchemy, and past the driver, which
    would begin too late. What those two do for a transaction costs as much as SQLite's part."""

    def __init__(self, url: sa.URL, *, guest: bool) -> None:
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(
            url,
            hide_parameters=True,  # else an error tells what was to be stored
            poolclass=sa.StaticPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
        )
        pragmas = (*_PRAGMAS, "wal_autocheckpoint=0") if guest else _PRAGMAS
        sa.event.listen(self._engine, "connect", partial(_prepare_writer, pragmas))
        self._open: tuple[Transaction, sqlite3.Connection] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        tx, driver = self._open or self._connect()
        driver.execute("BEGIN IMMEDIATE")
        try:
            yield tx
            driver.execute("COMMIT")
        except BaseException:
            if driver.in_transaction:  # SQLite undoes some failed ones itself
                driver.execute("ROLLBACK")
            raise

    def close(self) -> None:
        if self._open:
            self._open[0].close()
        self._engine.dispose()

    def _connect(self) -> tuple[Transaction, sqlite3.Connection]:
        tx = self._engine.connect()
        tx.begin()  # in SQLAlchemy's eyes one that never ends: nobody commits in between
        self._open = tx, driver(tx)
        return self._open


def _prepare_writer(pragmas: Sequence[str], connection: Any, _record: object) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")


def reader_engine(url: sa.URL) -> sa.Engine:
    """Connections that cannot write, each transaction on one consistent snapshot."""
    if url.get_backend_name() != "sqlite":
        return _postgres_engine(
            url,
            _READ_SETTINGS,
            pool_size=READERS,
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
        pool_size=READERS,
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
