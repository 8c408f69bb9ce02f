"""From starting the interpreter to /readyz, with 100,000 incidents in the log."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.alertmanager import webhook
from app.core.alerts import AlertStatus
from app.core.decide import decide
from app.core.events import AlertsReported, Origin
from app.core.postings import Destination, Place
from app.store import incidents, postings, receipts, schema
from app.store.database import Database, Transaction
from app.store.incidents import Saved
from app.store.receipts import Arrival
from bench import servers
from bench.bodies import body
from bench.figures import Figure

_INCIDENTS = 100_000
_OPEN = 500
_AT_ONCE = 1_000
_MOST = 1.5  # seconds
_PLACE = Place("default", Destination("console", ""))


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """Start several times on the same log."""
    count, starts = (_INCIDENTS // 10, 3) if quick else (_INCIDENTS, 7)
    asyncio.run(_fill(folder / "plantao.db", count))
    yield f"Start to ready: {count:,} incidents with receipts and postings, {_OPEN} of them open"
    seconds = [_start(folder) for _ in range(starts)]
    middle = statistics.median(seconds)
    yield Figure(f"median of {starts} starts", middle, _MOST, "s", "start ÷ target", at_most=True)
    yield f"    fastest {min(seconds):.2f} s, slowest {max(seconds):.2f} s"


def _start(folder: Path) -> float:
    start = time.perf_counter()
    with servers.plantao(folder):
        return time.perf_counter() - start


async def _fill(path: Path, count: int) -> None:
    """A log of months: all but the newest incidents are over, and all are shown."""
    db = Database(f"sqlite:///{path}")
    try:
        await db.write(schema.migrate)
        for first in range(0, count, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, count))
            await db.write(_add, numbers, count)
    finally:
        db.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE receipts SET state = 'applied', applied_at = received_at")
        connection.execute("UPDATE postings SET state = 'shown', due_at = NULL, root = 'printed'")


def _add(tx: Transaction, numbers: range, count: int) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(seconds=60 + 40 * (count - number)) for number in numbers]
    made = [body(range(n, n + 1), group=n) for n in numbers]
    receipts.add(tx, [Arrival(at, each, {}) for at, each in zip(times, made, strict=True)])
    past = count - _OPEN
    changes = [
        _episode(each, at, over=number < past)
        for number, at, each in zip(numbers, times, made, strict=True)
    ]
    saved = incidents.save(tx, changes)
    postings.show(tx, [(incident, [_PLACE]) for incident in saved], now=now)


def _episode(sent: bytes, at: datetime, *, over: bool) -> Saved:
    notification = webhook.read(sent)
    alert = notification.alerts[0].to_alert(at)
    origin = Origin(notification.group_key, ("default",), notification.group_labels)
    opened = decide(None, AlertsReported(origin, (alert,)), now=at)
    assert opened.incident is not None
    if not over:
        return Saved(opened.incident, opened.states, opened.entries)
    end = at + timedelta(seconds=30)
    known = replace(opened.incident, alerts={alert.fingerprint: opened.states[0]})
    resolved = replace(alert, status=AlertStatus.RESOLVED, ends_at=end)
    closed = decide(known, AlertsReported(origin, (resolved,)), now=end)
    assert closed.incident is not None
    return Saved(closed.incident, closed.states, [*opened.entries, *closed.entries])
