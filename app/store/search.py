"""What can be looked for in the log, as conditions on incidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.dialects import postgresql

from app.core.alerts import severity_rank
from app.core.matchers import Matcher
from app.core.searching import label_word, phrases, receiver_word
from app.store.database import Transaction
from app.store.lookup import Asked, Within, asked_for, having, some_having
from app.store.tables import AlertRow, IncidentRow, table

_incidents = table(IncidentRow)
_alerts = table(AlertRow)

#: By column, and whether the greatest comes first. `severity` counts as people do: first is worst.
SORTS = {
    "opened_at": (_incidents.c.opened_at, False),
    "-opened_at": (_incidents.c.opened_at, True),
    "updated_at": (_incidents.c.updated_at, False),
    "-updated_at": (_incidents.c.updated_at, True),
    "severity": (_incidents.c.urgency, True),
    "-severity": (_incidents.c.urgency, False),
}


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. Values of one filter are alternatives; filters are combined.

    `matchers` must all hold for one of the incident's alerts. `numbers` are the only incidents
    to look at, if given. Times are in UTC. `after` is the sort value and number of the last row
    of the page before. `asked` is what the index of words is asked, once `prepared`.
    """

    statuses: Sequence[str] = ()
    severities: Sequence[str] = ()
    receivers: Sequence[str] = ()
    models: Sequence[str] = ()
    model_versions: Sequence[str] = ()
    labels: Sequence[tuple[str, Sequence[str]]] = ()
    matchers: Sequence[Matcher] = ()
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    text: str | None = None
    sort: str = "-opened_at"
    limit: int = 50
    after: tuple[datetime | int, int] | None = None
    numbers: Sequence[int] | None = None
    asked: Asked | None = None


def prepared(tx: Transaction, search: Search) -> Search:
    """The search, with what the index of words knows of it looked up once."""
    asked = asked_for(tx, phrases(search.text or ""), list(_marks(search)))
    return replace(search, asked=asked)


def conditions(
    tx: Transaction, search: Search, within: Within = None
) -> list[sa.ColumnElement[bool]]:
    """All that must hold of an incident, but for matchers of which SQL knows nothing."""
    found = _of_columns(search)
    if search.severities and (tx.dialect.name != "sqlite" or "severity" in search.sort):
        # They lead the way in the index. SQLite would always follow, past better indexes.
        found.append(_is_as_urgent(search.severities))
    found += [having(tx, search.asked, within)] if search.asked else []
    found += [_titled(search)] if _is_no_word(search) else []
    if search.receivers:
        found.append(_lists(_incidents.c.receivers, search.receivers, tx.dialect.name))
    found += [_has_label(name, values, tx.dialect.name) for name, values in search.labels]
    if search.numbers is not None:
        found.append(_incidents.c.id.in_(search.numbers))
    return found


def _is_no_word(search: Search) -> bool:
    """Whether the text is one such as `%`: it is looked for as it stands, in titles."""
    return bool((search.text or "").strip()) and not (search.asked and search.asked.phrases)


def _titled(search: Search) -> sa.ColumnElement[bool]:
    return _incidents.c.title.icontains((search.text or "").strip(), autoescape=True)


def _of_columns(search: Search) -> list[sa.ColumnElement[bool]]:
    found = [*_exactly(search), *times(search)]
    found += [_incidents.c.severity.in_(search.severities)] if search.severities else []
    return found


def _exactly(search: Search) -> Iterator[sa.ColumnElement[bool]]:
    for column, values in (
        (_incidents.c.status, search.statuses),
        (_incidents.c.model, search.models),
        (_incidents.c.model_version, search.model_versions),
    ):
        if values:
            yield column.in_(values)


def times(search: Search) -> Iterator[sa.ColumnElement[bool]]:
    """When an incident must have been opened."""
    if search.opened_after is not None:
        yield _incidents.c.opened_at >= search.opened_after
    if search.opened_before is not None:
        yield _incidents.c.opened_at < search.opened_before


def unfiltered(search: Search) -> bool:
    """Whether nothing but times is asked for, and matchers of which SQL knows nothing."""
    columns = [*_exactly(search), *search.severities]
    return not (columns or search.asked or _is_no_word(search))


def few(tx: Transaction, search: Search, limit: int) -> list[int] | None:
    """The numbers of the incidents that one of the conditions leaves, if they are so few."""
    for condition in _leading(search):
        if _count(tx, condition, limit + 1) <= limit:
            return _numbers(tx, condition, limit)
    if search.asked:
        found = some_having(tx, search.asked, limit + 1)
        return found if len(found) <= limit else None
    return None


def _leading(search: Search) -> Iterator[sa.ColumnElement[bool]]:
    """The conditions that have an index of their own."""
    yield from _exactly(search)
    if search.severities:
        yield _is_as_urgent(search.severities) & _incidents.c.severity.in_(search.severities)


def _is_as_urgent(severities: Sequence[str]) -> sa.ColumnElement[bool]:
    return _incidents.c.urgency.in_(sorted({severity_rank(name) for name in severities}))


def _count(tx: Transaction, condition: sa.ColumnElement[bool], limit: int) -> int:
    some = sa.select(_incidents.c.id).where(condition).limit(limit).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def _numbers(tx: Transaction, condition: sa.ColumnElement[bool], limit: int) -> list[int]:
    return list(tx.scalars(sa.select(_incidents.c.id).where(condition).limit(limit)))


def _marks(search: Search) -> Iterator[list[str]]:
    """For each condition on labels and receivers, the words one of which must be there."""
    for name, values in search.labels:
        yield [label_word(name, value) for value in values]
    for each in search.matchers:
        if each.op == "=" and each.value:
            yield [label_word(each.name, each.value)]
    if search.receivers:
        yield [receiver_word(name) for name in search.receivers]


def fitting(tx: Transaction, found: Sequence[Any], matchers: Sequence[Matcher]) -> frozenset[int]:
    """The numbers of those rows (`id`, `labels`) one of whose alerts fulfils all matchers.

    A label that all alerts of an incident share is decided without reading them.
    """
    numbers = set()
    asked: dict[int, Sequence[Matcher]] = {}
    for each in found:
        shared = [matcher for matcher in matchers if matcher.name in each.labels]
        if not all(matcher.matches(each.labels) for matcher in shared):
            continue
        if len(shared) == len(matchers):
            numbers.add(each.id)
        else:
            asked[each.id] = [matcher for matcher in matchers if matcher not in shared]
    if not asked:
        return frozenset(numbers)
    query = sa.select(_alerts.c.incident_id, _alerts.c.labels)
    for number, labels in tx.execute(query.where(_alerts.c.incident_id.in_(asked))):
        if number not in numbers and all(each.matches(labels) for each in asked[number]):
            numbers.add(number)
    return frozenset(numbers)


def _lists(column: Any, values: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    """Whether a stored JSON list of texts holds one of these; JSON quotes each of them.

    Not LIKE, to which on SQLite `A` and `a` are the same.
    """
    place = sa.func.strpos if dialect == "postgresql" else sa.func.instr
    text = sa.type_coerce(column, sa.Text)
    return sa.or_(*(place(text, to_json(value).decode()) > 0 for value in values))


def _has_label(name: str, values: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    """Whether any alert of the incident has the label with one of these values."""
    labels = sa.type_coerce(_alerts.c.labels, sa.Text)
    value: sa.ColumnElement[Any]
    if dialect == "postgresql":
        # JSONB knows no NUL either; the stored JSON keeps it as an escape.
        known = sa.func.replace(labels, "\\u0000", "\\ufffd")
        value = sa.cast(known, postgresql.JSONB)[name].astext
    else:
        value = sa.func.json_extract(labels, f'$."{name}"')
    return (
        sa.select(sa.literal(1))
        .where(_alerts.c.incident_id == _incidents.c.id, value.in_(values))
        .exists()
    )
