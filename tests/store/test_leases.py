"""A posting is in one pair of hands at a time, and only those record what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.incidents import Incident
from app.core.postings import LEASE, MAIL_DEADLINE, Destination, Place, Posting, PostingState
from app.store import incidents, postings
from app.store.database import Database, Transaction
from app.store.incidents import Saved

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
THERE = Destination("email", "a@example.com,b@example.com")


@pytest.fixture
async def db(db: Database) -> Database:
    """With one posting that is due."""
    await db.write(_begin)
    return db


def _begin(tx: Transaction) -> None:
    incident = Incident(key="k", receivers=("oncall",), opened_at=NOW, updated_at=NOW)
    [stored] = incidents.save(tx, [Saved(incident, [], [])])
    postings.show(tx, [(stored, [Place("oncall", THERE)])], now=NOW)


async def taken(db: Database, by: str, now: datetime) -> Posting | None:
    return await db.write(postings.lease, THERE, by=by, now=now)


async def record(db: Database, posting: Posting, by: str, *, root: str, now: datetime) -> None:
    shown = replace(posting, root=root, state=PostingState.SHOWN)
    await db.write(postings.record, shown, by=by, due_at=None, now=now)


async def shown(db: Database) -> Posting:
    [found] = (await db.read(postings.of_incidents, [1]))[1]
    return found


async def test_nobody_else_hands_in_a_mail_that_may_still_be_handed_in(db: Database) -> None:
    assert await taken(db, "one", NOW)
    assert await taken(db, "two", NOW + MAIL_DEADLINE) is None
    later = await taken(db, "two", NOW + LEASE)
    assert later is not None
    assert later.in_doubt


async def test_whoever_lost_the_lease_records_nothing(db: Database) -> None:
    mine = await taken(db, "one", NOW)
    later = NOW + LEASE
    theirs = await taken(db, "two", later)
    assert mine is not None
    assert theirs is not None
    await record(db, mine, "one", root="mine", now=later)
    assert (await shown(db)).root is None
    assert await taken(db, "three", later) is None
    await record(db, theirs, "two", root="theirs", now=later)
    assert (await shown(db)).root == "theirs"


async def test_a_lease_that_ran_out_while_nobody_wanted_it_is_still_ours(db: Database) -> None:
    mine = await taken(db, "one", NOW)
    assert mine is not None
    await record(db, mine, "one", root="mine", now=NOW + 2 * LEASE)
    assert (await shown(db)).root == "mine"
    assert await taken(db, "two", NOW + timedelta(days=1)) is None
