"""A log of a million incidents: how soon a page is there, and whether ingest notices."""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.commands.serve import spare_the_collector
from app.config import default_config
from app.core.matchers import parse_matchers
from app.engine.ingest import apply_waiting
from app.engine.policy import Policy
from app.store import receipts, schema, texts
from app.store.database import Database
from app.store.queries import Search, page
from app.store.receipts import Arrival
from bench.bodies import bodies
from bench.figures import Figure

_INCIDENTS = 1_000_000
_ALERTS = 5  # of each
_AT_ONCE = 400
_UNKNOWN = 100_000_000  # alerts from here on are not in the log
_MOST = 0.050  # seconds
_TURNS = 7
_NAMES = [f"Alert{number}High" for number in range(50)]
_COMPONENTS = ["kafka", "spark", "delta", "model", "serving"]
_SEVERITIES = ["critical", "warning", "warning", "warning", "info"]
_RECEIVERS = ["fraud-oncall", "storage", "log-only"]
_START = datetime(2026, 1, 1, tzinfo=UTC)


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """Each filter alone and each two together; then receipts applied on top of the log."""
    count = _INCIDENTS // 50 if quick else _INCIDENTS
    path = folder / "plantao.db"
    began = time.perf_counter()
    asyncio.run(_fill(path, count))
    yield (
        f"The log: {count:,} incidents, {count * _ALERTS:,} alerts, "
        f"{path.stat().st_size / 1e9:.1f} GB, made in {time.perf_counter() - began:.0f} s; "
        f"first pages of 50, medians of {_TURNS}"
    )
    yield from _pages(path, count)
    yield from _ingest(folder, path, quick=quick)


# --- how soon a page is there


def _filters(count: int) -> dict[str, Mapping[str, Any]]:
    """A usual value of each, in the way that the API hands it on."""
    end = _START + timedelta(minutes=count)
    return {
        "status": {"statuses": ["triggered"]},
        "severity": {"severities": ["critical"]},
        "receiver": {"receivers": ["storage"]},
        "alertname": {"labels": [("alertname", [_NAMES[7]])]},
        "component": {"labels": [("component", ["delta"])]},
        "model": {"models": ["fraud-7"]},
        "model_version": {"model_versions": ["12"]},
        "matcher": {"matchers": parse_matchers(f'pod="pod-{count // 2}"')},
        "matcher =~": {"matchers": parse_matchers('pod=~"pod-.*7"')},
        "matcher !=": {"matchers": parse_matchers('team!="ml"')},
        "opened_after": {"opened_after": end - timedelta(days=7)},
        "opened_before": {"opened_before": _START + timedelta(minutes=count // 3)},
        "q": {"text": "half second fraud-7"},
    }


def _pages(path: Path, count: int) -> Iterator[Figure | str]:
    db = Database(f"sqlite:///{path}")
    filters = _filters(count)
    try:
        alone = {name: _median(db, given) for name, given in filters.items()}
        pairs = {}
        for (one, this), (other, that) in itertools.combinations(filters.items(), 2):
            if this.keys().isdisjoint(that):
                pairs[f"{one} and {other}"] = _median(db, {**this, **that})
            else:
                both = [*next(iter(this.values())), *next(iter(that.values()))]
                pairs[f"{one} and {other}"] = _median(db, {next(iter(this)): both})
    finally:
        db.close()
    for name, seconds in alone.items():
        yield Figure(name, seconds * 1e3, _MOST * 1e3, "ms", "page ÷ target", at_most=True)
    middle = statistics.median(pairs.values())
    yield Figure(
        f"in pairs ({len(pairs)}), median", middle * 1e3, 50, "ms", "page ÷ target", at_most=True
    )
    slow = sorted(pairs.items(), key=lambda each: -each[1])[:5]
    for name, seconds in slow:
        yield f"    slowest: {name}: {seconds * 1e3:.0f} ms"


def _median(db: Database, given: Mapping[str, Any]) -> float:
    search = Search(**given)
    times = []
    for _ in range(_TURNS):
        start = time.perf_counter()
        asyncio.run(db.read(page, search))
        times.append(time.perf_counter() - start)
    return statistics.median(times)


# --- whether ingest notices


def _ingest(folder: Path, full: Path, *, quick: bool) -> Iterator[Figure | str]:
    """Receipts of one alert, each an incident of its own, in turns with a log that was empty."""
    count = 500 if quick else 2_000
    spare_the_collector()  # as the service does
    logs = {"full": full, "empty": folder / "empty.db"}
    rates = asyncio.run(_rates(logs, count))
    full_rate, empty = (statistics.median(rates[name]) for name in logs)
    yield Figure("ingest into it", full_rate, empty * 0.9, "alerts/s", "÷ 0.9 of an empty log")


async def _rates(logs: Mapping[str, Path], count: int) -> dict[str, list[float]]:
    """Alerts applied a second, turn by turn; the first, in which caches fill, does not count."""
    open_ = {name: Database(f"sqlite:///{path}") for name, path in logs.items()}
    rates: dict[str, list[float]] = {name: [] for name in logs}
    try:
        for db in open_.values():
            await db.write(schema.migrate)
        for turn in range(_TURNS + 1):
            # Alerts that neither log knows: the same is done in both.
            sent = list(bodies(count, alerts=1, groups=10**9, first=_UNKNOWN + turn * count))
            for name, db in open_.items():
                rates[name].append(await _applied(db, sent))
    finally:
        for db in open_.values():
            db.close()
    return {name: each[1:] for name, each in rates.items()}


async def _applied(db: Database, sent: list[bytes]) -> float:
    policy = Policy(default_config(slack_channel="C0FRAUDE00", email_to=()))
    now = datetime.now(UTC)
    await db.write(receipts.add, [Arrival(now, each, {}) for each in sent])
    start = time.perf_counter()
    while (await db.write(apply_waiting, policy, now=now)).receipts:
        pass
    return len(sent) / (time.perf_counter() - start)


# --- the log itself


async def _fill(path: Path, count: int) -> None:
    """Through the service's own database, but with indexes made at the end: in one go each."""
    db = Database(f"sqlite:///{path}")
    try:
        await db.write(schema.migrate)
        with _put_off(path, "index", "incidents", "incident_alerts"):
            await db.write(lambda tx: _insert(tx.connection.driver_connection, count))
        with _put_off(path, "trigger", "texts"):
            while (new := await db.read(texts.behind, limit=_AT_ONCE)).documents:
                await db.write(texts.keep, new)
    finally:
        db.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO search(search) VALUES ('rebuild')")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _put_off(path: Path, kind: str, *tables: str) -> Iterator[None]:
    """Do without these tables' indexes or triggers meanwhile."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA cache_size = -200000")
        places = ", ".join("?" * len(tables))
        query = f"SELECT name, sql FROM sqlite_master WHERE type = ? AND tbl_name IN ({places})"  # noqa: S608
        made = [row for row in connection.execute(query, (kind, *tables)) if row[1]]
        for name, _ in made:
            connection.execute(f"DROP {kind} {name}")
        connection.commit()
        yield
        for _, sql in made:
            connection.execute(sql)
        connection.commit()


def _insert(driver: Any, count: int) -> None:
    for first in range(1, count + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count + 1))
        rows = [_incident(number, count) for number in numbers]
        columns = ", ".join(rows[0])
        places = ", ".join(f":{name}" for name in rows[0])
        driver.executemany(f"INSERT INTO incidents ({columns}) VALUES ({places})", rows)  # noqa: S608
        alerts = [_alert(number, each) for number in numbers for each in range(_ALERTS)]
        columns, places = ", ".join(alerts[0]), ", ".join(f":{name}" for name in alerts[0])
        driver.executemany(f"INSERT INTO incident_alerts ({columns}) VALUES ({places})", alerts)  # noqa: S608
    driver.execute("UPDATE counters SET value = ? WHERE name = 'changes'", (count,))


def _labels(number: int) -> dict[str, str]:
    return {
        "alertname": _NAMES[number * 7 % len(_NAMES)],
        "component": _COMPONENTS[number * 13 // 7 % len(_COMPONENTS)],
        "severity": _SEVERITIES[number // 3 % len(_SEVERITIES)],
        "team": "ml" if number % 10 else "dados",
        "cluster": "eu1",
    }


def _incident(number: int, count: int) -> dict[str, Any]:
    labels = {**_labels(number), "pod": f"pod-{number}"}  # what all its alerts share
    opened = int((_START + timedelta(minutes=number)).timestamp() * 1e6)
    open_ = number > count - 300
    return {
        "id": number,
        "key": f"key-{number % 20_000}",
        "receivers": json.dumps([_RECEIVERS[number % 3]]),
        "status": ("triggered" if number % 2 else "acknowledged") if open_ else "resolved",
        "severity": labels["severity"],
        "urgency": {"critical": 4, "warning": 2, "info": 1}[labels["severity"]],
        "title": f"{labels['alertname']}: latency of fraud-{number % 200} is above half a second",
        "labels": json.dumps(labels, separators=(",", ":")),
        "annotations": json.dumps({"runbook_url": "https://runbooks.example.com/x"}),
        "group_labels": "{}",
        "group_key": "{}:{}",
        "external_url": "http://alertmanager.example:9093",
        "firing": _ALERTS if open_ else 0,
        "resolved": 0 if open_ else _ALERTS,
        **dict.fromkeys(("doubtful", "hidden", "truncated", "reopened"), 0),
        "hidden_group": "",
        "occurrences": 3,
        "revision": 2,
        "opened_at": opened,
        "updated_at": opened + 600_000_000,
        "resolved_at": None if open_ else opened + 600_000_000,
        "ending": None if open_ else "resolved",
        "component": labels["component"],
        "model": f"fraud-{number % 200}",
        "model_version": str(number // 500 % 40),
        "change": number,
    }


def _alert(number: int, which: int) -> dict[str, Any]:
    labels = {**_labels(number), "pod": f"pod-{number}", "instance": f"ml-{number * 5 + which}"}
    opened = int((_START + timedelta(minutes=number)).timestamp() * 1e6)
    return {
        "incident_id": number,
        "fingerprint": f"{(number * 5 + which) * 0x9E3779B97F4A7C15 % 2**64:016x}",
        "status": "resolved",
        "labels": json.dumps(labels, separators=(",", ":")),
        "annotations": json.dumps({"summary": f"p99 at ml-{which} is slow"}),
        "starts_at": opened,
        "ends_at": opened + 600_000_000,
        "generator_url": "http://prometheus.example:9090/graph?g0.expr=up",
        "reported_at": opened,
        "unconfirmed": 0,
        "ending": "resolved",
    }
