"""The index of words: what is stored for each incident. `lookup.py` finds incidents in it.

It is a little behind (`behind`); what it does not have yet can be read as it is (`unindexed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias, TypedDict

import sqlalchemy as sa

from app.core.incidents import Incident, Note
from app.core.notes import NOTES, notes_of
from app.core.searching import ANY_LABEL, MOST_ALERTS, Document, document
from app.store import feed
from app.store.database import Transaction
from app.store.incidents import entry_from_row, incident_from_row
from app.store.tables import AlertRow, IncidentRow, TextRow, TimelineRow, table

_incidents = table(IncidentRow)
_alerts = table(AlertRow)
_timeline = table(TimelineRow)
_texts = table(TextRow)

_READ_AT_MOST = 2_000
_MANY = 500
_ALERTS_AT_ONCE = 500  # so that nobody waits long for the writer, nor is much in memory


@dataclass(frozen=True, slots=True)
class Behind:
    """Documents that the index has not, or not like this, and how far it is with them."""

    documents: Mapping[int, Document]
    from_change: int
    to_change: int


def indexed(tx: Transaction) -> int:
    """The last change that the index knows."""
    return tx.scalar(sa.text("SELECT value FROM counters WHERE name = 'indexed'")) or 0


def behind(tx: Transaction, *, limit: int) -> Behind:
    """What is to be indexed next."""
    known = indexed(tx)
    query = sa.select(_incidents).where(_incidents.c.change > known)
    found = tx.execute(query.order_by(_incidents.c.change).limit(limit)).all()
    alerts = accumulate(min(row.firing + row.resolved, MOST_ALERTS) for row in found)
    within = sum(1 for count in alerts if count <= _ALERTS_AT_ONCE)
    rows = found[: max(within, 1)]
    whole = len(rows) == len(found) < limit
    last = feed.position(tx).change if whole else rows[-1].change
    return Behind(_documents(tx, [incident_from_row(row) for row in rows]), known, last)


def keep(tx: Transaction, new: Behind) -> list[int]:
    """Take these documents into the index, if no other replica has meanwhile.

    Returns the incidents whose document the database refuses for what it holds: they are found
    by labels only, and the others need not wait for them.
    """
    aside: list[int] = []
    if indexed(tx) != new.from_change:
        return aside
    numbers = sorted(new.documents)
    for start in range(0, len(numbers), _MANY):
        some = numbers[start : start + _MANY]
        there = set(tx.scalars(sa.select(_incidents.c.id).where(_incidents.c.id.in_(some))))
        aside += _replace(tx, {number: new.documents[number] for number in some if number in there})
    tx.execute(_INDEXED, {"value": new.to_change})
    return aside


_INDEXED = sa.text(
    "INSERT INTO counters (name, value) VALUES ('indexed', :value) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def _replace(tx: Transaction, documents: Mapping[int, Document]) -> list[int]:
    """Returns the numbers of those whose document the database refuses."""
    rows = [_row(tx, number, each) for number, each in documents.items()]
    if tx.dialect.name == "sqlite":
        rows = _changed(tx, rows)
    if not rows:
        return []
    gone = [row["id"] for row in rows]
    tx.execute(sa.delete(_texts).where(_texts.c.incident_id.in_(gone)))
    if _taken(tx, rows):
        return []
    refused = [row for row in rows if not _taken(tx, [row])]
    tx.execute(_INSERT[tx.dialect.name], [row | _UNKNOWN for row in refused])
    return [row["id"] for row in refused]


def _changed(tx: Transaction, rows: Sequence[_Row]) -> list[_Row]:
    query = sa.select(_texts).where(_texts.c.incident_id.in_([row["id"] for row in rows]))
    known = {row.incident_id: (row.words, row.labels) for row in tx.execute(query)}
    return [row for row in rows if known.get(row["id"]) != (row["words"], row["labels"])]


def _taken(tx: Transaction, rows: Sequence[_Row]) -> bool:
    """False where the database will never take one of them, however often it is asked."""
    try:
        with tx.begin_nested():
            tx.execute(_INSERT[tx.dialect.name], rows)
    except sa.exc.DBAPIError as error:
        if str(getattr(error.orig, "sqlstate", "")).startswith(_OF_CONTENT):
            return False
        raise
    return True


# PostgreSQL's classes of errors: "data exception" and "program limit exceeded".
_OF_CONTENT = ("22", "54")

_INSERT = {
    "sqlite": sa.text(
        "INSERT INTO texts (incident_id, words, labels) VALUES (:id, :words, :labels)"
    ),
    "postgresql": sa.text(
        "INSERT INTO texts (incident_id, words, labels) "
        "VALUES (:id, CAST(:words AS tsvector), CAST(:labels AS tsvector))"
    ),
}


class _Row(TypedDict):
    id: int
    words: str
    labels: str


_UNKNOWN = {"words": "", "labels": ANY_LABEL}


def _row(tx: Transaction, number: int, document: Document) -> _Row:
    marks = sorted(set(document.labels))
    if tx.dialect.name == "sqlite":
        return {"id": number, "words": " ".join(document.words), "labels": " ".join(marks)}
    places: dict[str, list[str]] = {}
    for place, word in enumerate(document.words, start=1):
        places.setdefault(word, []).append(str(place))
    # PostgreSQL keeps no more than 255 places of one word.
    vector = " ".join(f"'{word}':{','.join(at[:255])}" for word, at in places.items())
    return {"id": number, "words": vector, "labels": " ".join(f"'{mark}'" for mark in marks)}


def unindexed(tx: Transaction) -> dict[int, Document]:
    """The newest of the incidents that the index does not have as they are now: as they are."""
    query = sa.select(_incidents).where(_incidents.c.change > indexed(tx))
    rows = tx.execute(query.order_by(_incidents.c.change.desc()).limit(_READ_AT_MOST))
    return _documents(tx, [incident_from_row(row) for row in rows])


def _documents(tx: Transaction, incidents: Sequence[Incident]) -> dict[int, Document]:
    alerts, notes = _alerts_of(tx, incidents), _notes_of(tx, incidents)
    return {each.id: document(each, alerts[each.id], notes[each.id]) for each in incidents}


_Texts: TypeAlias = tuple[Mapping[str, str], Mapping[str, str]]  # labels and annotations


def _alerts_of(tx: Transaction, incidents: Sequence[Incident]) -> dict[int, list[_Texts]]:
    """MOST_ALERTS of each at most: those of many incidents at once, unless one has more."""
    found: dict[int, list[_Texts]] = {each.id: [] for each in incidents}
    few = [each.id for each in incidents if each.firing + each.resolved <= MOST_ALERTS]
    for start in range(0, len(few), _MANY):
        query = _TEXTS.where(_alerts.c.incident_id.in_(few[start : start + _MANY]))
        for row in tx.execute(query):
            found[row.incident_id].append((row.labels, row.annotations))
    for number in found.keys() - few:
        for row in tx.execute(_SOME_TEXTS, {"incident": number}):
            found[number].append((row.labels, row.annotations))
    return found


_TEXTS = sa.select(_alerts.c.incident_id, _alerts.c.labels, _alerts.c.annotations)
_SOME_TEXTS = (
    _TEXTS.where(_alerts.c.incident_id == sa.bindparam("incident"))
    .order_by(_alerts.c.fingerprint)
    .limit(MOST_ALERTS)
)


def _notes_of(tx: Transaction, incidents: Sequence[Incident]) -> dict[int, Iterable[Note]]:
    """The notes as they are now."""
    rows: dict[int, list[Any]] = {each.id: [] for each in incidents}
    numbers = list(rows)
    for start in range(0, len(numbers), _MANY):
        written = sa.select(_timeline).where(_timeline.c.kind.in_(sorted(NOTES)))
        written = written.where(_timeline.c.incident_id.in_(numbers[start : start + _MANY]))
        for row in tx.execute(written.order_by(_timeline.c.number)):
            rows[row.incident_id].append(row)
    return {number: notes_of(map(entry_from_row, some)).values() for number, some in rows.items()}
