"""Runs the loops beside one another, and starts one again that failed unexpectedly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import structlog

from app.telemetry import LOOP_FAILURES

_PAUSE = 1.0
_INSIST_AFTER = 2.0

log = structlog.get_logger()


class Loop(Protocol):
    async def run(self) -> None:
        """Until cancelled."""


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel these, and return when they have ended.

    Once is not always enough: `asyncio.wait_for`, which libraries use, keeps a cancellation to
    itself where what it waits for is there at the same moment (bpo-37658, up to Python 3.11).
    """
    ending = running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_INSIST_AFTER)
    await asyncio.gather(*ending, return_exceptions=True)  # or asyncio complains of their errors


class Loops:
    """All loops of the service, by name."""

    def __init__(self, loops: Mapping[str, Loop]) -> None:
        self._loops = loops
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failing: set[str] = set()

    def start(self) -> None:
        for name, loop in self._loops.items():
            LOOP_FAILURES.labels(name)
            self._tasks[name] = asyncio.create_task(self._keep(name, loop), name=name)

    async def stop(self) -> None:
        await end(self._tasks.values())

    def stopped(self) -> list[str]:
        """The loops that are not running: failed a moment ago, ended, or not yet started."""
        ended = {n for n in self._loops if n not in self._tasks or self._tasks[n].done()}
        return sorted(ended | self._failing)

    async def _keep(self, name: str, loop: Loop) -> None:
        while True:
            try:
                await loop.run()
            except Exception:
                LOOP_FAILURES.labels(name).inc()
                log.exception("a loop failed; it starts again", loop=name)
                self._failing.add(name)
            await asyncio.sleep(_PAUSE)
            self._failing.discard(name)
