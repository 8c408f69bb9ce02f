"""Silences as incidents know them: rows to core objects and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from app.core.matchers import Matcher, Op
from app.core.silences import LIVE, Silence, SilenceState
from app.errors import NotFound
from app.store.database import Transaction
from app.store.tables import SilenceRow, table

_silences = table(SilenceRow)

_CONVERTED = {"id", "incident", "state", "matchers"}
_PLAIN = [field.name for field in fields(Silence) if field.name not in _CONVERTED]
_MANY = 500  # SQLite takes a limited number of values in one statement
# Spelt out, not bound: only so does SQLite see that the partial index will do.
_LIVE = sa.text("silences.state NOT IN ('ended', 'not made')")


def add(tx: Transaction, silence: Silence) -> Silence | None:
    """Store a new silence and return it with its number; None if this incident has it already."""
    if silence.reference and _known(tx, silence.incident, silence.reference):
        return None
    insert = sa.insert(_silences).returning(_silences.c.id)
    return replace(silence, id=tx.scalar(insert, _values(silence)))


def save(tx: Transaction, silence: Silence) -> None:
    """Store a known silence as it is now."""
    tx.execute(sa.update(_silences).where(_silences.c.id == silence.id), _values(silence))


def drop(tx: Transaction, number: int) -> None:
    """Forget a silence that never was."""
    tx.execute(sa.delete(_silences).where(_silences.c.id == number))


def get(tx: Transaction, number: int, *, for_update: bool = False) -> Silence:
    """One silence; raises NotFound."""
    query = sa.select(_silences).where(_silences.c.id == number)
    row = tx.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no silence {number}.")
    return _silence(row)


def of_incidents(tx: Transaction, numbers: Sequence[int]) -> dict[int, list[Silence]]:
    """The silences of these incidents, oldest first, by incident number."""
    found: dict[int, list[Silence]] = {number: [] for number in numbers}
    query = sa.select(_silences).where(_silences.c.incident_id.in_(numbers))
    for row in tx.execute(query.order_by(_silences.c.id)):
        found[row.incident_id].append(_silence(row))
    return found


def of_incident(tx: Transaction, number: int) -> list[Silence]:
    """The silences of one incident, oldest first."""
    return of_incidents(tx, [number])[number]


def live(tx: Transaction) -> list[Silence]:
    """Every silence that is in force, or is to be, oldest first."""
    return [_silence(row) for row in tx.execute(_select().where(_LIVE))]


def concerned(
    tx: Transaction, references: Collection[str], tokens: Collection[str]
) -> list[Silence]:
    """Those that are live, or that Alertmanager lists under one of these, oldest first."""
    found = {silence.id: silence for silence in live(tx)}
    for column, values in ((_silences.c.reference, references), (_silences.c.token, tokens)):
        for some in _chunks(sorted(values)):
            rows = tx.execute(_select().where(column.in_(some)))
            found |= {row.id: _silence(row) for row in rows}
    return [found[number] for number in sorted(found)]


def sharing(tx: Transaction, reference: str) -> list[Silence]:
    """The live rows of one silence of Alertmanager's, of every incident that it concerns."""
    query = _select().where(_silences.c.reference == reference, _LIVE).with_for_update()
    return [_silence(row) for row in tx.execute(query)]


def take_due(tx: Transaction, *, now: datetime, again_at: datetime, limit: int) -> list[Silence]:
    """Wanted silences that are to be made now; each is due again at `again_at`, if we die."""
    query = (
        _select()
        .where(_LIVE, _silences.c.state == SilenceState.WANTED.value, _silences.c.due_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = [replace(_silence(row), due_at=again_at) for row in tx.execute(query)]
    for silence in taken:
        save(tx, silence)
    return taken


def _known(tx: Transaction, incident: int, reference: str) -> bool:
    same = (_silences.c.incident_id == incident) & (_silences.c.reference == reference)
    return tx.scalar(sa.select(sa.literal(1)).where(same)) is not None


def _select() -> Any:
    return sa.select(_silences).order_by(_silences.c.id)


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))


def _values(silence: Silence) -> dict[str, Any]:
    return {name: getattr(silence, name) for name in _PLAIN} | {
        "incident_id": silence.incident,
        "state": silence.state.value,
        "matchers": [[each.name, each.op, each.value] for each in silence.matchers],
    }


def _silence(row: Any) -> Silence:
    matchers = tuple(Matcher(name, cast("Op", op), value) for name, op, value in row.matchers)
    plain = {name: getattr(row, name) for name in _PLAIN}
    state = SilenceState(row.state)
    return Silence(incident=row.incident_id, id=row.id, matchers=matchers, state=state, **plain)


assert {SilenceState.ENDED, SilenceState.NOT_MADE} == set(SilenceState) - LIVE  # noqa: S101
