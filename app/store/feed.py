"""What has changed in the log since a moment: the numbers behind `GET /incidents/stream`.

Every save of an incident takes the next number of one count, in the order of the commits (replicas
write one after the other, `store/database.py`), so that whoever has seen up to a number misses
nothing. An incident has only its last one: however long somebody was away, each is told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.core.incidents import EntryKind
from app.store.database import Transaction
from app.store.tables import IncidentRow, TimelineRow, table

_incidents = table(IncidentRow)
_timeline = table(TimelineRow)

_MOST_KINDS = 5_000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """How far somebody has followed: the last change, and the timelines' last entry."""

    change: int = 0
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """The incidents changed after a position, in the order of their changes; and where that led.

    By number: the position that each led to, and the kinds of its timeline's new entries. `more`
    says that this is not all.
    """

    numbers: Sequence[int]
    places: Mapping[int, Position]
    happened: Mapping[int, Sequence[EntryKind]]
    position: Position
    more: bool


def numbers(tx: Transaction, count: int) -> range:
    """The next numbers of the count of changes, for so many incidents about to be saved."""
    last = tx.scalar(_COUNT_ON, {"count": count}) or count
    return range(last - count + 1, last + 1)


_COUNT_ON = sa.text(
    "INSERT INTO counters (name, value) VALUES ('changes', :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
_COUNTED = sa.text("SELECT value FROM counters WHERE name = 'changes'")


def position(tx: Transaction) -> Position:
    """Where the log is now."""
    entry = tx.scalar(sa.select(sa.func.max(_timeline.c.number)))
    return Position(tx.scalar(_COUNTED) or 0, entry or 0)


def changed(tx: Transaction, after: Position, *, limit: int) -> Changed:
    """At most `limit` incidents that changed after that position, the earliest first."""
    here = position(tx)
    query = sa.select(_incidents.c.id, _incidents.c.change).where(
        _incidents.c.change > after.change
    )
    found = tx.execute(query.order_by(_incidents.c.change).limit(limit + 1)).all()
    more = len(found) > limit
    found = found[:limit]
    if more:
        here = Position(found[-1].change, after.entry)
    places = {row.id: Position(row.change, after.entry) for row in found}
    if found:
        places[found[-1].id] = here
    return Changed(list(places), places, _happened(tx, list(places), after.entry), here, more)


def _happened(tx: Transaction, known: Sequence[int], after: int) -> dict[int, list[EntryKind]]:
    query = (
        sa.select(_timeline.c.incident_id, _timeline.c.kind)
        .where(_timeline.c.incident_id.in_(known), _timeline.c.number > after)
        .order_by(_timeline.c.number)
        .limit(_MOST_KINDS)
    )
    kinds: dict[int, list[EntryKind]] = {number: [] for number in known}
    for row in tx.execute(query):
        kind = EntryKind(row.kind)
        if kind not in kinds[row.incident_id]:
            kinds[row.incident_id].append(kind)
    return kinds
