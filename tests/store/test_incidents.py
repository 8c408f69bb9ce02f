"""Incidents stored many at a time are read back as they were, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.core.alerts import Alert, AlertStatus
from app.core.copying import replace
from app.core.incidents import Entry, EntryKind, Incident, Status
from app.core.transitions import AlertState, Ending
from app.store import contexts, incidents
from app.store.database import Database, Transaction
from app.store.incidents import Saved
from app.store.tables import IncidentRow, table

NOW = datetime(2026, 11, 23, 18, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
MANY = 120  # more than one statement takes


def incident(number: int) -> Incident:
    return Incident(
        key=f"key-{number}",
        receivers=("on-call", "storage"),
        opened_at=NOW + timedelta(seconds=number),
        updated_at=NOW,
        title=f"'Quoted' \"title\" {number}, ação",
        labels={"alertname": "A", "n": str(number)},
        firing=1,
        occurrences=1,
        revision=1,
        truncated=bool(number % 2),
        status=Status.RESOLVED if number % 3 else Status.TRIGGERED,
        resolved_at=NOW if number % 3 else None,
        ending=Ending.RESOLVED if number % 3 else None,
    )


def state(number: int) -> AlertState:
    alert = Alert(
        f"f{number}", AlertStatus.FIRING, {"n": str(number)}, {"summary": "ação"}, starts_at=NOW
    )
    return AlertState(alert, reported_at=NOW, expires_at=LATER if number % 2 else None)


def new(number: int) -> Saved:
    entries = [Entry(EntryKind.OPENED, NOW, "a"), Entry(EntryKind.NOTE, NOW, "b", {"n": number})]
    return Saved(incident(number), [state(number)], entries)


async def test_many_new_ones_are_numbered_in_their_order_and_read_back(db: Database) -> None:
    changes = [new(number) for number in range(MANY)]
    saved = await db.write(incidents.save, changes)
    assert [i.id for i in saved] == sorted({i.id for i in saved})
    assert saved == [replace(c.incident, id=i.id) for i, c in zip(saved, changes, strict=True)]
    assert await db.write(incidents.get_many, [i.id for i in saved]) == {i.id: i for i in saved}
    for number in (0, 49, 50, MANY - 1):
        at = saved[number].id
        assert await db.read(incidents.alerts_of, at) == [state(number)]
        told = await db.read(incidents.timeline, at)
        assert [unnumbered(entry) for entry in told] == list(changes[number].entries)


def unnumbered(entry: Entry) -> Entry:
    return Entry(entry.kind, entry.at, entry.actor, entry.data)


async def test_known_ones_change_among_new_ones(db: Database) -> None:
    saved = await db.write(incidents.save, [new(number) for number in range(3)])
    changed = replace(saved[1], title="changed", resolved_at=None, revision=2)
    ended = state(1).ended(Ending.RESOLVED, at=LATER)
    mixed = [new(3), Saved(changed, [ended], []), new(4)]
    after = await db.write(incidents.save, mixed)
    assert after[1] == changed
    stored = await db.write(incidents.get_many, [*(i.id for i in saved), *(i.id for i in after)])
    assert sorted(stored) == [i.id for i in (*saved, after[0], after[2])]
    assert stored[changed.id] == changed
    assert stored[saved[0].id] == saved[0]
    assert await db.read(incidents.alerts_of, changed.id) == [ended]


async def test_numbers_are_not_given_twice(db: Database) -> None:
    first = await db.write(incidents.save, [new(0), new(1)])
    with pytest.raises(ZeroDivisionError):
        await db.write(_save_and_fail)
    await db.write(_delete, first[1].id)
    (third,) = await db.write(incidents.save, [new(2)])
    assert third.id > first[1].id


def _save_and_fail(tx: Transaction) -> None:
    incidents.save(tx, [new(9)])
    raise ZeroDivisionError


def _delete(tx: Transaction, number: int) -> None:
    rows = table(IncidentRow)
    tx.execute(sa.delete(rows).where(rows.c.id == number))


@pytest.mark.parametrize(
    ("planned", "wanted", "then"),
    [
        (None, None, None),
        (None, NOW, NOW),
        (NOW, None, NOW),
        (NOW, LATER, NOW),
        (LATER, NOW, NOW),
    ],
)
async def test_the_sources_are_asked_at_the_earliest_time_that_was_wanted(
    db: Database, planned: datetime | None, wanted: datetime | None, then: datetime | None
) -> None:
    (first,) = await db.write(incidents.save, [Saved(incident(0), [], [], ask_at=planned)])
    assert await db.read(_due, first.id) == planned
    await db.write(incidents.save, [Saved(first, [], [], ask_at=wanted)])
    assert await db.read(_due, first.id) == then


def _due(tx: Transaction, number: int) -> datetime | None:
    rows = table(IncidentRow)
    found: datetime | None = tx.scalar(sa.select(rows.c.context_due_at).where(rows.c.id == number))
    return found


async def test_a_nul_is_kept_or_replaced_as_the_database_can(db: Database) -> None:
    (saved,) = await db.write(incidents.save, [Saved(replace(incident(0), title="a\0b"), [], [])])
    stored = await db.read(incidents.get, saved.id)
    assert stored.title == ("a\N{REPLACEMENT CHARACTER}b" if db.replicated else "a\0b")


@pytest.mark.parametrize(
    ("number", "joined", "due"),
    [
        (3, None, LATER),
        (3, NOW + timedelta(seconds=1), NOW + timedelta(seconds=1)),
        (1, NOW + timedelta(seconds=1), None),  # it is over
    ],
)
async def test_whoever_joins_while_the_sources_are_asked_is_asked_about_next(
    db: Database, number: int, joined: datetime | None, due: datetime | None
) -> None:
    (stored,) = await db.write(incidents.save, [Saved(incident(number), [], [], ask_at=NOW)])
    until = NOW + timedelta(minutes=1)
    await db.write(contexts.take_due, now=NOW, again_at=until, limit=5)
    await db.write(incidents.save, [Saved(stored, [], [], ask_at=joined)])
    await db.write(contexts.asked, 1, taken_until=until, again_at=LATER)
    assert await db.read(_due, 1) == due
