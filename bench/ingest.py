"""Durable ingest, as a rate of a plain endpoint's that validates and stores nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from bench import load, servers
from bench.bodies import bodies
from bench.figures import Figure
from bench.servers import Server

_GROUPS = 100


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """Identical and varied bodies of one alert and of fifty, ours and the plain one in turn."""
    seconds, rounds = (2, 2) if quick else (5, 3)
    yield (
        "Durable ingest: wrk, 8 connections; one worker each, the same server settings; "
        f"medians of {rounds} turns of {seconds} s; ingest applies meanwhile"
    )
    for alerts, words in ((1, "one alert"), (50, "50 alerts")):
        count = 4_000 * seconds // alerts * (1 if alerts == 1 else 10)
        for name, number in (("the same body", 1), ("varied bodies", count)):
            made = bodies(number, alerts=alerts, groups=min(number, _GROUPS))
            prepared = load.prepare(folder, "bodies", made)
            title = f"{words} a body, {name}"
            yield from _compare(folder, title, prepared, seconds=seconds, rounds=rounds)


def _compare(
    folder: Path, title: str, prepared: Path, *, seconds: int, rounds: int
) -> Iterator[Figure | str]:
    own = folder / title.replace(" ", "-").replace(",", "")
    own.mkdir()
    with servers.plantao(own) as ours, servers.plain(own) as theirs:
        rates = [_turn(ours, theirs, prepared, seconds) for _ in range(rounds)]
    durable, plain, applied, rest = (
        statistics.median(column) for column in zip(*rates, strict=True)
    )
    yield Figure(title, durable, plain, "requests/s", "durable ÷ plain")
    yield f"    of them applied during the load {applied:.0%}; the rest took {rest:.2f} s more"


def _turn(
    ours: Server, theirs: Server, prepared: Path, seconds: int
) -> tuple[float, float, float, float]:
    before = ours.query("SELECT max(id) FROM receipts") or 0
    durable = load.wrk(ours.hook, prepared, seconds=seconds)
    left = ours.waiting()
    stored = ours.query("SELECT max(id) FROM receipts") - before
    rest = ours.settle()
    plain = load.wrk(theirs.hook, prepared, seconds=seconds)
    return durable, plain, 1 - left / stored, rest
