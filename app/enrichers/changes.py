"""What was changed in the pipeline before an incident: from our own ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.changes import rank
from app.core.facts import Change, Changed
from app.core.topology import Topology
from app.enrichers.enricher import Subject


@dataclass(frozen=True, slots=True)
class ChangesEnricher:
    """`between` gives the changes of a time (UTC), `topology` and `within` what is configured."""

    between: Callable[[datetime, datetime], Awaitable[Sequence[Change]]]
    topology: Callable[[], Topology]
    within: Callable[[], timedelta]
    name: str = "changes"
    refreshes: bool = False

    async def find(self, subject: Subject) -> Changed:
        within = self.within()
        changes = await self.between(subject.at - within, subject.at)
        ranked = rank(
            changes,
            component=subject.incident.component,
            topology=self.topology(),
            opened_at=subject.at,
        )
        return Changed(within, ranked)
