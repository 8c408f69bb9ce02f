"""One statement for many rows.

On SQLite the statement and its values go past SQLAlchemy, whose part in carrying it out costs
more than SQLite's own. Each value is still bound as the type of its column says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from app.store.connections import driver
from app.store.database import Transaction

Row: TypeAlias = Mapping[str, Any]

_SQLITE = sqlite.dialect()
_AT_ONCE = 50  # more in one statement gain nothing


def execute(tx: Transaction, statement: sa.Insert | sa.Update, rows: Sequence[Row]) -> None:
    """Carry out a statement for each of the rows, in order; they all have the same keys.

    The statement must be a constant of its module: what is made of it is kept. It cannot hold
    an IN with a list of values, whose text depends on them.
    """
    if not rows:
        return
    if tx.dialect.name != "sqlite":
        tx.execute(statement, rows)
        return
    text, columns = _prepared(statement, tuple(rows[0]))
    values = list(zip(*(column(rows) for column in columns), strict=False))
    connection = driver(tx)
    if isinstance(statement, sa.Update):
        connection.executemany(text, values)
        return
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        connection.execute(_for_many(text, len(some)), tuple(chain.from_iterable(some)))


@cache
def _for_many(insert: str, count: int) -> str:
    """The text that inserts so many rows: once for all it keeps the numbering up to date."""
    before, row, after = _ONE_ROW.split(insert, maxsplit=1)
    return f"{before}{', '.join([row] * count)}{after}"


_ONE_ROW = re.compile(r"(?<= VALUES )(\([?, ]+\))")

_Column: TypeAlias = Callable[[Sequence[Row]], Iterable[Any]]


@cache
def _prepared(
    statement: sa.Insert | sa.Update, names: tuple[str, ...]
) -> tuple[str, Sequence[_Column]]:
    """The statement's text, and for each `?` in it what gives its values for some rows."""
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  (for the type checker)
    columns = [_column(compiled, name, given=name in names) for name in compiled.positiontup or ()]
    return str(compiled), columns


def _column(compiled: SQLCompiler, name: str, *, given: bool) -> _Column:
    bind = compiled.binds[name].type.dialect_impl(_SQLITE).bind_processor(_SQLITE)
    if not given:
        constant = compiled.params[name]
        return lambda _rows: repeat(bind(constant) if bind else constant)
    get = itemgetter(name)
    if bind is None:
        return lambda rows: map(get, rows)
    return lambda rows: map(bind, map(get, rows))
