"""Sources that answer, hang, fail and lie: what the incident then says of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.config import load
from app.core.context import Moment
from app.core.facts import Earlier, Facts, Missing
from app.engine.breaker import Breaker
from app.engine.enrich import Enrich
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.enrichers.enricher import Enricher, Subject
from app.errors import NeighbourFailed, Unanswerable
from app.store import contexts, incidents
from app.store.database import Database, Transaction
from app.store.incidents import Saved
from tests.clock import START, FakeClock
from tests.house import alert, notification, serving
from tests.waiting import tell


@dataclass
class Source:
    """A source of context of our own making: a new one is one class."""

    name: str = "oracle"
    refreshes: bool = False
    says: Facts | Exception | None = None
    hangs: bool = False
    asked: list[datetime] = field(default_factory=list)

    async def find(self, subject: Subject) -> Facts | None:
        self.asked.append(subject.at)
        if self.hangs:
            await asyncio.sleep(60)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@dataclass
class Meeting:
    """A source that waits for another one."""

    name: str
    together: asyncio.Barrier
    refreshes: bool = False

    async def find(self, subject: Subject) -> Facts | None:  # noqa: ARG002
        await self.together.wait()
        return Earlier(count=1, days=90)


@dataclass
class Busy:
    """A source that answers when it is told to."""

    name: str = "oracle"
    refreshes: bool = True
    asked: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, subject: Subject) -> Facts | None:  # noqa: ARG002
        self.asked += 1
        self.began.set()
        await self.answers.wait()
        return Earlier(count=self.asked, days=90)


@asynccontextmanager
async def asking(directory: Path, clock: FakeClock, *sources: Enricher) -> AsyncIterator[Any]:
    """An incident on disk, and a loop with these sources that has not asked yet."""
    config = directory / "plantao.yml"
    config.write_text("receivers: {o: {console: true}}\ncontext: {deadline: 100ms}\n")
    url = f"sqlite:///{directory / 'plantao.db'}"
    async with serving(directory, clock=clock, config=config) as house:
        await tell(house, notification(alert("ScoringSlow")))
    db = Database(url)
    try:
        await db.write(ask, at=clock.now())
        policy = PolicyInForce(Policy(load(config)))
        yield Enrich(db, policy, Signals(), clock, enrichers=sources), db
    finally:
        db.close()


def ask(tx: Transaction, *, at: datetime) -> None:
    """The sources are to be asked about the incident then."""
    incidents.save(tx, [Saved(incidents.get(tx, 1), [], [], ask_at=at)])


async def told(db: Database, moment: Moment, source: str = "oracle") -> Facts | Missing | None:
    context = await db.read(contexts.of_incident, 1)
    found = context.opening if moment is Moment.OPENING else context.latest
    return found[source].facts if source in found else None


async def test_facts_of_the_opening_are_frozen_and_later_ones_stand_beside(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Source(refreshes=True, says=Earlier(count=1, days=90))
    async with asking(tmp_path, clock, source) as (enrich, db):
        await enrich.step()
        source.says = Earlier(count=2, days=90)
        await clock.advance(minutes=6)
        await enrich.step()
        assert await told(db, Moment.OPENING) == Earlier(count=1, days=90)
        assert await told(db, Moment.LATEST) == Earlier(count=2, days=90)
        assert source.asked == [START, START + timedelta(minutes=6)]


async def test_a_source_that_does_not_refresh_is_asked_once(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Source(says=Earlier(count=1, days=90))
    async with asking(tmp_path, clock, source) as (enrich, _):
        for _ in range(3):
            await enrich.step()
            await clock.advance(minutes=6)
        assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Source(hangs=True), "did not answer within 0.1 s"),
        (Source(says=NeighbourFailed("It is being repaired.")), "It is being repaired."),
        (Source(says=RuntimeError("a secret")), "failed unexpectedly"),
    ],
)
async def test_what_fails_is_missing_with_its_reason_and_others_are_not(
    tmp_path: Path, trouble: Source, reason: str
) -> None:
    other = Source(name="other", says=Earlier(count=7, days=90))
    async with asking(tmp_path, FakeClock(), trouble, other) as (enrich, db):
        await enrich.step()
        missing = await told(db, Moment.OPENING)
        assert isinstance(missing, Missing)
        assert reason in missing.reason
        assert "secret" not in missing.reason
        assert await told(db, Moment.OPENING, "other") == Earlier(count=7, days=90)


async def test_what_was_missing_is_filled_in_for_the_opening(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Source(says=NeighbourFailed("It is being repaired."))
    async with asking(tmp_path, clock, source) as (enrich, db):
        await enrich.step()
        source.says = Earlier(count=1, days=90)
        await clock.advance(minutes=6)
        await enrich.step()
        assert await told(db, Moment.OPENING) == Earlier(count=1, days=90)
        assert source.asked == [START, START]  # both times about the opening


async def test_a_source_that_is_down_rests(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Source(says=NeighbourFailed("It is down."))
    async with asking(tmp_path, clock, source) as (enrich, db):
        for _ in range(4):
            await db.write(ask, at=clock.now())
            await enrich.step()
        assert len(source.asked) == 3
        assert enrich.resting() == ["oracle"]
        missing = await told(db, Moment.OPENING)
        assert isinstance(missing, Missing)
        assert "not asked for now" in missing.reason


async def test_a_source_that_has_no_answer_to_this_question_is_not_down(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Source(says=Unanswerable("MLflow does not know the model x."))
    async with asking(tmp_path, clock, source) as (enrich, db):
        for _ in range(5):
            await db.write(ask, at=clock.now())
            await enrich.step()
        assert len(source.asked) == 5
        assert enrich.resting() == []
        assert await told(db, Moment.OPENING) == Missing("MLflow does not know the model x.")


async def test_no_answer_to_this_question_ends_a_row_of_failures(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Source()
    async with asking(tmp_path, clock, source) as (enrich, db):
        down, unknown = NeighbourFailed("It is down."), Unanswerable("There is no such thing.")
        for source.says in (down, down, unknown, down, down):
            await db.write(ask, at=clock.now())
            await enrich.step()
        assert enrich.resting() == []


async def test_alerts_that_join_while_the_sources_answer_make_them_be_asked_again(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    busy = Busy()
    async with asking(tmp_path, clock, busy) as (enrich, db):
        asking_ = asyncio.create_task(enrich.step())
        await busy.began.wait()
        await clock.advance(seconds=1)
        await db.write(ask, at=clock.now())
        busy.answers.set()
        await asking_
        assert await enrich.step()
        assert busy.asked == 2
        assert not await enrich.step()


async def test_sources_are_asked_side_by_side(tmp_path: Path) -> None:
    """Each answers only once the other has been asked."""
    together = asyncio.Barrier(2)
    sources = [Meeting(name=name, together=together) for name in ("one", "other")]
    async with asking(tmp_path, FakeClock(), *sources) as (enrich, db):
        await enrich.step()
        for source in sources:
            assert await told(db, Moment.OPENING, source.name) == Earlier(count=1, days=90)


def test_a_breaker_rests_longer_each_time_and_forgets_at_the_first_answer() -> None:
    breaker, now = Breaker(), START
    rests = []
    for _ in range(7):
        breaker.failed(now)
        rests.append(breaker.rests_until and (breaker.rests_until - now).total_seconds())
    assert rests == [None, None, 15, 30, 60, 120, 120]
    breaker.succeeded()
    assert breaker.may_ask(now)
