"""Telling a story: it goes wrong, it is put right, and where it has come to meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

import httpx

from demo.figures import Trouble
from demo.recorded import Notifications
from demo.stories import BY_NAME, STORIES, Change, Story
from demo.town import Town

Json = dict[str, Any]
Phase = Literal["idle", "rising", "open", "blind", "mending", "over"]

_POLL = 0.5  # seconds
_PATIENCE = 30.0  # seconds for what should happen within a few
_SEEN = 4.0  # seconds that a reopened incident is left to be looked at
_SHOWN = 6  # incidents of a story


class Teller:
    """Not safe for several event loops. `http` is for the service."""

    def __init__(self, town: Town, http: httpx.AsyncClient) -> None:
        self._town = town
        self._http = http
        self._notifications = Notifications(http, town.service_url)
        self._began: dict[str, datetime] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.failure = ""

    async def tell(self, name: str) -> None:
        """Let it go wrong. A story that is being told goes on. Raises KeyError."""
        story = BY_NAME[name]
        if self._trouble(story).on:
            return
        self._began[name] = datetime.now(UTC)
        setattr(self._town.figures, story.trouble, Trouble(since=time.time()))
        self._run(story, self._goes_wrong(story))

    async def mend(self, name: str) -> None:
        """Put it right. Raises KeyError."""
        story = BY_NAME[name]
        if self._trouble(story).on:
            self._run(story, self._is_put_right(story))

    async def states(self) -> list[Json]:
        """Where each story has come to, with its incidents as the log has them."""
        return await asyncio.gather(*(self._state(story) for story in STORIES))

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # What happens

    async def _goes_wrong(self, story: Story) -> None:
        await self._tell_change(story.changed)
        if not self._real:
            await self._notifications.fire(story)
        if story.blinds:
            await self._until(story, _any_open)
            await asyncio.sleep(_SEEN)
            await self._town.blindfold()
            if not self._real:
                await self._notifications.resolve(story)

    async def _is_put_right(self, story: Story) -> None:
        await self._tell_change(story.undone)
        if story.blinds and self._town.blind:
            await self._see_again(story)
        self._trouble(story).until = time.time()
        if not self._real:
            await self._notifications.resolve(story)

    async def _see_again(self, story: Story) -> None:
        """Prometheus is back before anything is mended: the alert fires again."""
        await self._town.open_eyes()
        if not self._real:
            await self._notifications.fire(story)
        await self._until(story, _any_open)
        await asyncio.sleep(_SEEN)

    async def _tell_change(self, change: Change | None) -> None:
        if change:
            body = {"source": "mlflow", **asdict(change)}
            (await self._http.post("/changes", json=body)).raise_for_status()

    def _run(self, story: Story, work: Coroutine[Any, Any, None]) -> None:
        before = self._tasks.get(story.name)
        if before is not None:
            before.cancel()
        self._tasks[story.name] = asyncio.create_task(self._carefully(work))

    async def _carefully(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (httpx.HTTPError, TimeoutError, AssertionError) as error:
            self.failure = f"{type(error).__name__}: {error}"

    async def _until(self, story: Story, done: Callable[[Sequence[Json]], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not done(await self._incidents(story)):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_POLL)

    # Where it is

    @property
    def _real(self) -> bool:
        return self._town.prometheus is not None

    def _trouble(self, story: Story) -> Trouble:
        found: Trouble = getattr(self._town.figures, story.trouble)
        return found

    async def _state(self, story: Story) -> Json:
        found = await self._incidents(story) if story.name in self._began else []
        shown = [_brief(each) for each in found[:_SHOWN]]
        return {"name": story.name, "phase": self._phase(story, found), "incidents": shown}

    def _phase(self, story: Story, found: Sequence[Json]) -> Phase:
        trouble = self._trouble(story)
        if story.name not in self._began:
            return "idle"
        if trouble.on:
            quiet: Phase = "blind" if self._town.blind else "rising"
            return "open" if _any_open(found) else quiet
        return "mending" if _any_open(found) else "over"

    async def _incidents(self, story: Story) -> Sequence[Json]:
        """Those of its alerts that changed since it began, the newest first."""
        asked: dict[str, Any] = {"alertname": story.alertnames, "limit": 20}
        try:
            answer = await self._http.get("/incidents", params=asked)
            answer.raise_for_status()
        except httpx.HTTPError:
            return []
        began = self._began[story.name]
        items: Sequence[Json] = answer.json()["items"]
        return [each for each in items if datetime.fromisoformat(each["updated_at"]) >= began]


def _any_open(found: Sequence[Mapping[str, Any]]) -> bool:
    return any(each["status"] != "resolved" for each in found)


_BRIEF = ("id", "title", "status", "severity", "resolution", "acknowledged_by", "reopened")


def _brief(incident: Json) -> Json:
    counts = incident["alert_counts"]
    return {name: incident.get(name) for name in _BRIEF} | {"alerts": sum(counts.values())}
