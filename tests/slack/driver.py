"""A headless Chromium that does as it is told, through its DevTools protocol."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.neighbours.processes import Process, find_program, free_port

_POLL_SECONDS = 0.05
_START_SECONDS = 30


class PageLeft(Exception):
    """The page went elsewhere while it was asked."""


class Page:
    """One page; `run` evaluates JavaScript in it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def run(self, script: str) -> Any:
        self._number += 1
        arguments = {"expression": script, "returnByValue": True, "awaitPromise": True}
        call = {"id": self._number, "method": "Runtime.evaluate", "params": arguments}
        await self._socket.send_json(call)
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == self._number:
                break
        if "result" not in answer:
            raise PageLeft(answer["error"]["message"])
        result = answer["result"]
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def shows(self, script: str, *, within: float = 20.0) -> Any:
        """Wait until the script's value is true."""
        async with asyncio.timeout(within):
            while True:
                with suppress(PageLeft):
                    if value := await self.run(script):
                        return value
                await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Page]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="plantao-chromium-", ignore_cleanup_errors=True) as own:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--no-first-run", "--disable-background-networking", "--disable-extensions",
                 f"--user-data-dir={own}/profile", f"--remote-debugging-port={port}"]  # fmt: skip
        program = find_program("chromium", "chromium-browser", "google-chrome")
        environment = {"HOME": own, "XDG_CONFIG_HOME": own, "XDG_CACHE_HOME": own}
        chromium = Process([program, *flags, url], log=Path(own) / "log", env=environment)
        chromium.start()
        try:
            async with aiohttp.ClientSession() as session:
                address = await _debugger(session, port)
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            chromium.stop()


async def _debugger(session: aiohttp.ClientSession, port: int) -> str:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    for each in await answer.json():
                        if each["type"] == "page":
                            return str(each["webSocketDebuggerUrl"])
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(_POLL_SECONDS)
