"""Pages of the log, found without reading much of it.

PostgreSQL plans by itself. SQLite knows nothing of how often a value occurs, so it is asked in
steps:

1. The newest (by the order asked for) are looked through, from an index that holds what is filtered
   by: what is common fills a page soon.
2. Else, where one condition leaves few incidents, these are read and sorted.
3. Else more of the newest are looked through.
4. Where that does not fill the page either, everything is looked through in that way.

A matcher that no index helps with is tried on so many incidents at most: a page may then be short,
or empty, and is not the last one all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.alerts import severity_rank
from app.core.incidents import Incident
from app.store.database import Transaction
from app.store.incidents import incident_from_row
from app.store.search import SORTS, Search, conditions, few, fitting, prepared, unfiltered
from app.store.tables import IncidentRow, table

_incidents = table(IncidentRow)

_FEW = 2_000
_NEWEST = 1_000
_MORE_OF_THEM = 10_000
_TRIED = 4_000  # incidents of which the alerts are looked at, for one page
_MORE = 4  # times as many at once, where those before did not fill the page

Place = tuple[datetime | int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents without their alerts; `after` is where the next page begins, if there is one."""

    incidents: Sequence[Incident]
    after: Place | None


def page(tx: Transaction, search: Search) -> Page:
    """The page of a search that begins after `search.after`."""
    search = prepared(tx, search)
    if not search.matchers:
        return _cut(_rows(tx, replace(search, limit=search.limit + 1)), search)
    found: list[Incident] = []
    tried, after, at_once = 0, search.after, 2 * search.limit
    while tried < _TRIED:
        some = _rows(tx, replace(search, limit=at_once, after=after))
        tried += len(some)
        fits = fitting(tx, some, search.matchers)
        found += [each for each in some if each.id in fits]
        if len(found) > search.limit or len(some) < at_once:
            return _cut(found, search)
        after = _place(some[-1], search.sort)
        at_once = min(_MORE * at_once, _TRIED - tried)
    return Page(found, after)


def _cut(found: Sequence[Incident], search: Search) -> Page:
    if len(found) <= search.limit:
        return Page(found, None)
    kept = found[: search.limit]
    return Page(kept, _place(kept[-1], search.sort))


def _place(incident: Incident, sort: str) -> Place:
    name = SORTS[sort][0].name
    if name == "urgency":
        return severity_rank(incident.severity), incident.id
    at: datetime = getattr(incident, name)
    return at, incident.id


def _rows(tx: Transaction, search: Search) -> list[Incident]:
    if tx.dialect.name != "sqlite" or search.numbers is not None:
        return _run(tx, search, _select(search).where(*conditions(tx, search)))
    if unfiltered(search):
        return _run(tx, search, _select(search).where(*_times(search)))
    if (found := _among(tx, search, _NEWEST)) is not None:
        return found
    left = few(tx, search, _FEW)
    if left is not None:
        query = _select(search).where(_incidents.c.id.in_(left))
        return _run(tx, search, query.where(*conditions(tx, search, _ends(left))))
    if (found := _among(tx, search, _MORE_OF_THEM)) is not None:
        return found
    return _run(tx, search, _select(search).where(*conditions(tx, search)))


def _run(tx: Transaction, search: Search, query: sa.Select[Any]) -> list[Incident]:
    return [incident_from_row(row) for row in tx.execute(query.limit(search.limit))]


def _select(search: Search) -> sa.Select[Any]:
    """All incidents after the page before, in order."""
    column, descending = SORTS[search.sort]
    order = [column.desc(), _incidents.c.id.desc()] if descending else [column, _incidents.c.id]
    query = sa.select(_incidents).order_by(*order)
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


def _among(tx: Transaction, search: Search, newest: int) -> list[Incident] | None:
    """The page, if so many of the newest incidents fill it, or are all there are."""
    column, descending = SORTS[search.sort]
    first = _select(search).with_only_columns(_incidents.c.id, column.label("value"))
    first = first.where(*_times(search)).limit(newest)
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
        return []
    query = _select(search).where(column >= edge if descending else column <= edge)
    query = query.where(_incidents.c.id.between(lowest, highest))
    found = _run(tx, search, query.where(*conditions(tx, search, (lowest, highest))))
    return found if len(found) == search.limit or count < newest else None


def _times(search: Search) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if search.opened_after is not None:
        found.append(_incidents.c.opened_at >= search.opened_after)
    if search.opened_before is not None:
        found.append(_incidents.c.opened_at < search.opened_before)
    return found
