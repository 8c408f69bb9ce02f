"""Whether this happened before, and what helped: from our own log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.core.facts import Earlier
from app.core.history import Past, summarise
from app.enrichers.enricher import Subject


@dataclass(frozen=True, slots=True)
class HistoryEnricher:
    """`past` gives earlier incidents of the same alerts or key in so many days, newest first."""

    past: Callable[[Subject, int], Awaitable[Sequence[Past]]]
    days: int = 90
    name: str = "history"
    refreshes: bool = False

    async def find(self, subject: Subject) -> Earlier:
        return summarise(await self.past(subject, self.days), days=self.days)
