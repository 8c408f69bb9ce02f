"""The loop that sees changes nobody tells of: in the model registry, and in figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from app.core.facts import Change
from app.core.watching import Figure, Series, Watch, noticed, remembered
from app.engine.clock import Clock
from app.engine.ledger import Ledger
from app.engine.policy import PolicyInForce
from app.errors import NeighbourFailed, StoreUnavailable
from app.store.sights import Sight

T = TypeVar("T")

log = structlog.get_logger()


class Watcher(Protocol):
    """Something that can be looked at again and again.

    It remembers nothing: what it saw is kept in the database, and so outlives the service.
    """

    @property
    def name(self) -> str:
        """Says what is looked at, so that only what is the same is compared."""

    async def look(self, last: Sight | None) -> tuple[Sequence[Change], Sight]:
        """What changed since the last look, and what to put in its place.

        Raises NeighbourFailed. The first look of all finds nothing.
        """


def recalled(form: TypeAdapter[T], sight: Sight | None) -> T | None:
    """What a sight holds; None if it was put down by a version that wrote it otherwise."""
    try:
        return form.validate_json(sight.state) if sight else None
    except ValidationError:
        return None


_FIGURES = TypeAdapter(list[Figure])


@dataclass(frozen=True, slots=True)
class FigureWatcher:
    """One watch of a Prometheus; `query` gives the values by series, `where` is its address."""

    watch: Watch
    where: str
    query: Callable[[str], Awaitable[Mapping[Series, float]]]
    now: Callable[[], datetime]

    @property
    def name(self) -> str:
        return f"{self.watch.kind} {self.where}"

    async def look(self, last: Sight | None) -> tuple[Sequence[Change], Sight]:
        began = self.now()
        after = await self.query(self.watch.query)
        now = self.now()
        before = recalled(_FIGURES, last)
        figures = _FIGURES.dump_json(remembered(before or (), after, now=began)).decode()
        sight = Sight(began, figures, last.revision if last else 0)
        if last is None or before is None:
            return [], sight
        return noticed(self.watch, before, after, since=last.at, now=now), sight


class Watching:
    """Looks every `context.watch_every`."""

    def __init__(
        self,
        watchers: Sequence[Watcher],
        ledger: Ledger,
        policy: PolicyInForce,
        clock: Clock,
    ) -> None:
        self._watchers = watchers
        self._ledger = ledger
        self._policy = policy
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.step()
            every = self._policy.current.config.context.watch_every
            await self._clock.sleep(every.total_seconds())

    async def step(self) -> None:
        """One look at everything. What a neighbour does not say now, it says next time."""
        for watcher in self._watchers:
            try:
                await self._look(watcher)
            except NeighbourFailed as error:
                log.info("a watched neighbour did not answer", why=str(error))
            except StoreUnavailable as error:
                log.warning("watching waits for the database", why=str(error))

    async def _look(self, watcher: Watcher) -> None:
        """What was put down while the neighbour was asked makes the look void: the next tells."""
        last = await self._ledger.last_sight(watcher.name)
        found, sight = await watcher.look(last)
        await self._ledger.see(watcher.name, sight, found)
