"""The first message must not wait for context: with a Prometheus that takes 2.5 s, and without."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from bench import load, servers
from bench.bodies import body
from bench.figures import Figure
from tests.neighbours.serving import Answer, LoopbackServer, Request
from tests.neighbours.slack.journal import read_journal

_SLOW = 2.5  # seconds
_ROUNDS = 5
_APART = 8.0  # seconds: the channel's own pace, after late edits too, must not be what is measured
_AT_MOST = 1.1


class _SlowPrometheus(LoopbackServer):
    """Answers everything, late."""

    def answer(self, request: Request) -> Answer:  # noqa: ARG002  (all are alike)
        time.sleep(_SLOW)
        return Answer(200, b'{"status":"success","data":{"groups":[]}}', "application/json")


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """From the webhook's answer to the root message, one incident after another."""
    rounds = 3 if quick else _ROUNDS
    yield f"Context: first message with a Prometheus that answers after {_SLOW} s, and without"
    without = _median(folder / "without", {}, rounds)
    # Whom the service no longer waits for hangs up: that is no error here.
    with redirect_stderr(StringIO()), _SlowPrometheus() as prometheus:
        slow = _median(folder / "slow", {"PLANTAO_PROMETHEUS_URL": prometheus.url}, rounds)
    yield f"    medians of {rounds}: {without * 1000:.0f} ms without, {slow * 1000:.0f} ms with"
    yield Figure("first message", slow, without * _AT_MOST, "s", "1.1 of without", at_most=True)


def _median(folder: Path, settings: dict[str, str], rounds: int) -> float:
    folder.mkdir()
    with (
        servers.slack(folder) as (slack, journal),
        servers.plantao(folder, slack | settings) as ours,
    ):
        return statistics.median(_once(ours, journal, number) for number in range(rounds))


def _once(ours: servers.Server, journal: Path, number: int) -> float:
    time.sleep(_APART)
    started = time.time()
    load.storm(ours.port, [body(range(number, number + 1), group=number)], connections=1)
    servers.wait(lambda: _roots(journal) > number, "the root message")
    return _last_root(journal) - started


def _root_times(journal: Path) -> list[float]:
    posted = [e for e in read_journal(journal) if e.method == "chat.postMessage" and e.ok]
    return [e.at for e in posted if "thread_ts" not in e.arguments]


def _roots(journal: Path) -> int:
    return len(_root_times(journal)) if journal.exists() else 0


def _last_root(journal: Path) -> float:
    return _root_times(journal)[-1]
