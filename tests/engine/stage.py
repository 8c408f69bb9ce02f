"""The service between neighbours on loopback, all by one clock: what delivery stories need."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clock import FakeClock
from tests.house import House, notification, serving
from tests.neighbours.processes import free_port
from tests.neighbours.slack import BOT_TOKEN, Message, SlackServer, Workspace

CHANNEL = "#fraude-plantao"
DIRECT = (
    f"receivers: {{oncall: {{slack: {{channel: '{CHANNEL}'}}}}}}\nroutes: {{receiver: oncall}}\n"
)
"""A configuration with one channel and nothing else."""


@dataclass(slots=True)
class Stage:
    """`slack` is the workspace; `house` the service. Both go by `clock`."""

    house: House
    clock: FakeClock
    slack: Workspace

    async def fire(self, *alerts: dict[str, Any], **around: Any) -> None:
        await self.house.post(notification(*alerts, **around))

    async def play(
        self, done: Callable[[], object], *, seconds: float = 120, step: float = 1.0
    ) -> None:
        """Let time pass, a step at once, until `done`; fail after so many seconds."""
        end = self.clock.time() + seconds
        while not done():
            assert self.clock.time() < end, self._story()
            await self.clock.advance(seconds=step)

    async def root(self, containing: str, **where: Any) -> Message:
        """The next root message, which must say this."""
        return await self._message(containing, None, **where)

    async def reply(self, root: Message, containing: str | Sequence[str] = ()) -> Message:
        """The next reply to `root`, which must say this."""
        return await self._message(containing, root)

    async def _message(
        self, containing: str | Sequence[str], root: Message | None, **where: Any
    ) -> Message:
        await self.play(lambda: self.slack.came(containing, thread_of=root, **where))
        return await self.slack.expect_message_soon(
            containing=containing, thread_of=root, within=5, **where
        )

    async def shows(self, message: Message, containing: str, *, without: str = "\0") -> None:
        """Let time pass until the message says this, edited as often as it takes."""
        await self.play(lambda: containing in message and without not in message)

    async def quiet(self, *, seconds: float = 90) -> None:
        """Nothing is said that was not expected, and nothing is left to do."""
        await self.play(self._idle, seconds=900)
        before = len(self.slack.journal)
        await self.clock.advance(seconds=seconds)
        assert len(self.slack.journal) == before, self._story()
        self.slack.assert_nothing_unexpected()
        self.assert_nothing_twice()

    def _idle(self) -> bool:
        calls = self.slack.calls()
        return not calls or self.clock.time() - calls[-1].at > 5

    async def posting(self, number: int = 1, *, kind: str = "slack") -> dict[str, Any]:
        """An incident's posting at the first destination of that kind, as the API shows it."""
        shown = (await self.house.incident(number))["postings"]
        found: dict[str, Any] = next(p for p in shown if p["destination"].startswith(kind))
        return found

    def rate_limited(self) -> int:
        """How many calls Slack has refused because there were too many."""
        calls = self.slack.calls()
        return sum(call.status == 429 or call.fault == "ratelimited" for call in calls)

    def assert_nothing_twice(self) -> None:
        """Each posting has one root, and each reply once in its thread, by our own marks."""
        marks = Counter(mark for message in self.slack.all_messages() if (mark := _mark(message)))
        assert not [mark for mark, times in marks.items() if times > 1], self._story()

    def _story(self) -> str:
        calls = [
            f"{c.at - self.slack.journal[0].at:8.1f} {c.method} {c.fault or ''} {c.answer}"[:300]
            for c in self.slack.calls()[-20:]
        ]
        said = [m.visible_text for m in self.slack.all_messages()[-20:]]
        return "\n".join(["the last calls:", *calls, "the last messages:", *map(repr, said)])


def _mark(message: Message) -> tuple[str, int, str | None] | None:
    payload = (message.metadata or {}).get("event_payload")
    return (payload["posting"], payload["entry"], message.thread_ts) if payload else None


@asynccontextmanager
async def stage(
    directory: Path,
    *,
    workspace: Callable[[FakeClock], Workspace] | None = None,
    config: str = DIRECT,
    clock: FakeClock | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """The service and Slack, both running."""
    clock = clock or FakeClock()
    slack = workspace(clock) if workspace else Workspace(clock=clock.time)
    with SlackServer(slack) as server:
        async with playing(directory, clock, slack, server.api_url, config, **settings) as each:
            yield each


@asynccontextmanager
async def playing(
    directory: Path, clock: FakeClock, slack: Workspace, api_url: str, config: str, **settings: Any
) -> AsyncIterator[Stage]:
    """The service alone, with Slack supposed to be at `api_url`."""
    path = directory / "plantao.yml"
    path.write_text(config)
    given = {"slack_bot_token": BOT_TOKEN, "slack_api_url": api_url, "config": path, **settings}
    async with serving(directory, clock=clock, **given) as house:
        yield Stage(house, clock, slack)


def nowhere() -> tuple[int, str]:
    """A port where nobody listens yet, and the address of Slack there."""
    port = free_port()
    return port, f"http://127.0.0.1:{port}/api/"
