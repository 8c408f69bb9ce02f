"""Receipts into incidents: in the order they came, many to a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from app.alertmanager import webhook
from app.core.incidents import Incident
from app.engine import ourselves
from app.engine.apply import Report, apply_reports
from app.engine.clock import Clock, wait_for
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import LOOK_AGAIN, Signals
from app.errors import StoreUnavailable, Unreadable
from app.store import receipts
from app.store.database import Database, Transaction
from app.store.receipts import Waiting
from app.telemetry import INGEST_LAG, INGESTED_ALERTS

_RECEIPTS_AT_ONCE = 500
_BYTES_AT_ONCE = 250_000
_PAUSE_AFTER_FAILURE = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Applied:
    """What one round did. `seen` are the incidents people can see a change in."""

    receipts: int = 0
    alerts: int = 0
    seen: Sequence[Incident] = ()
    oldest: datetime | None = None


class Ingest:
    """The loop that applies what waits, and sleeps when nothing does."""

    def __init__(self, db: Database, policy: PolicyInForce, signals: Signals, clock: Clock) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._signals.receipts.clear()
            try:
                busy = await self.step()
            except StoreUnavailable as error:
                log.warning("ingest waits for the database", why=str(error))
                await self._clock.sleep(_PAUSE_AFTER_FAILURE)
                continue
            if not busy:
                await wait_for(self._signals.receipts, self._clock, LOOK_AGAIN)

    async def step(self) -> bool:
        """One round; False when nothing waited."""
        try:
            applied = await self._db.write(self._apply, self._policy.current)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("a receipt could not be applied; going on one by one")
            applied = await self._one_by_one()
        if applied.oldest:
            INGEST_LAG.set((self._clock.now() - applied.oldest).total_seconds())
        INGESTED_ALERTS.inc(applied.alerts)
        if applied.seen:
            self._signals.postings.set()
            self._signals.context.set()
        if any(incident.doubtful for incident in applied.seen):
            self._signals.doubts.set()
        return applied.receipts > 0

    def _apply(
        self, tx: Transaction, policy: Policy, *, at_once: int = _RECEIPTS_AT_ONCE
    ) -> Applied:
        """By the time at the writer's turn: what is in line for it already comes in meanwhile."""
        return apply_waiting(tx, policy, now=self._clock.now(), at_once=at_once)

    async def _one_by_one(self) -> Applied:
        """Apply the oldest receipt alone; if that fails, it is our fault: keep it aside."""
        policy = self._policy.current
        try:
            return await self._db.write(self._apply, policy, at_once=1)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("a receipt cannot be applied and goes to quarantine")
            why = f"could not be applied ({type(error).__name__}); please report this"
            now = self._clock.now()
            return await self._db.write(_set_oldest_aside, policy, why, now=now)


def apply_waiting(
    tx: Transaction, policy: Policy, *, now: datetime, at_once: int = _RECEIPTS_AT_ONCE
) -> Applied:
    """Apply the oldest waiting receipts. Applying a receipt twice changes nothing."""
    waiting = receipts.waiting(tx, rows=at_once, size=_BYTES_AT_ONCE)
    if not waiting:
        return Applied()
    read = [(receipt.id, _read(tx, receipt, policy, now)) for receipt in waiting]
    reports = [report for _, report in read if report]
    seen = apply_reports(tx, reports, policy, now=now)
    receipts.applied(tx, [number for number, report in read if report], now=now)
    alerts = sum(len(report.alerts) for report in reports)
    return Applied(len(waiting), alerts, seen, waiting[0].received_at)


def _read(tx: Transaction, receipt: Waiting, policy: Policy, now: datetime) -> Report | None:
    try:
        notification = webhook.read(receipt.body)
    except Unreadable as error:
        _set_aside(tx, receipt, str(error), policy, now)
        return None
    if receipt.replayed:
        receipts.judged(tx, receipt.id, notification.problem)
    return Report(
        at=receipt.received_at,
        alerts=notification.to_alerts(receipt.received_at),
        group_labels=notification.group_labels,
        group_key=notification.group_key,
        external_url=notification.external_url,
        truncated=notification.truncated,
        in_order=not receipt.replayed,
    )


def _set_aside(
    tx: Transaction, receipt: Waiting, problem: str, policy: Policy, now: datetime
) -> list[Incident]:
    receipts.quarantine(tx, receipt.id, problem)
    alert = ourselves.quarantined(receipt.id, problem, at=now)
    return ourselves.report(tx, [alert], policy, now=now)


def _set_oldest_aside(tx: Transaction, policy: Policy, problem: str, *, now: datetime) -> Applied:
    waiting = receipts.waiting(tx, rows=1, size=1)
    seen = [i for receipt in waiting for i in _set_aside(tx, receipt, problem, policy, now)]
    return Applied(len(waiting), 0, seen)
