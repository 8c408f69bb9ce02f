"""A service with an event loop of its own, for browsers that wait in another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from app.core.context import Finding, Moment
from app.core.events import (
    Acknowledged,
    ContextFound,
    Event,
    NoteAdded,
    ResolvedByPerson,
)
from app.core.facts import Changed, Facts, Measured, Missing, Sample, Served, Threshold
from app.core.person import Person
from app.engine.apply import apply_event
from app.engine.policy import Policy
from app.store import incidents
from app.store.database import Transaction
from tests.clock import START, FakeClock
from tests.house import House, alert, listening, notification, serving
from tests.neighbours.processes import free_port
from tests.notifiers import known
from tests.waiting import tell

T = TypeVar("T")

ANA = Person("Ana", "email:ana@example.com")
BRUNO = Person("Bruno", "slack:U2")
MINUTE = timedelta(minutes=1)


class Hands(FakeClock):
    """A clock whose hands can be turned while nobody sleeps by it."""

    def turn(self, at: datetime) -> None:
        self._now = at


@dataclass(slots=True)
class Town:
    """A running service at `url`, its clock standing still at three in the morning."""

    url: str
    house: House
    clock: Hands
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the service's event loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def tell(self, *alerts: Mapping[str, Any], **around: Any) -> None:
        """Post alerts, and wait until they are part of their incidents."""
        self.run(tell(self.house, notification(*alerts, **around)))

    def happen(self, number: int, event: Event, *, at: datetime | None = None) -> None:
        """Something happens to an incident, now or at that time."""

        def deed(tx: Transaction, policy: Policy, now: datetime) -> None:
            found = incidents.with_firing_alerts(tx, incidents.get(tx, number))
            whole = incidents.with_notes(tx, found)
            apply_event(tx, whole, event, policy, now=at or now)

        self.run(self.house.context.actions.perform(deed))

    def know(self, number: int, *facts: Facts | Missing, at: datetime = START) -> None:
        """The sources say this of an incident's opening."""
        names = {Measured: "prometheus", Served: "mlflow", Changed: "changes"}
        for each in facts:
            source = names.get(type(each), "history")
            self.happen(number, ContextFound(Finding(source, Moment.OPENING, at, each)), at=at)

    def incident(self, number: int) -> dict[str, Any]:
        return self.run(self.house.incident(number))


@contextmanager
def town(directory: Path, **settings: Any) -> Iterator[Town]:
    """A service on a free port, with these settings."""
    port = free_port()
    ready: threading.Event = threading.Event()
    found: list[Town] = []
    failed: list[BaseException] = []

    async def live() -> None:
        clock, over = Hands(), asyncio.Event()
        given = {"public_url": f"http://127.0.0.1:{port}", **settings}
        async with (
            serving(directory, clock=clock, **given) as house,
            listening(house.app, port) as url,
        ):
            there = Town(url, house, clock, asyncio.get_running_loop())
            found.append(there)
            ends.append(over)
            ready.set()
            await over.wait()

    ends: list[asyncio.Event] = []

    def thread() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001  (told to the test, below)
            failed.append(error)
        finally:
            ready.set()

    running = threading.Thread(target=thread)
    running.start()
    ready.wait(60)
    try:
        if failed or not found:
            raise RuntimeError("the service did not start") from (failed[0] if failed else None)
        yield found[0]
    finally:
        if found:
            found[0].loop.call_soon_threadsafe(ends[0].set)
        running.join(60)
    if failed:
        raise failed[0]


# A night to look at


def ago(minutes: float) -> str:
    return (START - minutes * MINUTE).isoformat().replace("+00:00", "Z")


def moved(minutes: float) -> Sequence[Facts]:
    """The context of `known`, for an incident that opened so many minutes ago."""
    shift = START - minutes * MINUTE - known.START
    measured = replace(
        known.MEASURED,
        line=tuple(Sample(each.at + shift, each.value) for each in known.MEASURED.line),
    )
    changes = tuple(replace(each, at=each.at + shift) for each in known.CHANGED.changes)
    served = replace(
        known.SERVED,
        since=(known.SERVED.since or known.START) + shift,
        current=replace(
            known.SERVED.current,
            registered_at=(known.SERVED.current.registered_at or known.START) + shift,
        ),
    )
    earlier = replace(known.EARLIER, last_opened_at=START - timedelta(days=9))
    return measured, served, replace(known.CHANGED, changes=changes), earlier


def lag(minutes: float) -> Measured:
    """Consumer lag that grows and grows."""
    start = START - minutes * MINUTE
    line = tuple(
        Sample(start + n * MINUTE, 4000.0 + 900 * (n % 7) + max(0, n + 20) ** 2 * 40)
        for n in range(-110, int(minutes) + 1)
    )
    limit, now = Threshold(">", 50_000), line[-1].value
    return Measured(None, "lag", limit, firing=61_203, now=now, line=line)


def night(there: Town) -> None:
    """Six incidents: what a console shows at three in the morning."""
    for minutes, happens in _STORY:
        there.clock.turn(START - minutes * MINUTE)
        happens(there)
    there.clock.turn(START)


def _training(there: Town) -> None:
    labels = {"severity": "info", "component": "training"}
    there.tell(_alert("TrainingDataStale", 1560, "no new labels for a day", labels))


def _drift(there: Town) -> None:
    labels = {"severity": "warning", "component": "model", "model": "pix-fraud"}
    there.tell(_alert("ScoreDrift", 300, "scores have moved by 0.12", labels))


def _drift_over(there: Town) -> None:
    there.happen(2, ResolvedByPerson(BRUNO, force=True))


def _delta(there: Town) -> None:
    labels = {"severity": "error", "component": "delta", "table": "transactions_gold"}
    there.tell(_alert("DeltaCommitConflicts", 180, "commits are retried again and again", labels))


def _kafka(there: Town) -> None:
    labels = {"severity": "critical", "component": "kafka", "topic": "pix.transactions"}
    there.tell(_alert("KafkaConsumerLag", 22, "transactions are read too late", labels))
    there.know(4, lag(22), Missing("it did not answer within 3 s"), at=there.clock.now())


def _scoring(there: Town) -> None:
    notes = {
        "summary": "p99 of scoring is above 500 ms",
        "description": "Pix decisions wait for the score. Each second counts.",
    }
    labels = {"severity": "critical", "component": "serving", "model": "pix-fraud"}
    every = [{**labels, "instance": f"scorer-{n}"} for n in range(3)]
    name = "ScoringLatencyHigh"
    there.tell(*(alert(name, starts=ago(14), annotations=notes, **each) for each in every))
    there.know(5, *moved(14), at=there.clock.now())


def _taken(there: Town) -> None:
    there.happen(5, Acknowledged(ANA))


def _spark(there: Town) -> None:
    labels = {"severity": "warning", "component": "spark", "job": "features"}
    there.tell(_alert("SparkBatchLate", 9, "the last batch took 94 s", labels))


def _noted(there: Town) -> None:
    text = "Rolled the alias back to v2.\nLatency falls, waiting ten minutes."
    there.happen(5, NoteAdded(ANA, text))


_STORY: Sequence[tuple[float, Callable[[Town], None]]] = (
    (1559, _training),
    (299, _drift),
    (200, _drift_over),
    (179, _delta),
    (22, _kafka),
    (14, _scoring),
    (11, _taken),
    (9, _spark),
    (6, _noted),
)


def _alert(name: str, minutes: float, summary: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return alert(name, starts=ago(minutes), annotations={"summary": summary}, **labels)
