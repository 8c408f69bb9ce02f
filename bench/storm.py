"""A storm of 5,000 alerts: no error, how fast they become incidents, the first message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.commands.serve import spare_the_collector
from app.config import default_config
from app.engine.ingest import apply_waiting
from app.engine.policy import Policy
from app.store import receipts, schema
from app.store.database import Database
from app.store.receipts import Arrival
from bench import load, servers
from bench.bodies import bodies, body
from bench.figures import Figure
from tests.neighbours.slack.journal import read_journal

_ALERTS = 5_000
_CONNECTIONS = 2_000
_GROUPS = 50
_WANTED = 5_000  # alerts a second
_FIRST_MESSAGE = 1.0  # seconds


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """One body; one request for each alert, in 50 groups and each in a group of its own."""
    alerts = _ALERTS // 5 if quick else _ALERTS
    connections = _CONNECTIONS // 5 if quick else _CONNECTIONS
    one = [body(range(alerts))]
    few = list(bodies(alerts, alerts=1, groups=_GROUPS))
    own = list(bodies(alerts, alerts=1, groups=alerts))
    yield f"Storm: {alerts:,} alerts; Slack (an emulator) in a process of its own"
    yield from _one_storm(folder / "one", "as one body", one, alerts, 1)
    at_once = f"as requests over {connections:,} connections"
    yield from _one_storm(folder / "few", f"{at_once}, 50 groups", few, alerts, connections)
    yield from _one_storm(folder / "own", f"{at_once}, each a group", own, alerts, connections)
    yield "The ingest loop by itself: receipts on disk before it starts, nothing else running"
    spare_the_collector()  # as the service does
    for name, sent in (("one body", one), ("requests, 50 groups", few), ("each a group", own)):
        rate = asyncio.run(_by_itself(folder / f"loop-{name}", sent, alerts))
        yield Figure(f"applied, {name}", rate, _WANTED, "alerts/s", "loop ÷ target")


def _one_storm(
    folder: Path, name: str, sent: Sequence[bytes], alerts: int, connections: int
) -> Iterator[Figure | str]:
    folder.mkdir()
    with servers.slack(folder) as (settings, journal), servers.plantao(folder, settings) as ours:
        outcome = load.storm(ours.port, sent, connections=connections)
        servers.wait(lambda: ours.waiting() == 0, "the receipts to be applied")
        applied = time.time() - outcome.started
        servers.wait(lambda: _first_message(journal) is not None, "a message in Slack")
        first = (_first_message(journal) or 0.0) - outcome.started
        held = ours.alerts()
    if held != alerts:
        raise load.Failed(f"{alerts} alerts were sent, the incidents hold {held}")
    yield f"  {name}: no error"
    rate = alerts / applied
    yield Figure("  first request sent to last alert applied", rate, _WANTED, "alerts/s", "target")
    yield Figure(
        "  first request sent to first Slack message",
        first,
        _FIRST_MESSAGE,
        "s",
        "target",
        at_most=True,
    )
    yield (
        f"    all answered 202 after {outcome.seconds:.2f} s (slowest {outcome.slowest:.2f} s), "
        f"all applied after {applied:.2f} s"
    )


def _first_message(journal: Path) -> float | None:
    if not journal.exists():
        return None
    posted = (e.at for e in read_journal(journal) if e.method == "chat.postMessage" and e.ok)
    return next(posted, None)


async def _by_itself(folder: Path, sent: Sequence[bytes], alerts: int) -> float:
    """Alerts a second from the first transaction to the last commit."""
    db = Database(f"sqlite:///{folder / 'plantao.db'}")
    policy = Policy(default_config(slack_channel="C0FRAUDE00", email_to=()))
    now = datetime.now(UTC)
    try:
        await db.write(schema.migrate)
        await db.write(receipts.add, [Arrival(now, each, {}) for each in sent])
        start = time.perf_counter()
        while (await db.write(apply_waiting, policy, now=now)).receipts:
            pass
        return alerts / (time.perf_counter() - start)
    finally:
        db.close()
