"""The side of Slack that calls the app: a thread with an event loop of its own.

It starts when something is sent first, and ends with the workspace. Time is the emulator's:
whoever waits here waits until the workspace's clock says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx

Result = TypeVar("Result")
_POLL_SECONDS = 0.01


class Outbox:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._http: httpx.AsyncClient | None = None
        self._closed = False
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._turn = itertools.count()
        self._ticking: asyncio.Task[None] | None = None
        self._last: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def run(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Do this in the outbox's loop, beside everything else."""
        with self._start:
            if self._closed:
                work.close()
                raise RuntimeError("this workspace is closed")
            return asyncio.run_coroutine_threadsafe(work, self._started())

    def at_end(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Call this in the outbox's loop before it ends."""
        self._last.append(close)

    @property
    def http(self) -> httpx.AsyncClient:
        """Slack's own client; only for work in the outbox."""
        if self._http is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            self._http = httpx.AsyncClient(
                trust_env=False, timeout=60, limits=limits, follow_redirects=True, max_redirects=2
            )
        return self._http

    async def until(self, moment: float) -> None:
        """Only for work in the outbox. One look at the clock serves all who wait."""
        if self._clock() >= moment:
            return
        come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (moment, next(self._turn), come))
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.ensure_future(self._tick())
        await come

    async def _tick(self) -> None:
        while self._waiting:
            now = self._clock()
            while self._waiting and (self._waiting[0][2].done() or self._waiting[0][0] <= now):
                come = heapq.heappop(self._waiting)[2]
                if not come.done():
                    come.set_result(None)
            await asyncio.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """End everything under way; nothing more can be sent."""
        with self._start:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=loop.run_forever, name="slack-outbox", daemon=True
            )
            self._thread.start()
        return self._loop

    async def _end(self) -> None:
        for close in self._last:
            await close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
        with contextlib.suppress(RuntimeError):
            await asyncio.get_running_loop().shutdown_asyncgens()
