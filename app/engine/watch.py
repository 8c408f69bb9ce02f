"""The loop that sees changes nobody tells of: in the model registry, and in figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from app.core.facts import Change
from app.core.watching import STANDARD, Series, Watch, noticed
from app.engine.clock import Clock
from app.engine.ledger import Ledger
from app.engine.policy import PolicyInForce
from app.errors import NeighbourFailed, StoreUnavailable

log = structlog.get_logger()


class Watcher(Protocol):
    """Something that can be looked at again and again."""

    async def look(self, now: datetime) -> Sequence[Change]:
        """What changed since the last look; raises NeighbourFailed. The first finds nothing."""


@dataclass(slots=True)
class FigureWatcher:
    """Looks at figures in Prometheus; `query` gives the values by series."""

    query: Callable[[str], Awaitable[Mapping[Series, float]]]
    watches: Sequence[Watch] = STANDARD
    seen: dict[str, Mapping[Series, float]] = field(default_factory=dict)

    async def look(self, now: datetime) -> Sequence[Change]:
        found: list[Change] = []
        for watch in self.watches:
            after = await self.query(watch.query)
            # A series that is away for a while is remembered: its process may be starting.
            before = self.seen.get(watch.query, {})
            found += noticed(watch, before, after, now=now)
            self.seen[watch.query] = {**before, **after}
        return found


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
                await self._ledger.add_all(await watcher.look(self._clock.now()))
            except NeighbourFailed as error:
                log.info("a watched neighbour did not answer", why=str(error))
            except StoreUnavailable as error:
                log.warning("watching waits for the database", why=str(error))
