"""The model registry, watched: by a poll, and by its webhooks, each change told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from app.core.facts import Change
from app.core.registry import RegistryState, differences, heard
from app.engine.ledger import Ledger
from app.engine.watch import recalled
from app.mlflow.registry import Mlflow, snapshot
from app.store.sights import Sight

SOURCE = "mlflow"

_TRIES = 3
_STATE = TypeAdapter(RegistryState)


@dataclass(frozen=True, slots=True)
class RegistryWatcher:
    """The first look is only where the comparison begins; the last is kept, whoever restarts."""

    mlflow: Mlflow
    now: Callable[[], datetime]

    @property
    def name(self) -> str:
        return f"registry {self.mlflow.public_url}"

    async def look(self, last: Sight | None) -> tuple[Sequence[Change], Sight]:
        """What changed since the last look; raises NeighbourFailed."""
        began = self.now()
        after = await snapshot(self.mlflow)
        now = self.now()
        sight = Sight(began, _dumped(after), last.revision if last else 0)
        before = recalled(_STATE, last)
        if last is None or before is None:
            return [], sight
        url = self.mlflow.public_url
        found = differences(before, after, at=now, since=last.at, url=url)
        return [with_component(change) for change in found], sight


@dataclass(frozen=True, slots=True)
class RegistryEvents:
    """What the registry's webhooks tell, beside what the watcher sees (None: nobody looks)."""

    watcher: RegistryWatcher | None
    ledger: Ledger

    async def hear(self, change: Change, *, delivery: str | None) -> Change | None:
        """Keep a webhook's change as it is news; None if the poll or the same delivery was
        faster."""
        for _ in range(_TRIES if self.watcher else 0):
            assert self.watcher is not None  # noqa: S101  (for the type checker)
            last = await self.ledger.last_sight(self.watcher.name)
            state = recalled(_STATE, last)
            if last is None or state is None:
                break
            url = self.watcher.mlflow.public_url
            state, news = heard(state, change, asked_at=last.at, url=url)
            if news is None:
                return None
            sight = replace(last, state=_dumped(state))
            kept = await self.ledger.see(
                self.watcher.name, sight, [with_component(news)], delivery=delivery
            )
            if kept is not None:
                return kept[0] if kept else None
        return await self.ledger.add(with_component(change), delivery=delivery)


def _dumped(state: RegistryState) -> str:
    return _STATE.dump_json(state).decode()


def with_component(change: Change) -> Change:
    """Moving an alias changes what is served; anything else in the registry comes of training."""
    component = "serving" if change.kind.startswith("alias") else "training"
    return replace(change, labels={"component": component, **change.labels})
