"""The service at work in Slack: people press and type there, and it hears them over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.clock import START, FakeClock
from tests.engine.stage import CHANNEL, DIRECT, Stage, playing
from tests.house import alert, listening
from tests.neighbours.slack import SIGNING_SECRET, Message, SlackServer, Workspace

PORTUGUESE = DIRECT.replace("oncall: {", "oncall: {locale: pt-BR, ", 1)
"""The same channel, in Portuguese."""


@dataclass(slots=True)
class Workplace(Stage):
    """A stage on which the service listens at `url`."""

    url: str = ""

    async def incident(self, name: str = "KafkaLag") -> Message:
        """An alert fires; the root of its incident, with its details below."""
        await self.fire(alert(name, severity="critical"))
        root = await self.root(name)
        self.slack.allow(thread_of=root)
        return root

    async def said(self, root: Message, containing: str) -> Message:
        """Let time pass until a reply in the thread says this."""

        def found() -> list[Message]:
            return [each for each in self.slack.replies(root) if containing in each]

        await self.play(found)
        return found()[0]

    async def state(self, number: int = 1) -> str:
        found: str = (await self.house.incident(number))["status"]
        return found

    async def entries(self, kind: str, number: int = 1) -> list[dict[str, Any]]:
        """The incident's entries of that kind."""
        answer = await self.house.http.get(f"/incidents/{number}/timeline?edits=true")
        return [each for each in answer.json()["items"] if each["kind"] == kind]


@asynccontextmanager
async def workplace(
    directory: Path,
    *,
    config: str = DIRECT,
    workspace: Callable[[FakeClock], Workspace] | None = None,
    start: datetime = START,
    **settings: Any,
) -> AsyncIterator[Workplace]:
    """The service and Slack, each hearing the other. At the end nothing unexpected was said."""
    clock = FakeClock(start)
    slack = workspace(clock) if workspace else Workspace(clock=clock.time)
    with SlackServer(slack) as server:
        async with at_work(directory, clock, server, config=config, **settings) as each:
            yield each
        slack.assert_nothing_unexpected()


@asynccontextmanager
async def at_work(
    directory: Path, clock: FakeClock, server: SlackServer, *, config: str = DIRECT, **settings: Any
) -> AsyncIterator[Workplace]:
    """The service alone; entered again in the same directory, it is the same one restarted."""
    slack = server.workspace
    given = {"slack_signing_secret": SIGNING_SECRET, **settings}
    async with (
        playing(directory, clock, slack, server.api_url, config, **given) as each,
        listening(each.house.app) as url,
    ):
        slack.app.is_at(url)
        slack.app.add_shortcut("timeline.add", "Add to timeline")
        yield Workplace(each.house, clock, slack, url)


__all__ = ["CHANNEL", "PORTUGUESE", "Workplace", "at_work", "workplace"]
