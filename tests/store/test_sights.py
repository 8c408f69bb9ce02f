"""What was seen last is put down by whoever looked first, together with what it tells, or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.config import default_config
from app.core.facts import Change
from app.engine.ledger import Ledger
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.store import changes, sights
from app.store.database import Database
from app.store.sights import Sight
from tests.clock import START, FakeClock

FIRST = Sight(START, '{"champion":"2"}')
MOVED = Change("mlflow", "alias_moved", "m: champion 2 → 3", START)


@pytest.fixture
def ledger(db: Database) -> Ledger:
    policy = PolicyInForce(Policy(default_config(slack_channel=None, email_to=())))
    return Ledger(db, policy, Signals(), FakeClock())


async def test_the_second_of_two_who_saw_the_same_puts_nothing_down(db: Database) -> None:
    assert await db.read(sights.last, "registry") is None
    assert await db.write(sights.put, "registry", FIRST)
    assert not await db.write(sights.put, "registry", FIRST)
    last = await db.read(sights.last, "registry")
    assert last == replace(FIRST, revision=1)
    later = replace(last, at=START + timedelta(seconds=30), state="{}")
    assert await db.write(sights.put, "registry", later)
    assert not await db.write(sights.put, "registry", later)
    assert await db.read(sights.last, "registry") == replace(later, revision=2)
    assert await db.read(sights.last, "another") is None


async def test_a_change_is_kept_with_the_sight_that_tells_of_it_or_not_at_all(
    db: Database, ledger: Ledger
) -> None:
    assert await ledger.see("registry", FIRST, []) == []
    last = await ledger.last_sight("registry")
    assert last
    assert len(await ledger.see("registry", last, [MOVED]) or ()) == 1
    assert await ledger.see("registry", last, [MOVED]) is None
    assert [one.title for one in await db.read(changes.newest, limit=9)] == [MOVED.title]


async def test_a_delivery_that_is_known_leaves_the_sight_alone(ledger: Ledger) -> None:
    await ledger.add(MOVED, delivery="d1")
    assert await ledger.see("registry", FIRST, [MOVED], delivery="d1") == []
    assert await ledger.last_sight("registry") is None


async def test_the_times_between_which_a_change_was_are_kept(db: Database, ledger: Ledger) -> None:
    vague = replace(MOVED, not_before=START - timedelta(hours=3))
    kept = await ledger.add(vague)
    assert kept
    assert await db.read(changes.newest, limit=9) == [kept]
    between = [
        await db.read(changes.between, START - timedelta(hours=9), until, limit=9)
        for until in (START - timedelta(hours=4), START - timedelta(hours=2), START)
    ]
    assert between == [[], [kept], [kept]]
