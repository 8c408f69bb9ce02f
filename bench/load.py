"""Load: wrk for rates, a client of our own for thousands of connections at once."""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

_CONNECTIONS = 8  # wrk's
_PATIENCE_SECONDS = 60.0

_SCRIPT = """
local requests, at = {}, 0
function init(args)
  local headers = {["Content-Type"] = "application/json", ["User-Agent"] = "Alertmanager/0.28.1"}
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"""


class Failed(Exception):
    """The load met an error: the figure would mean nothing."""


def prepare(folder: Path, name: str, bodies: Iterable[bytes]) -> Path:
    """Bodies in a file, one a line, as wrk's script reads them."""
    (folder / "post.lua").write_text(_SCRIPT, encoding="utf-8")
    path = folder / f"{name}.jsonl"
    path.write_bytes(b"\n".join(bodies) + b"\n")
    return path


def wrk(url: str, bodies: Path, *, seconds: int) -> float:
    """Requests a second, over 8 connections, the bodies of the file in turn. Raises Failed."""
    program = shutil.which("wrk")
    if program is None:
        raise Failed("wrk is not installed: run tests/install-neighbours")
    command = [program, "-c", str(_CONNECTIONS), "-t", "1", "-d", f"{seconds}s", "-s"]
    command += [str(bodies.with_name("post.lua")), url, "--", str(bodies)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
    if "Non-2xx" in told.stdout or "Socket errors" in told.stdout:
        raise Failed(told.stdout)
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", told.stdout)[0])


@dataclass(slots=True)
class Outcome:
    """What became of a storm; `started` is the wall clock's time of its first request."""

    started: float = 0.0
    seconds: float = 0.0
    slowest: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0


def storm(port: int, bodies: Sequence[bytes], *, connections: int) -> Outcome:
    """Send all bodies over that many connections, open at once. Raises Failed for any error."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    outcome = uvloop.run(_storm(port, [_request(body) for body in bodies], connections))
    if outcome.broken or set(outcome.statuses) != {202}:
        raise Failed(f"broken connections: {outcome.broken}, answers: {outcome.statuses}")
    return outcome


async def _storm(port: int, requests: Sequence[bytes], connections: int) -> Outcome:
    loop = asyncio.get_running_loop()
    rush = _Rush(deque(requests), loop.create_future(), len(requests))
    wires = []
    for _ in range(connections):  # all are open before the first request goes out
        _, wire = await loop.create_connection(lambda: _Wire(rush), "127.0.0.1", port)
        wires.append(wire)
    rush.outcome.started, start = time.time(), time.perf_counter()
    for wire in wires:
        wire.send_next()
    await asyncio.wait_for(rush.done, _PATIENCE_SECONDS)
    rush.outcome.seconds = time.perf_counter() - start
    for wire in wires:
        wire.close()
    return rush.outcome


@dataclass(slots=True)
class _Rush:
    """The requests still to send, and what came of the others."""

    requests: deque[bytes]
    done: asyncio.Future[None]
    missing: int
    outcome: Outcome = field(default_factory=Outcome)

    def settle(self, count: int = 1) -> None:
        self.missing -= count
        if self.missing <= 0 and not self.done.done():
            self.done.set_result(None)


class _Wire(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, rush: _Rush) -> None:
        self._rush = rush
        self._transport: asyncio.Transport | None = None
        self._answer = b""
        self._sent_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is its own kind

    def send_next(self) -> None:
        if self._rush.requests and self._transport:
            self._sent_at = time.perf_counter()
            self._transport.write(self._rush.requests.popleft())

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, rest = self._answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if not found or not length or len(rest) < int(length[1]):
            return
        outcome, status = self._rush.outcome, int(head.split(b" ", 2)[1])
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        outcome.slowest = max(outcome.slowest, time.perf_counter() - (self._sent_at or 0.0))
        self._answer, self._sent_at = b"", None
        self.send_next()
        self._rush.settle()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._sent_at is not None:
            self._rush.outcome.broken += 1
            self._rush.settle()

    def close(self) -> None:
        if self._transport:
            self._transport.close()


def _request(body: bytes) -> bytes:
    head = (
        "POST /webhooks/alertmanager HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "User-Agent: Alertmanager/0.28.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
