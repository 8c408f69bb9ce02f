"""HEAD: what GET would answer, without its body (RFC 9110, section 9.3.2)."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def is_head(scope: Scope) -> bool:
    """Whether only the head of an answer is asked for."""
    return bool(scope["type"] == "http" and scope["method"] == "HEAD")


async def answer(app: ASGIApp, scope: Scope, send: Send) -> None:
    """Ask for the whole, send its head, and hang up: a stream has no end to wait for."""
    begun = asyncio.Event()

    async def head_only(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body"})
            begun.set()

    await app({**scope, "method": "GET"}, _reader_who_leaves(begun), head_only)


def _reader_who_leaves(begun: asyncio.Event) -> Receive:
    request: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        if request:
            return request.pop()
        await begun.wait()
        return {"type": "http.disconnect"}

    return receive
