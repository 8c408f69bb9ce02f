"""Runs the loops beside one another, and starts one again that failed unexpectedly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

from app.telemetry import LOOP_FAILURES

_PAUSE = 1.0

log = structlog.get_logger()


class Loop(Protocol):
    async def run(self) -> None:
        """Until cancelled."""


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
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

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
