"""What people do: each action is an event through `decide`, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.alertmanager import webhook
from app.core.events import NoteEvent, PersonEvent, ResolvedByPerson
from app.core.incidents import Incident
from app.engine import ourselves
from app.engine.apply import apply_event
from app.engine.clock import Clock
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.errors import NotApplicable, Repeated, Unreadable
from app.store import incidents, postings, receipts, seen
from app.store.database import Database, Transaction
from app.store.receipts import Receipt


class Actions:
    """Every method raises NotFound, and NotApplicable where the action no longer fits."""

    def __init__(self, db: Database, policy: PolicyInForce, signals: Signals, clock: Clock) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock

    async def act(self, incident: int, event: PersonEvent, *, once: str = "") -> Incident:
        """Apply a person's action; returns the incident as it is then, notes and all if it
        was about a note, but without its alerts.

        What has come before under the same name (`once`) changes nothing and raises Repeated,
        even where it did not fit then and would now: it was meant for that time.
        """
        now = self._clock.now()

        def work(tx: Transaction, policy: Policy) -> Incident | NotApplicable:
            known = incidents.get(tx, incident, for_update=True)
            if once and not seen.first(tx, once, now=now):
                raise Repeated("This was asked for before.")
            try:
                return _apply(tx, known, event, policy, now=now)
            except NotApplicable as error:
                if not once:
                    raise
                return error  # raised after the commit, which remembers that it was tried

        after = await self._db.write(work, self._policy.current)
        if isinstance(after, NotApplicable):
            raise after
        self._signals.postings.set()
        return after

    async def replay(self, receipt: int) -> None:
        """Apply a receipt again; once nothing unreadable is left, say that it is over."""
        now = self._clock.now()

        def work(tx: Transaction, policy: Policy) -> None:
            known = receipts.replay(tx, receipt)
            if _is_readable(known) and not receipts.any_quarantined(tx):
                trouble = ourselves.quarantined(receipt, "", at=now)
                ourselves.report(tx, [ourselves.over(trouble, at=now)], policy, now=now)

        await self._db.write(work, self._policy.current)
        self._signals.receipts.set()
        self._signals.postings.set()

    async def stop_posting(self, incident: int, posting: int) -> None:
        """No more tries to show an incident at one place."""
        await self._db.write(postings.stop, incident, posting)

    async def retry_posting(self, incident: int, posting: int) -> None:
        """Try again now to show an incident at one place."""
        await self._db.write(postings.retry, incident, posting, now=self._clock.now())
        self._signals.postings.set()


def _apply(
    tx: Transaction, known: Incident, event: PersonEvent, policy: Policy, *, now: datetime
) -> Incident:
    if isinstance(event, ResolvedByPerson):
        known = incidents.with_firing_alerts(tx, known)
    if not isinstance(event, NoteEvent):
        return replace(apply_event(tx, known, event, policy, now=now), alerts={})
    known = incidents.with_notes(tx, known)
    return incidents.with_notes(tx, apply_event(tx, known, event, policy, now=now))


def _is_readable(receipt: Receipt) -> bool:
    try:
        webhook.read(receipt.body)
    except Unreadable:
        return False
    return True
