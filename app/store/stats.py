"""The incident log, counted: the database puts together what is alike, so that a million
incidents cost a few thousand rows.

Durations are counted in steps, rounded down: of a second up to two minutes, of ten seconds up
to an hour, of a minute up to a day, then of an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.core.incidents import OURSELVES, EntryKind, Status
from app.core.stats import SHORT, Counted, Kind, Stats, Waited, summarise
from app.core.transitions import Ending
from app.store.database import Transaction
from app.store.tables import PEOPLE_ACTED, IncidentRow, TimelineRow, table

_incidents = table(IncidentRow)
_timeline = table(TimelineRow)

_ROWS = 1000  # fetched at a time
_MICROSECONDS = 1_000_000
_STEPS = ((120, 1), (3600, 10), (86_400, 60))  # seconds: up to where, and how wide
_WIDEST = 3600
_KIND = ("severity", "component", "alertname", "model", "model_version")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The incidents that were opened in it: from `since` to before `until`, in UTC."""

    since: datetime
    until: datetime


def summary(tx: Transaction, stretch: Stretch) -> Stats:
    """All figures of a stretch of the log."""
    return summarise(counted(tx, stretch), waits(tx, stretch))


def counted(tx: Transaction, stretch: Stretch) -> Iterator[Counted]:
    """The incidents, but for those about ourselves, by kind, status and how long they lasted."""
    unattended = _unattended()
    each = _each(
        tx,
        stretch,
        status=_incidents.c.status,
        lasted=sa.case((_over(), _step(_lasted())), else_=None),
        notifications=_incidents.c.occurrences,
        refires=_incidents.c.reopened,
        short_lived=sa.case((unattended & _short(), 1), else_=0),
        unattended=sa.case((unattended, 1), else_=0),
    )
    alike = [each.c[name] for name in (*_KIND, "status", "lasted")]
    sums = ("notifications", "refires", "short_lived", "unattended")
    query = sa.select(*alike, sa.func.count(), *(_sum(each.c[name]) for name in sums))
    for row in _rows(tx, query.group_by(*alike)):
        yield Counted(Kind(*row[:5]), Status(row[5]), *row[6:])


def waits(tx: Transaction, stretch: Stretch) -> Iterator[Waited]:
    """The incidents that anybody ever acknowledged, by kind and how long that took."""
    first = (
        sa.select(sa.func.min(_number(_timeline.c.at)))
        .where(_of_incident(), sa.text(PEOPLE_ACTED))
        .where(_timeline.c.kind == EntryKind.ACKNOWLEDGED.value)
        .scalar_subquery()
    )
    each = _each(tx, stretch, waited=_step(first - _number(_incidents.c.opened_at)))
    alike = [each.c[name] for name in (*_KIND, "waited")]
    query = sa.select(*alike, sa.func.count()).where(each.c.waited.is_not(None))
    for row in _rows(tx, query.group_by(*alike)):
        yield Waited(Kind(*row[:5]), row[5], row[6])


def opened(tx: Transaction, stretch: Stretch) -> int:
    """How many incidents were opened, but for those about ourselves."""
    query = sa.select(sa.func.count()).select_from(_incidents)
    ours = _about_ourselves(tx.dialect.name)
    return tx.scalar(query.where(_opened_in(stretch), ~ours)) or 0


def about_ourselves(tx: Transaction, stretch: Stretch) -> int:
    """How many incidents about Plantão itself were opened: all other figures leave them out."""
    query = sa.select(sa.func.count()).select_from(_incidents)
    ours = _about_ourselves(tx.dialect.name)
    return tx.scalar(query.where(_opened_in(stretch), ours)) or 0


def open_now(tx: Transaction) -> list[tuple[str, str, int]]:
    """Status and severity of the incidents that are open, and how many there are of each."""
    by = (_incidents.c.status, _incidents.c.severity)
    open_ = by[0].in_([Status.TRIGGERED.value, Status.ACKNOWLEDGED.value])
    query = sa.select(*by, sa.func.count()).where(open_).group_by(*by)
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def _rows(tx: Transaction, query: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
    with tx.execute(query, execution_options={"yield_per": _ROWS}) as found:
        yield from found


def _opened_in(stretch: Stretch) -> sa.ColumnElement[bool]:
    opened = _incidents.c.opened_at
    return (opened >= stretch.since) & (opened < stretch.until)


# What an incident is counted under


def _each(tx: Transaction, stretch: Stretch, **more: sa.ColumnElement[Any]) -> sa.Subquery:
    """Every incident that is counted: its kind, and what else is to be known of it."""
    columns, dialect = _incidents.c, tx.dialect.name
    name = sa.func.coalesce(
        _label(columns.labels, "alertname", dialect),
        _label(columns.group_labels, "alertname", dialect),
    )
    component = sa.func.nullif(columns.component, "")
    kind = (columns.severity, component, name, columns.model, columns.model_version)
    known = dict(zip(_KIND, kind, strict=True)) | more
    query = sa.select(*(column.label(name) for name, column in known.items()))
    return query.where(_opened_in(stretch), ~_about_ourselves(dialect)).subquery()


def _about_ourselves(dialect: str) -> sa.ColumnElement[bool]:
    """Others may say that they are of the component; `source` is what we add to our own."""
    ours = _label(_incidents.c.labels, "source", dialect) == OURSELVES
    return (_incidents.c.component == OURSELVES) & sa.func.coalesce(ours, sa.false())


def _label(column: sa.ColumnElement[Any], name: str, dialect: str) -> sa.ColumnElement[Any]:
    """One label of a stored JSON object of them, NULL where there is none."""
    labels = sa.type_coerce(column, sa.Text)
    if dialect == "postgresql":
        # JSONB knows no NUL; the stored JSON keeps it as an escape.
        known = sa.func.replace(labels, "\\u0000", "\\ufffd")
        value: sa.ColumnElement[Any] = sa.cast(known, postgresql.JSONB)[name].astext
        return value
    return sa.func.json_extract(labels, f"$.{name}")


# What is counted


def _unattended() -> sa.ColumnElement[bool]:
    """Over, and nobody did anything about it."""
    acted = sa.select(sa.literal(1)).where(_of_incident(), sa.text(PEOPLE_ACTED)).exists()
    by_person = _incidents.c.ending == Ending.BY_PERSON.value
    return _over() & ~sa.func.coalesce(by_person, sa.false()) & ~acted


def _over() -> sa.ColumnElement[bool]:
    return _incidents.c.status == Status.RESOLVED.value


def _short() -> sa.ColumnElement[bool]:
    """Soon over, and it did not come back."""
    brief = _lasted() < int(SHORT.total_seconds()) * _MICROSECONDS
    return brief & (_incidents.c.reopened == 0)


def _of_incident() -> sa.ColumnElement[bool]:
    return _timeline.c.incident_id == _incidents.c.id


def _lasted() -> sa.ColumnElement[int]:
    return _number(_incidents.c.resolved_at) - _number(_incidents.c.opened_at)


def _number(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """A stored time as the microseconds that it is."""
    return sa.type_coerce(column, sa.BigInteger)


def _step(microseconds: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """A duration in seconds, rounded down to its step."""
    seconds = microseconds // sa.literal(_MICROSECONDS, sa.BigInteger)
    known = sa.case((seconds < 0, 0), else_=seconds)
    widths = [(seconds < limit, width) for limit, width in _STEPS]
    return known - known % sa.case(*widths, else_=_WIDEST)


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(column), sa.BigInteger)
