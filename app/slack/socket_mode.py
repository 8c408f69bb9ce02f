"""Socket Mode: Slack's requests over a websocket that we open, so that nobody must reach us.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode. Not slack-sdk's client: it
tries an address that was refused for ever, though each is good for once only; it sees that a
connection was cut at its next ping, seconds later; it leaves the old connection before it has
the new one; and it logs addresses, which are secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType
from pydantic_core import from_json, to_json

from app.engine.clock import Clock
from app.engine.loops import end
from app.errors import DeliveryFailed, TryLater
from app.notifiers.slack_api import SlackApi
from app.slack import reading
from app.slack.desk import Desk
from app.slack.errands import Busy
from app.slack.requests import Malformed, Request
from app.telemetry import SLACK_CONNECTIONS, SLACK_REQUESTS

_HEARTBEAT = 10.0  # seconds; half of it without a pong is a connection that is gone
_HELLO = 10.0  # seconds until a connection must be of use
_PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds after so many failures in a row
_LEAVING = 30.0  # seconds that a connection may last after Slack said that it closes it
_SHORT = timedelta(seconds=1)  # a connection that lasted no longer was of no use
_LARGEST = 4 * 2**20  # bytes
_READERS = {
    "interactive": reading.interaction_payload,
    "slash_commands": reading.command_payload,
    "events_api": reading.event_payload,
}

log = structlog.get_logger()


class SocketMode:
    """Keeps one connection; when Slack is about to close it, the next is there before."""

    def __init__(self, api: SlackApi, desk: Desk, clock: Clock) -> None:
        self._api = api
        self._desk = desk
        self._clock = clock
        self._reading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        try:
            while True:
                try:
                    connection = await self._connect()
                except (DeliveryFailed, aiohttp.ClientError, OSError, TimeoutError) as error:
                    failures += 1
                    await self._rest(error, failures)
                    continue
                began = self._clock.now()
                await self._serve(connection)
                failures = failures + 1 if self._clock.now() - began < _SHORT else 0
                await self._clock.sleep(_pause(failures))
        finally:
            await self._stop()

    async def _rest(self, error: Exception, failures: int) -> None:
        """The text of the error may hold the address, which is a secret: its kind is told."""
        why = str(error) if isinstance(error, DeliveryFailed) else type(error).__name__
        log.warning("Socket Mode has no connection", why=why, failures=failures)
        pause = _pause(failures)
        if isinstance(error, TryLater) and error.after:
            pause = max(pause, error.after.total_seconds())
        await self._clock.sleep(pause)

    async def _connect(self) -> ClientWebSocketResponse:
        """A new connection that has said hello. Each address is good for one connection."""
        answer = await self._api.call("apps.connections.open", {})
        socket = await self._api.connect().ws_connect(
            str(answer.get("url")),
            heartbeat=_HEARTBEAT,
            max_msg_size=_LARGEST,
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        )
        try:
            async with asyncio.timeout(_HELLO):
                first = await socket.receive()
        except TimeoutError:
            await socket.close()
            raise
        if first.type is not WSMsgType.TEXT or _message(first.data).get("type") != "hello":
            await socket.close()
            raise TryLater("Slack closed the connection before it was of use.", code="no_hello")
        return socket

    async def _serve(self, socket: ClientWebSocketResponse) -> None:
        """Read until Slack closes the connection, or says that it is about to.

        The rest of one that is about to be closed is read beside its successor.
        """
        SLACK_CONNECTIONS.inc()
        leaving = asyncio.Event()
        task = asyncio.create_task(self._read(socket, leaving))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        await leaving.wait()

    async def _read(self, socket: ClientWebSocketResponse, leaving: asyncio.Event) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    async for frame in socket:
                        if frame.type is WSMsgType.TEXT:
                            await self._read_one(socket, _message(frame.data), leaving)
                        if leaving.is_set() and limit.when() is None:
                            limit.reschedule(asyncio.get_running_loop().time() + _LEAVING)
        finally:
            leaving.set()
            with suppress(aiohttp.ClientError, OSError):
                await socket.close()

    async def _read_one(
        self, socket: ClientWebSocketResponse, message: Mapping[str, Any], leaving: asyncio.Event
    ) -> None:
        if message.get("type") == "disconnect":
            log.info("Slack closes the connection", why=str(message.get("reason"))[:40])
            leaving.set()
        else:
            await self._take(socket, message)

    async def _take(self, socket: ClientWebSocketResponse, message: Mapping[str, Any]) -> None:
        """Take what an envelope holds, and say so at once; what is not taken is sent again."""
        envelope, kind = message.get("envelope_id"), message.get("type")
        if not isinstance(envelope, str) or not isinstance(kind, str):
            return
        outcome, answer = self._taken(kind, message.get("payload"))
        SLACK_REQUESTS.labels(_KINDS.get(kind, "other"), outcome).inc()
        if outcome == "busy":
            return
        told = {"envelope_id": envelope, **({"payload": answer} if answer is not None else {})}
        with suppress(aiohttp.ClientError, OSError):  # it is cut: Slack sends it again
            await socket.send_str(to_json(told).decode())

    def _taken(self, kind: str, payload: object) -> tuple[str, dict[str, object] | None]:
        try:
            return "taken", self._desk.take(_read(kind, payload))
        except Busy:
            return "busy", None
        except Malformed as error:
            log.warning("a request over Socket Mode cannot be read", kind=kind, why=str(error))
            return "malformed", None

    async def _stop(self) -> None:
        await end(self._reading)


_KINDS = {"interactive": "interaction", "slash_commands": "command", "events_api": "event"}


def _pause(failures: int) -> float:
    return _PAUSES[min(failures, len(_PAUSES) - 1)]


def _read(kind: str, payload: object) -> Request:
    if kind not in _READERS:
        raise Malformed("type: expected interactive, slash_commands or events_api")
    if not isinstance(payload, dict):
        raise Malformed("payload: expected an object")
    return _READERS[kind](payload)


def _message(data: str) -> Mapping[str, Any]:
    try:
        found = from_json(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
