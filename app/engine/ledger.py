"""Changes in the pipeline: kept once, and told to the open incidents they may concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.core.changes import concerns
from app.core.events import ChangeLanded
from app.core.facts import Change
from app.engine.apply import apply_event
from app.engine.clock import Clock
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.store import changes, incidents
from app.store.database import Database, Transaction

_MOST_INCIDENTS = 50


class Ledger:
    """Takes changes from whoever tells of them: CI, MLflow's webhooks, our own watching."""

    def __init__(self, db: Database, policy: PolicyInForce, signals: Signals, clock: Clock) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock

    async def add(self, change: Change, *, delivery: str | None = None) -> Change | None:
        """Keep a change; returns it with its number, None if this delivery is known already."""
        kept = await self.add_all([change], deliveries=[delivery])
        return kept[0] if kept else None

    async def add_all(
        self, found: Sequence[Change], *, deliveries: Sequence[str | None] | None = None
    ) -> list[Change]:
        """Keep several changes, in their order; returns those that are new."""
        if not found:
            return []
        marks = deliveries or [None] * len(found)
        now = self._clock.now()
        kept = await self._db.write(
            _add, list(zip(found, marks, strict=True)), self._policy.current, now=now
        )
        self._signals.postings.set()
        return kept


def _add(
    tx: Transaction,
    found: Sequence[tuple[Change, str | None]],
    policy: Policy,
    *,
    now: datetime,
) -> list[Change]:
    kept = [new for change, mark in found if (new := changes.add(tx, change, delivery=mark))]
    for change in kept:
        _tell(tx, change, policy, now=now)
    return kept


def _tell(tx: Transaction, change: Change, policy: Policy, *, now: datetime) -> None:
    """A change during an open incident that it may concern is a line of its timeline."""
    component = change.labels.get("component", "")
    if not component:
        return
    for incident in incidents.open_at(
        tx, [component, *policy.near(component)], limit=_MOST_INCIDENTS
    ):
        if incident.opened_at < change.at and concerns(change, incident.component, policy.topology):
            apply_event(tx, incident, ChangeLanded(change), policy, now=now)
