"""Socket Mode (docs.slack.dev/apis/events-api/using-socket-mode): real websockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aiohttp import WSMsgType, web

from .delivery import Delivery, JsonObject, Reply
from .listener import listening_socket
from .sending import to_json

if TYPE_CHECKING:
    import socket

    from .workspace import Workspace

MOST_CONNECTIONS = 10
WARNING_SECONDS = 10.0
"""From `warning` to `refresh_requested`."""
_TICKET_SECONDS = 30.0
_HOST = "applink-emulator"
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(eq=False)
class Connection:
    socket: web.WebSocketResponse
    transport: asyncio.BaseTransport
    waiting: dict[str, asyncio.Future[Reply]] = field(default_factory=dict)
    """Acknowledgements that have not come yet, by envelope_id."""
    leaving: bool = False
    """Told to go: nothing new is sent to it."""

    async def say(self, message: JsonObject) -> None:
        if not self.socket.closed:
            await self.socket.send_str(to_json(message))


class Sockets:
    """Methods without `async` may be called from any thread; the others live in the outbox."""

    def __init__(self, workspace: Workspace, *, seed: int = 0) -> None:
        self._workspace = workspace
        self._dice = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
        self._listener: socket.socket | None = None
        self._runner: web.AppRunner | None = None
        self._tickets: dict[str, float] = {}
        self._connections: list[Connection] = []
        self._cuts = 0
        self.lifetime = 18_060.0
        """Seconds by the emulator's clock until a connection is asked to refresh."""
        self.envelopes: list[JsonObject] = []
        """Every one that was sent."""
        self.cut_after: str | None = None
        """Once such an event is sent, all connections break before it can be acknowledged."""
        self.opened = 0
        """Connections there were so far."""

    # -- for tests

    @property
    def count(self) -> int:
        """Connections that are open now."""
        return len(self._connections)

    def cut(self) -> None:
        """Break every connection, without a word."""
        self._workspace.outbox.run(self._cut()).result()

    def cut_every(self, seconds: float | None) -> None:
        """Break them again and again, by the emulator's clock; None: no more."""
        self._cuts += 1
        if seconds is not None:
            self._workspace.outbox.run(self._cut_every(seconds, self._cuts))

    def refresh(self) -> None:
        """What Slack does now and then: ask every connection to come again, and close it."""
        self._workspace.outbox.run(self._dismiss("refresh_requested")).result()

    def warn(self) -> None:
        """Announce that a refresh is near."""
        self._workspace.outbox.run(self._tell_all("warning")).result()

    def disable(self) -> None:
        """Somebody turned Socket Mode off in the app's settings."""
        self._workspace.app.socket_mode = False
        self._workspace.outbox.run(self._dismiss("link_disabled")).result()

    # -- for the Web API

    def link(self) -> str:
        """A websocket's address for `apps.connections.open`: for one connection, soon."""
        if self._listener is None:
            self._listener = listening_socket()
            self._workspace.outbox.run(self._serve(self._listener))
        ticket = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self._tickets[ticket] = self._workspace.clock() + _TICKET_SECONDS
        port = self._listener.getsockname()[1]
        return f"ws://127.0.0.1:{port}/link/?ticket={ticket}&app_id={self._workspace.app.id}"

    # -- carrying

    async def carry(self, delivery: Delivery, number: int, reason: str) -> Reply:
        """Through one of the connections; waits for its acknowledgement for ever."""
        there = [c for c in self._connections if not c.leaving]
        if not there:
            return Reply("connection_failed", body="no connection")
        connection = self._dice.choice(there)
        envelope = self._envelope(delivery, number, reason)
        self.envelopes.append(envelope)
        acknowledged: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope["envelope_id"]] = acknowledged
        with contextlib.suppress(ConnectionError):  # Slack does not know either: it waits
            await connection.say(envelope)
        if self.cut_after and self.cut_after == delivery.payload.get("event", {}).get("type"):
            self.cut_after = None
            await self._cut()
        return await acknowledged

    def _envelope(self, delivery: Delivery, number: int, reason: str) -> JsonObject:
        events = delivery.kind == "events_api"
        envelope: JsonObject = {
            "envelope_id": str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            "type": delivery.kind,
            "payload": delivery.payload,
            "accepts_response_payload": not events,
        }
        return envelope | ({"retry_attempt": number, "retry_reason": reason} if events else {})

    # -- connections

    async def _serve(self, listener: socket.socket) -> None:
        app = web.Application()
        app.router.add_get("/link/", self._linked)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        self._cuts += 1
        await self._cut()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._listener is not None:
            self._listener.close()

    async def _linked(self, request: web.Request) -> web.StreamResponse:
        expires = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if self._workspace.clock() >= expires:
            return web.Response(status=401, text="invalid ticket")
        link = web.WebSocketResponse()
        await link.prepare(request)
        assert request.transport is not None
        connection = Connection(link, request.transport)
        if (refusal := self._refusal()) is not None:
            await connection.say(_disconnect(refusal))
            await link.close()
            return link
        await self._held(connection)
        return link

    def _refusal(self) -> Reason | None:
        if not self._workspace.app.socket_mode:
            return "link_disabled"
        return "too_many_websockets" if self.count >= MOST_CONNECTIONS else None

    async def _held(self, connection: Connection) -> None:
        self._connections.append(connection)
        self.opened += 1
        aging = asyncio.ensure_future(self._age(connection))
        try:
            await connection.say(self._hello())
            async for message in connection.socket:
                if message.type == WSMsgType.TEXT:
                    _take(connection, message.data)
        except ConnectionError:
            pass
        finally:
            aging.cancel()
            if connection in self._connections:
                self._connections.remove(connection)

    def _hello(self) -> JsonObject:
        return {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": {
                "host": _HOST,
                "build_number": 1,
                "approximate_connection_time": int(self.lifetime),
            },
            "connection_info": {"app_id": self._workspace.app.id},
        }

    async def _age(self, connection: Connection) -> None:
        end = self._workspace.clock() + self.lifetime
        await self._workspace.outbox.until(end - WARNING_SECONDS)
        await connection.say(_disconnect("warning"))
        await self._workspace.outbox.until(end)
        await _leave(connection, "refresh_requested")

    async def _cut(self) -> None:
        for connection in self._connections:
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()
        self._connections.clear()

    async def _cut_every(self, seconds: float, turn: int) -> None:
        while True:
            await self._workspace.outbox.until(self._workspace.clock() + seconds)
            if turn != self._cuts:
                return
            await self._cut()

    async def _tell_all(self, reason: Reason) -> None:
        for connection in list(self._connections):
            await connection.say(_disconnect(reason))

    async def _dismiss(self, reason: Reason) -> None:
        for connection in list(self._connections):
            await _leave(connection, reason)


def _disconnect(reason: Reason) -> JsonObject:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}


async def _leave(connection: Connection, reason: Reason) -> None:
    connection.leaving = True
    await connection.say(_disconnect(reason))
    # Not waited for: a client that does not answer the close must not hold Slack up.
    closing = asyncio.ensure_future(connection.socket.close())
    await asyncio.wait({closing}, timeout=0.1)


def _take(connection: Connection, text: str) -> None:
    """An acknowledgement counts on the connection its envelope came by, once."""
    try:
        acknowledgement = json.loads(text)
    except ValueError:
        return
    if not isinstance(acknowledgement, dict):
        return
    waiting = connection.waiting.pop(str(acknowledgement.get("envelope_id")), None)
    if waiting is not None and not waiting.done():
        waiting.set_result(Reply(status=200, body=acknowledgement.get("payload")))
