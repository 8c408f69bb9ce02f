"""Answers that are none: the connection closes early, or the body is cut."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable
    from uvicorn._types import Scope as UvicornScope

_TRANSPORT = "plantao.transport"


class OpenProtocol(H11Protocol):
    """uvicorn's HTTP with the connection in the scope, so that a fault can close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def app(
            scope: UvicornScope, receive: ASGIReceiveCallable, send: ASGISendCallable
        ) -> None:
            scope["state"][_TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = app

    def shutdown(self) -> None:
        """A server that ends drops even those it keeps waiting on purpose."""
        self.transport.close()


class Dropped(Response):
    """No answer: the connection ends, in order (FIN) or not (RST)."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__(status_code=200)
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        transport: asyncio.Transport = scope["state"][_TRANSPORT]
        if self._reset:
            # Lingering for no time makes the kernel send RST in place of FIN.
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
        await _gone(receive)


class Truncated(Response):
    """Half of the body that Content-Length announces, then the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport: asyncio.Transport = scope["state"][_TRANSPORT]
        transport.close()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Until uvicorn has noticed; it would answer 500 to an application that ends before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def still_waiting(receive: Receive, seconds: float) -> bool:
    """Whether the client is still there after so many seconds; ends early when it leaves."""
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        return True
    return False
