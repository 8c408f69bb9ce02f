"""The service between real Alertmanagers, its own clock in hand, for tests of silences.

Alertmanager goes by the real time; only the service believes in the clock that is moved on.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.processes import find_program
from tests.waiting import soon, tell

CONFIG = "receivers: {o: {console: true}}\nroutes: {receiver: o}\n"
QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
EVERY = 15  # seconds; `verify.every` as it is by default

OUTSIDE = "http://alertmanager.example:9093"  # as the notifications of these tests have it

Json = dict[str, Any]


@dataclass(slots=True)
class Town:
    """The service and one or two Alertmanagers, which hear of the same alerts."""

    house: House
    clock: FakeClock
    alertmanagers: list[Alertmanager]

    async def fire(self, *alerts: Json) -> None:
        """Let the alerts fire: Alertmanager has them, and has told us."""
        posted = [{k: a[k] for k in ("labels", "annotations", "startsAt")} for a in alerts]
        for each in self.alertmanagers:
            each.post_alerts(posted)
        await tell(self.house, notification(*alerts))

    async def silence(self, number: int = 1, **body: Any) -> httpx.Response:
        given = {"by": "Ana", "duration": "2h"} | body
        if "until" in given:
            given.pop("duration")
        return await self.house.http.post(f"/incidents/{number}/silence", json=given)

    async def silenced(self, number: int = 1, **body: Any) -> Json:
        answer = await self.silence(number, **body)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    async def end(self, silence: int, number: int = 1, by: str = "Bia") -> httpx.Response:
        path = f"/incidents/{number}/silences/{silence}/end"
        return await self.house.http.post(path, json={"by": by})

    async def silences(self, number: int = 1) -> list[Json]:
        found: list[Json] = (await self.house.incident(number))["silences"]
        return found

    async def passes(self, count: int = 2) -> None:
        """Let the service compare so often."""
        for _ in range(count):
            await self.clock.advance(seconds=EVERY + 1, settle=0.15)

    async def until(self, done: Callable[[list[Json]], object], number: int = 1) -> list[Json]:
        """Let it compare until the incident's silences are so."""

        async def look() -> list[Json] | None:
            await self.passes(1)
            found = await self.silences(number)
            return found if done(found) else None

        return await soon(look, what="the incident's silences as wanted", within=30)

    def states(self, at: int = 0) -> set[str]:
        return {each["status"]["state"] for each in self.alertmanagers[at].alerts()}

    def active(self, at: int = 0) -> list[Json]:
        listed = self.alertmanagers[at].silences()
        return [each for each in listed if each["status"]["state"] == "active"]

    def amtool(self, *arguments: str) -> str:
        """What people without us do."""
        command = [find_program("amtool"), f"--alertmanager.url={self.alertmanagers[0].url}"]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout.strip()

    async def told(self, kind: str, number: int = 1) -> list[Json]:
        answer = await self.house.http.get(f"/incidents/{number}/timeline")
        return [entry for entry in answer.json()["items"] if entry["kind"] == kind]


@asynccontextmanager
async def beside(directory: Path, *alertmanagers: Alertmanager, **more: Any) -> AsyncIterator[Town]:
    """The service, set to ask these."""
    clock = FakeClock(datetime.now(UTC))
    config = directory / "plantao.yml"
    config.write_text(CONFIG)
    urls = tuple(each.url for each in alertmanagers)
    given = {"config": config, "alertmanager_url": urls, **more}
    async with serving(directory, clock=clock, **given) as house:
        yield Town(house, clock, list(alertmanagers))


def fresh(name: str = "KafkaLag", **labels: str) -> Json:
    made = alert(name, starts=datetime.now(UTC).isoformat())
    return made | {"labels": made["labels"] | labels}
