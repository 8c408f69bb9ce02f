"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # three in the morning in São Paulo
_SETTLE = 0.03  # real seconds for calls to neighbours to come back between two steps


class FakeClock:
    """`advance` wakes sleepers in the order of their time; neighbours answer in between."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    def now(self) -> datetime:
        return self._now

    def time(self) -> float:
        """For neighbours that count in seconds since 1970."""
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (until, next(self._number), woken))
        await woken

    async def advance(self, *, settle: float = _SETTLE, **delta: float) -> None:
        """Move on by that much (`seconds=`, `minutes=`, `hours=`)."""
        target = self._now + timedelta(**delta)
        await asyncio.sleep(settle)
        while (due := self._next_due(target)) is not None:
            self._now = max(self._now, due)
            self._wake()
            await asyncio.sleep(settle)
        self._now = target
        await asyncio.sleep(settle)

    def jump(self, **delta: float) -> None:
        """Move on by that much at once: a loop that would have run often meanwhile runs once."""
        self._now += timedelta(**delta)
        self._wake()

    def _next_due(self, target: datetime) -> datetime | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        due = self._sleepers[0][0] if self._sleepers else None
        return due if due is not None and due <= target else None

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
