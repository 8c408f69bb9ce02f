"""A digest is in one pair of hands at a time, and in doubt until it is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.core.postings import Destination
from app.store import digests
from app.store.database import Database
from app.store.digests import Failure

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLACES = [Destination("slack", "#a"), Destination("email", "a@b.c")]


async def test_each_week_is_planned_once(db: Database) -> None:
    assert not await db.read(digests.planned, NOW)
    for _ in range(2):
        await db.write(digests.plan, NOW, PLACES, now=NOW)
    assert await db.read(digests.planned, NOW)
    assert not await db.read(digests.planned, NOW + timedelta(days=7))
    first = await db.write(digests.lease, now=NOW)
    second = await db.write(digests.lease, now=NOW)
    assert first is not None
    assert second is not None
    assert {first.destination, second.destination} == set(PLACES)
    assert first.token != second.token
    assert await db.write(digests.lease, now=NOW) is None


async def test_what_nobody_recorded_is_in_doubt_for_whoever_takes_it_next(db: Database) -> None:
    await db.write(digests.plan, NOW, PLACES[:1], now=NOW)
    first = await db.write(digests.lease, now=NOW)
    later = NOW + timedelta(minutes=3)
    again = await db.write(digests.lease, now=later)
    assert first is not None
    assert again is not None
    assert (first.in_doubt, again.in_doubt) == (False, True)
    assert again.token == first.token
    await db.write(digests.sent, again, now=later)
    assert not await db.read(digests.any_due, now=later + timedelta(days=1))
    assert await db.read(digests.planned, NOW)


async def test_what_failed_is_due_again_or_given_up(db: Database) -> None:
    await db.write(digests.plan, NOW, PLACES[:1], now=NOW)
    due = await db.write(digests.lease, now=NOW)
    assert due is not None
    later = NOW + timedelta(seconds=5)
    await db.write(digests.failed, due, Failure("busy", later, in_doubt=False))
    assert not await db.read(digests.any_due, now=NOW)
    again = await db.write(digests.lease, now=later)
    assert again is not None
    assert (again.attempts, again.in_doubt) == (1, False)
    await db.write(digests.failed, again, Failure("gone", None, in_doubt=False))
    assert not await db.read(digests.any_due, now=later + timedelta(days=1))


async def test_old_ones_are_forgotten(db: Database) -> None:
    await db.write(digests.plan, NOW, PLACES, now=NOW)
    assert await db.write(digests.purge, before=NOW, limit=10) == 0
    assert await db.write(digests.purge, before=NOW + timedelta(seconds=1), limit=10) == 2
