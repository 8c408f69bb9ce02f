"""Bodies onto disk before they are answered: what is queued forms one commit, no timer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from app.alertmanager import webhook
from app.engine import ourselves
from app.engine.clock import Clock
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.errors import StoreUnavailable, Unreadable
from app.store import receipts
from app.store.database import Database, Transaction, alone
from app.store.receipts import Arrival, ReceiptState
from app.telemetry import RECEIPTS

# Turns of the event loop before a commit: those just answered can join it with their next body.
# A turn waits for nothing; commits of twice the size let all senders through a third faster.
_TURNS = 3
# Bodies that are read and stored at once. A storm brings thousands, and the loop does nothing else
# meanwhile: what they opened is told, and people are answered, between these and the next.
_AT_ONCE = 32


class Intake:
    """Takes bodies in. `limit` bounds the bytes that wait for the disk at any time."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        signals: Signals,
        clock: Clock,
        *,
        limit: int = 256 * 1024 * 1024,
    ) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._limit = limit
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting: list[tuple[Arrival, asyncio.Future[int]]] = []
        self._bytes = 0
        self._flusher: asyncio.Task[None] | None = None
        self._refusals = 0

    async def receive(self, body: bytes, headers: dict[str, str]) -> tuple[int, Arrival]:
        """Store one body and return its number; when this returns, it is on disk.

        Raises StoreUnavailable when nothing was stored and the sender should try again.
        """
        if self._bytes + len(body) > self._limit:
            raise StoreUnavailable("Too much is waiting for the disk; try again in a moment.")
        at, refusals = self._clock.now(), self._refusals
        self._bytes += len(body)
        try:
            async with self._places:
                if self._refusals > refusals:
                    # A locked database would keep each who waits here as long again.
                    raise StoreUnavailable("The database did not take those before it; try again.")
                return await self._store(judge(body, headers, at=at))
        finally:
            self._bytes -= len(body)

    async def _store(self, arrival: Arrival) -> tuple[int, Arrival]:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return await done, arrival

    async def _flush(self) -> None:
        while self._waiting:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            batch, self._waiting = self._waiting, []
            arrivals = [arrival for arrival, _ in batch]
            try:
                numbers = await self._db.append(_store, arrivals, self._policy.current)
            except Exception as error:  # noqa: BLE001  (each waiting request must hear of it)
                self._refusals += 1
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, done), number in zip(batch, numbers, strict=True):
                    if not done.done():
                        done.set_result(number)
                _count(arrivals)
                self._signals.receipts.set()
                if any(arrival.problem for arrival in arrivals):
                    self._signals.postings.set()  # an incident about ourselves was raised
        self._flusher = None


def _count(arrivals: Sequence[Arrival]) -> None:
    for state, count in Counter(arrival.state for arrival in arrivals).items():
        RECEIPTS.labels(state.value).inc(count)


def judge(body: bytes, headers: Mapping[str, str], *, at: datetime) -> Arrival:
    """The body as it came at that time, with what is wrong with it, if anything is."""
    try:
        notification = webhook.read(body)
    except Unreadable as error:
        return Arrival(at, body, headers, "", str(error), ReceiptState.QUARANTINED)
    return Arrival(at, body, headers, notification.receiver, notification.problem)


def _store(tx: Transaction, arrivals: Sequence[Arrival], policy: Policy) -> list[int]:
    numbers = receipts.add(tx, arrivals)
    alerts = []
    for number, arrival in zip(numbers, arrivals, strict=True):
        if arrival.problem is None:
            continue
        quarantined = arrival.state is ReceiptState.QUARANTINED
        kind = ourselves.quarantined if quarantined else ourselves.unreadable_alerts
        alerts.append(kind(number, arrival.problem, at=arrival.received_at))
    if alerts:
        alone(tx)  # an incident is more than added
        ourselves.report(tx, alerts, policy, now=arrivals[-1].received_at)
    return numbers
