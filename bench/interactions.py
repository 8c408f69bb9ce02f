"""Buttons pressed in Slack while a storm goes on: how soon answered, and whether any was lost."""

from __future__ import annotations

import multiprocessing
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import httpx
import uvloop

from bench import load, servers
from bench.bodies import body
from bench.figures import Figure
from bench.presses import Pressing
from bench.servers import Server
from tests.neighbours.slack.model import SIGNING_SECRET

_ALERTS = 5_000
_CONNECTIONS = 2_000
_GROUPS = 50
_RATE = 50  # presses a second
_INCIDENTS = 100  # two seconds lie between two presses on the same one
_LONG = 5.0  # seconds
_LEFT = {"acknowledged", "unacknowledged"}
_SLOWEST = 1.0  # seconds; Slack itself waits three


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """Storms follow one another until they have lasted long enough, applied to the last alert."""
    alerts = _ALERTS // 5 if quick else _ALERTS
    connections = _CONNECTIONS // 5 if quick else _CONNECTIONS
    long = _LONG / 2 if quick else _LONG
    yield (
        f"Interactions: {_RATE} presses a second during storms of {alerts:,} alerts over "
        f"{connections:,} connections; Slack (an emulator), the storm and the presses are each "
        "a process of their own"
    )
    with (
        servers.slack(folder) as (settings, _),
        servers.plantao(folder, settings | {"SLACK_SIGNING_SECRET": SIGNING_SECRET}) as ours,
        httpx.Client(base_url=f"http://127.0.0.1:{ours.port}", trust_env=False) as http,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as elsewhere,
    ):
        url = f"http://127.0.0.1:{ours.port}/slack/interactions"
        pressing = Pressing(url, _opened(ours, http), _RATE)
        storming = elsewhere.submit(_storms, ours, alerts, connections, long)
        uvloop.run(pressing.go_on(storming.done))
        rest = _settled(http)
        kept = _kept(http, pressing.expected())
        storms = _told(storming.result(), alerts, ours.alerts())
    yield storms
    yield from _figures(pressing, kept)
    yield f"    all had their effect {rest:.2f} s after the last answer"


def _storms(ours: Server, alerts: int, connections: int, long: float) -> list[float]:
    """How long each storm lasted, from its first request to its last alert applied."""
    lasted: list[float] = []
    while sum(lasted) < long:
        first = _INCIDENTS + len(lasted) * alerts
        sent = [
            body(range(n, n + 1), group=first + n % _GROUPS) for n in range(first, first + alerts)
        ]
        started = load.storm(ours.port, sent, connections=connections).started
        ours.settle()
        lasted.append(time.time() - started)
    return lasted


def _opened(ours: Server, http: httpx.Client) -> list[int]:
    """The numbers of incidents that are open before the storm."""
    load.storm(
        ours.port, [body(range(n, n + 1), group=n) for n in range(_INCIDENTS)], connections=8
    )
    ours.settle()
    listed = http.get("/incidents", params={"limit": _INCIDENTS}).raise_for_status().json()
    return [item["id"] for item in listed["items"]]


def _settled(http: httpx.Client) -> float:
    """Wait until nothing that was pressed is still being done; the seconds that took."""

    def done() -> bool:
        told = http.get("/metrics").raise_for_status().text
        return re.findall(r"^plantao_slack_errands (\S+)$", told, re.MULTILINE) == ["0.0"]

    start = time.perf_counter()
    servers.wait(done, "the presses to have their effect")
    return time.perf_counter() - start


def _kept(http: httpx.Client, expected: Counter[int]) -> int:
    """How many presses are in the timelines. Raises Failed where one is there twice."""
    kept = 0
    for incident, presses in expected.items():
        told = http.get(f"/incidents/{incident}/timeline").raise_for_status().json()["items"]
        found = sum(entry["kind"] in _LEFT for entry in told)
        if found > presses:
            raise load.Failed(f"incident {incident}: {presses} presses, {found} entries")
        kept += found
    return kept


def _figures(pressing: Pressing, kept: int) -> Iterator[Figure]:
    seconds = pressing.seconds
    *_, p99 = statistics.quantiles(seconds, n=100)
    yield Figure("slowest answer", max(seconds), _SLOWEST, "s", "target", at_most=True)
    yield Figure("p99 of the answers", p99, _SLOWEST, "s", "target", at_most=True, judged=False)
    yield Figure("in a timeline afterwards", kept, len(seconds), "presses", "answered")


def _told(lasted: list[float], alerts: int, held: int) -> str:
    """What the storms were. Raises Failed where an alert is missing."""
    sent = len(lasted) * alerts + _INCIDENTS
    if held != sent:
        raise load.Failed(f"{sent} alerts were sent, the incidents hold {held}")
    each = ", ".join(f"{seconds:.2f}" for seconds in lasted)
    return f"    {len(lasted)} storms, each applied after so many seconds: {each}; no error"
