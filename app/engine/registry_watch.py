"""The model registry, watched: by a poll, and by its webhooks, each change told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.facts import Change
from app.core.registry import RegistryState, differences, heard
from app.enrichers.registry import Mlflow, snapshot

SOURCE = "mlflow"


@dataclass(slots=True)
class RegistryWatcher:
    """What the registry said last. The first look is only where the comparison begins."""

    mlflow: Mlflow
    state: RegistryState | None = None
    asked_at: datetime | None = None

    async def look(self, now: datetime) -> Sequence[Change]:
        """What changed since the last look; raises NeighbourFailed."""
        after = await snapshot(self.mlflow)
        before, self.state, self.asked_at = self.state, after, now
        if before is None:
            return []
        found = differences(before, after, at=now, url=self.mlflow.public_url)
        return [with_component(change) for change in found]

    def hear(self, change: Change) -> Change | None:
        """A webhook's change as it is news; None if the poll was faster."""
        if self.state is None or self.asked_at is None:
            return with_component(change)
        url = self.mlflow.public_url
        self.state, news = heard(self.state, change, asked_at=self.asked_at, url=url)
        return with_component(news) if news else None


def with_component(change: Change) -> Change:
    """Moving an alias changes what is served; anything else in the registry comes of training."""
    component = "serving" if change.kind.startswith("alias") else "training"
    return replace(change, labels={"component": component, **change.labels})
