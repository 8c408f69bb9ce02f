"""Pages of the log, found without reading much of it.

PostgreSQL plans by itself. SQLite knows nothing of how often a value occurs, so it is asked in
steps:

1. The newest (by the order asked for) are looked through, from an index that holds what is filtered
   by: what is common fills a page soon.
2. Else, where one condition leaves few incidents, these are read and sorted.
3. Else more of the newest are looked through.
4. Where that does not fill the page either, everything is looked through in that way.

A matcher that no index helps with is tried on `_TRIED` incidents at most: a page may then be
short, or empty, and is not the last one all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.incidents import Incident
from app.store.database import Transaction
from app.store.incidents import incident_from_row
from app.store.search import SORTS, Search, conditions, few, fitting, prepared, times, unfiltered
from app.store.tables import IncidentRow, table

_incidents = table(IncidentRow)

_FEW = 2_000
_NEWEST = 3_000
_MORE_OF_THEM = 12_000
_TRIED = 4_000  # incidents on which matchers are tried, for one page
_AT_ONCE = 200

Place = tuple[datetime | int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents without their alerts; `after` is where the next page begins, if there is one."""

    incidents: Sequence[Incident]
    after: Place | None


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows in order, one more than a page has if there are as many. `given_up_at` is the last
    place that matchers were tried at, where there may be more behind it."""

    rows: Sequence[Any]
    given_up_at: Place | None = None


def page(tx: Transaction, search: Search) -> Page:
    """The page of a search that begins after `search.after`."""
    search = prepared(tx, search)
    found = _found(tx, search)
    kept = found.rows[: search.limit]
    more = len(found.rows) > len(kept)
    after = _place(kept[-1]) if more else found.given_up_at
    return Page(_incidents_of(tx, search, kept), after)


def _incidents_of(tx: Transaction, search: Search, rows: Sequence[Any]) -> list[Incident]:
    if search.matchers:  # which were tried on less than whole rows
        order = [row.id for row in rows]
        query = sa.select(_incidents).where(_incidents.c.id.in_(order))
        whole = {row.id: row for row in tx.execute(query)}
        rows = [whole[number] for number in order]
    return [incident_from_row(row) for row in rows]


def _place(row: Any) -> Place:
    return row.value, row.id


def _found(tx: Transaction, search: Search) -> _Found:
    if tx.dialect.name != "sqlite" or search.numbers is not None:
        return _run(tx, search, _select(search).where(*conditions(tx, search)))
    if unfiltered(search):
        return _run(tx, search, _select(search).where(*times(search)))
    if (found := _among(tx, search, _NEWEST)) is not None:
        return found
    left = few(tx, search, _FEW)
    if left is not None:
        query = _select(search).where(_incidents.c.id.in_(left))
        return _run(tx, search, query.where(*conditions(tx, search, _ends(left))))
    if (found := _among(tx, search, _MORE_OF_THEM)) is not None:
        return found
    return _run(tx, search, _select(search).where(*conditions(tx, search)))


def _run(tx: Transaction, search: Search, query: sa.Select[Any]) -> _Found:
    """The rows of a page, and one more. Matchers are tried on rows as they are read."""
    wanted = search.limit + 1
    if not search.matchers:
        return _Found(tx.execute(query.limit(wanted)).all())
    found: list[Any] = []
    tried, last = 0, None
    with tx.execute(query.limit(_TRIED), execution_options={"yield_per": _AT_ONCE}) as rows:
        for some in rows.partitions():
            fits = fitting(tx, some, search.matchers)
            found += [row for row in some if row.id in fits]
            tried, last = tried + len(some), some[-1]
            if len(found) >= wanted:
                return _Found(found[:wanted])
    return _Found(found, _place(last) if tried == _TRIED else None)


def _select(search: Search) -> sa.Select[Any]:
    """All incidents after the page before, in order."""
    column, descending = SORTS[search.sort]
    order = [column.desc(), _incidents.c.id.desc()] if descending else [column, _incidents.c.id]
    wanted = [_incidents.c.id, _incidents.c.labels] if search.matchers else list(_incidents.c)
    query = sa.select(*wanted, column.label("value")).order_by(*order)
    if search.after is None:
        return query
    here = sa.tuple_(column, _incidents.c.id)
    there = sa.tuple_(
        sa.bindparam("value", search.after[0], type_=column.type),
        sa.bindparam("number", search.after[1]),
    )
    return query.where(here < there if descending else here > there)


def _ends(numbers: Sequence[int]) -> tuple[int, int]:
    return (min(numbers), max(numbers)) if numbers else (0, 0)


def _among(tx: Transaction, search: Search, newest: int) -> _Found | None:
    """The page, if so many of the newest incidents fill it, or are all there are."""
    column, descending = SORTS[search.sort]
    first = _select(search).with_only_columns(_incidents.c.id, column.label("value"))
    first = first.where(*times(search)).limit(newest)
    inner = first.subquery()
    lowest, highest, count, edge = tx.execute(
        sa.select(
            sa.func.min(inner.c.id),
            sa.func.max(inner.c.id),
            sa.func.count(),
            (sa.func.min if descending else sa.func.max)(inner.c.value),
        )
    ).one()
    if not count:
        return _Found([])
    query = _select(search).where(column >= edge if descending else column <= edge)
    query = query.where(_incidents.c.id.between(lowest, highest))
    found = _run(tx, search, query.where(*conditions(tx, search, (lowest, highest))))
    enough = len(found.rows) > search.limit or count < newest or found.given_up_at
    return found if enough else None
