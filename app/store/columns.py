"""Kinds of columns, the same for both databases.

Times are stored as whole microseconds since 1970 in UTC, JSON as text: both mean the same
in SQLite and PostgreSQL, compare as numbers, and cost little to read.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlmodel import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(types.TypeDecorator[datetime]):
    """A datetime with a time zone, as microseconds since the epoch."""

    impl = types.BigInteger
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> _Processor:  # noqa: ARG002
        return _microseconds

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> _Processor:  # noqa: ARG002
        return _datetime


class Json(types.TypeDecorator[Any]):
    """Plain JSON values as text."""

    impl = types.Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> _Processor:  # noqa: ARG002
        return _json_text

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> _Processor:  # noqa: ARG002
        return _json_value


class PlainText(types.TypeDecorator[str]):
    """Text. PostgreSQL's cannot hold a NUL: there, U+FFFD takes its place."""

    impl = types.Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> _Processor | None:
        return _without_nul if dialect.name == "postgresql" else None


# Plain functions in place of TypeDecorator's own hooks, which take three calls for each value.
_Processor: TypeAlias = Callable[[Any], Any]


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def _datetime(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + value * _MICROSECOND


def _json_text(value: object) -> str | None:
    return None if value is None else to_json(value).decode()


def _json_value(value: str | None) -> object:
    return None if value is None else from_json(value)


def _without_nul(value: str | None) -> str | None:
    return value and value.replace("\0", "\N{REPLACEMENT CHARACTER}")


class Packed(types.TypeDecorator[bytes]):
    """Bytes, compressed where that pays: the first byte says whether they are.

    Notifications repeat themselves: fifty alerts shrink to a tenth and are written in less time
    than they would have been as they came.
    """

    impl = types.LargeBinary
    cache_ok = True

    _PLAIN, _DEFLATED = b"\0", b"\1"
    _WORTH_IT = 2048  # bytes
    _FASTEST = 1

    def process_bind_param(self, value: bytes | None, _dialect: object) -> bytes | None:
        if value is None:
            return None
        if len(value) < self._WORTH_IT:
            return self._PLAIN + value
        return self._DEFLATED + zlib.compress(value, self._FASTEST)

    def process_result_value(self, value: bytes | None, _dialect: object) -> bytes | None:
        if value is None:
            return None
        packed = memoryview(value)[1:]
        return zlib.decompress(packed) if value[:1] == self._DEFLATED else bytes(packed)


# SQLite only counts by itself, and only knows its rows by, a column of exactly type INTEGER.
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")


def number() -> Any:
    """A row's number, which the database gives."""
    return Field(default=None, primary_key=True, sa_type=cast("Any", ROW_NUMBER))


def time(**options: Any) -> Any:
    """A time, which must have a time zone; it is read back in UTC."""
    return Field(sa_type=UtcTime, **options)


def json(**options: Any) -> Any:
    """Plain JSON values."""
    return Field(sa_type=cast("Any", Json), **options)


def text(**options: Any) -> Any:
    """Text, which on PostgreSQL holds no NUL."""
    return Field(sa_type=PlainText, **options)
