"""What people do: each action is an event through `decide`, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from app.alertmanager import webhook
from app.core.events import Assigned, NoteEvent, PersonEvent, ResolvedByPerson
from app.core.incidents import Incident
from app.core.person import Person
from app.engine import ourselves
from app.engine.apply import apply_event
from app.engine.clock import Clock
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.errors import NotApplicable, Repeated, Unreadable
from app.store import incidents, receipts, seen
from app.store.database import Database, Transaction
from app.store.receipts import Receipt

T = TypeVar("T")

Deed: TypeAlias = Callable[[Transaction, Policy, datetime], T]
"""Something to be done in one transaction, at that time (UTC)."""

Introduce: TypeAlias = Callable[[Person], Awaitable[Person]]
"""Finds out what else somebody is known by (`Person.also`); never raises."""


class Actions:
    """Every method raises NotFound, and NotApplicable where the action no longer fits."""

    def __init__(self, db: Database, policy: PolicyInForce, signals: Signals, clock: Clock) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._introduce: Introduce | None = None

    def introduced_by(self, introduce: Introduce) -> None:
        """From now on people who act are the same wherever they act."""
        self._introduce = introduce

    async def introduced(self, event: PersonEvent) -> PersonEvent:
        """The event, with all that those in it are known by."""
        if self._introduce is None:
            return event
        if isinstance(event, Assigned) and event.to is not None:
            event = replace(event, to=await self._introduce(event.to))
        return replace(event, by=await self._introduce(event.by))

    async def act(self, incident: int, event: PersonEvent, *, once: str = "") -> Incident:
        """Apply a person's action; returns the incident as it is then, notes and all if it
        was about a note, but without its alerts.

        What has come before under the same name (`once`) changes nothing and raises Repeated,
        even where it did not fit then and would now: it was meant for that time.
        """
        deed = acting(incident, await self.introduced(event))
        if not once:
            return await self.perform(deed)
        done = await self.perform(_only_once(once, deed))
        if isinstance(done, NotApplicable):
            raise done
        return done

    async def perform(self, deed: Deed[T]) -> T:
        """Do it now, and have what follows from it shown."""
        done = await self._db.write_first(deed, self._policy.current, self._clock.now())
        self._signals.postings.set()
        return done

    async def replay(self, receipt: int) -> None:
        """Apply a receipt again; once nothing unreadable is left, say that it is over."""
        now = self._clock.now()

        def work(tx: Transaction, policy: Policy) -> None:
            known = receipts.replay(tx, receipt)
            if _is_readable(known) and not receipts.any_quarantined(tx):
                trouble = ourselves.quarantined(receipt, "", at=now)
                ourselves.report(tx, [ourselves.over(trouble, at=now)], policy, now=now)

        await self._db.write_first(work, self._policy.current)
        self._signals.receipts.set()
        self._signals.postings.set()


def acting(incident: int, event: PersonEvent) -> Deed[Incident]:
    """The deed that `Actions.act` performs."""

    def deed(tx: Transaction, policy: Policy, now: datetime) -> Incident:
        known = incidents.get(tx, incident, for_update=True)
        if isinstance(event, ResolvedByPerson):
            known = incidents.with_firing_alerts(tx, known)
        if isinstance(event, NoteEvent):
            known = incidents.with_notes(tx, known)
            return incidents.with_notes(tx, apply_event(tx, known, event, policy, now=now))
        return replace(apply_event(tx, known, event, policy, now=now), alerts={})

    return deed


def _only_once(name: str, deed: Deed[T]) -> Deed[T | NotApplicable]:
    """The deed, or why it did not fit: told, not raised, so that it is remembered all the same."""

    def once(tx: Transaction, policy: Policy, now: datetime) -> T | NotApplicable:
        if not seen.first(tx, name, now=now):
            raise Repeated("This was asked for before.")
        try:
            return deed(tx, policy, now)
        except NotApplicable as error:
            return error

    return once


def _is_readable(receipt: Receipt) -> bool:
    try:
        webhook.read(receipt.body)
    except Unreadable:
        return False
    return True
