"""Changes in the pipeline: kept once, and told to the open incidents they may concern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.core.changes import concerns, rank
from app.core.events import ChangeLanded, ContextFound
from app.core.facts import Change, Changed
from app.core.incidents import Incident, Status
from app.engine.apply import apply_event
from app.engine.clock import Clock
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.store import changes, contexts, incidents, queries, sights
from app.store.database import Database, Transaction
from app.store.queries import Search
from app.store.sights import Sight

_MOST_INCIDENTS = 50
_MOST_CHANGES = 500  # more than that in two hours is no longer a list
_OPEN = (Status.TRIGGERED.value, Status.ACKNOWLEDGED.value)


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

    async def last_sight(self, name: str) -> Sight | None:
        """What a watched neighbour showed last."""
        return await self._db.read(sights.last, name)

    async def see(
        self, name: str, sight: Sight, found: Sequence[Change], *, delivery: str | None = None
    ) -> list[Change] | None:
        """Keep what was seen together with the changes it tells of, which are returned.

        A delivery that is known already changes nothing. None, and nothing kept, if somebody
        else put down another sight meanwhile.
        """
        now = self._clock.now()
        told = [(change, delivery) for change in found]
        try:
            kept = await self._db.write(_see, name, sight, told, self._policy.current, now=now)
        except _Overtaken:
            return None
        if kept:
            self._signals.postings.set()
        return kept


class _Overtaken(Exception):
    """Rolls the transaction back."""


def _see(
    tx: Transaction,
    name: str,
    sight: Sight,
    found: Sequence[tuple[Change, str | None]],
    policy: Policy,
    *,
    now: datetime,
) -> list[Change]:
    kept = _add(tx, found, policy, now=now)
    if found and not kept:
        return []
    if not sights.put(tx, name, sight):
        raise _Overtaken
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
    """A change during an open incident that it may concern is a line of its timeline; one that
    came before it, and is known only now, joins those that came before."""
    for incident in _open_near(tx, change, policy):
        if incident.opened_at < change.at and concerns(change, incident.component, policy.topology):
            apply_event(tx, incident, ChangeLanded(change), policy, now=now)
    for incident in _opened_since(tx, change, policy):
        _complete(tx, incident, policy, now=now)


def _open_near(tx: Transaction, change: Change, policy: Policy) -> Sequence[Incident]:
    component = change.labels.get("component", "")
    if not component:
        return queries.find(tx, Search(statuses=_OPEN, limit=_MOST_INCIDENTS))
    near = [component, *policy.near(component)]
    return incidents.open_at(tx, near, limit=_MOST_INCIDENTS)


def _opened_since(tx: Transaction, change: Change, policy: Policy) -> Sequence[Incident]:
    """The open incidents that the change came before, not too long."""
    until = change.at + policy.config.context.changes_within
    search = Search(
        statuses=_OPEN,
        opened_after=change.earliest,
        opened_before=until,
        limit=_MOST_INCIDENTS,
    )
    return queries.find(tx, search)


def _complete(tx: Transaction, incident: Incident, policy: Policy, *, now: datetime) -> None:
    """Ask the ledger again what came before an incident, if it was asked already."""
    context = contexts.of_incident(tx, incident.id)
    known = next((f for f in context.opening.values() if isinstance(f.facts, Changed)), None)
    if known is None:
        return
    within, at = policy.config.context.changes_within, incident.opened_at
    found = changes.between(tx, at - within, at, limit=_MOST_CHANGES)
    ranked = rank(found, component=incident.component, topology=policy.topology, opened_at=at)
    finding = replace(known, facts=Changed(within, ranked))
    incident = replace(incident, context=context)
    apply_event(tx, incident, ContextFound(finding, late=True), policy, now=now)
