"""What is done after Slack has had its answer: many at once, bounded, in order where it matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from app.engine.loops import end
from app.telemetry import SLACK_ERRANDS, SLACK_FAILURES

_MOST = 1000
_SECONDS = 120.0  # an errand that takes longer waits for somebody who is gone

log = structlog.get_logger()


class Busy(Exception):
    """There is no room for more: Slack should say so, or come again."""


class Errands:
    """Runs each piece of work as a task of its own, so that none waits for a slow one.

    Those with the same key run one after another, in the order they came.
    """

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Task[None]] = {}

    def take(self, work: Callable[[], Coroutine[Any, Any, None]], *, key: str = "") -> None:
        """Begin as soon as the caller awaits anything. Raises Busy where there is no room."""
        if len(self._tasks) >= self._most:
            SLACK_FAILURES.labels("busy").inc()
            raise Busy
        task = asyncio.create_task(self._run(work, self._last.get(key) if key else None))
        self._tasks.add(task)
        SLACK_ERRANDS.set(len(self._tasks))
        task.add_done_callback(self._done)
        if key:
            self._last[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))

    async def close(self, *, within: float = 5.0) -> None:
        """Finish what is under way, for so many seconds; what then still runs is given up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        await end(self._tasks)

    async def _run(
        self, work: Callable[[], Coroutine[Any, Any, None]], before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            async with asyncio.timeout(_SECONDS):
                await work()
        except TimeoutError:
            SLACK_FAILURES.labels("timeout").inc()
            log.warning("something asked for in Slack took too long and was given up")
        except Exception:
            SLACK_FAILURES.labels("error").inc()
            log.exception("something asked for in Slack failed unexpectedly")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        SLACK_ERRANDS.set(len(self._tasks))

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._last.get(key) is task:
            del self._last[key]
