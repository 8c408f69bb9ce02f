"""`/incidents/stream`: the log as it changes, as server-sent events.

One event for each incident that changed. Whoever reads slowly, or comes back with the id of the
last event, gets each incident once, as it then is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from pydantic_core import to_json
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from app.core.incidents import EntryKind
from app.core.rights import Right
from app.engine.outlook import Outlook
from app.errors import StoreUnavailable
from app.store import feed
from app.store.database import Transaction
from app.store.feed import Position
from app.store.queries import Search
from app.web.auth import may_read, require
from app.web.context import Context, Service
from app.web.listing import items
from app.web.search import Following, search_for

router = APIRouter(
    prefix="/incidents", tags=["incidents"], dependencies=[Depends(require(Right.READ))]
)

_AT_ONCE = 100  # incidents
_HEARTBEAT = 15.0  # seconds without news, after which a proxy might think that we are gone
_PAUSE = 0.5  # seconds between two looks: a storm's changes come together
_PATIENCE = 60.0  # seconds for somebody who does not read
_COME_BACK = 2000  # milliseconds
_SHOWN = (
    *("id", "revision", "status", "severity", "title", "receiver", "opened_at", "updated_at"),
    *("acknowledged_at", "acknowledged_by", "assigned_to", "resolved_at", "alert_counts"),
    *("unconfirmed",),
)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody wants to be told of: which incidents, and what of them."""

    search: Search
    fields: tuple[str, ...]


@router.get("/stream", summary="Follow the log")
async def stream(
    conditions: Annotated[Following, Query()],
    request: Request,
    service: Service,
    header: Annotated[
        str | None, Header(alias="Last-Event-ID", description="The id of the last event heard.")
    ] = None,
) -> StreamingResponse:
    """Server-sent events: `incident` for one that changed and fits the filters, `unmatched` for
    one that changed and does not. With the id of an event, what has changed since comes first."""
    wish = _Wish(search_for(conditions, service.clock.now()), _fields(conditions))
    given = header or conditions.last_event_id
    here = await service.db.read(feed.position)
    # Past the end is where a log ended that another has taken the place of.
    start = min(_position(given), here) if given else here
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    with service.feed.following():
        pass  # too many: better told now than after the answer has begun
    return _EventStream(
        _events(service, wish, start, partial(may_read, request, service)),
        headers=headers,
        media_type="text/event-stream",
    )


class _EventStream(StreamingResponse):
    """Whoever does not read for long is let go: there is room for so many only."""

    async def stream_response(self, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        with suppress(TimeoutError):
            await super().stream_response(patient)


async def _events(
    service: Context, wish: _Wish, start: Position, allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    with service.feed.following() as news:
        yield f"retry: {_COME_BACK}\nid: {_id(start)}\n\n"
        while not service.feed.over:
            news.clear()
            try:
                if not await allowed():
                    return  # whoever comes back is told why
                told, start, more = await service.db.read(_news, start, wish, service.outlook())
            except StoreUnavailable:
                return  # whoever comes back misses nothing
            if told:
                yield told
            if not more and not await _comes(news, _HEARTBEAT):
                yield ": nothing new\n\n"
            elif not service.feed.over:
                await asyncio.sleep(_PAUSE)


async def _comes(news: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await news.wait()
    return False


def _news(
    tx: Transaction, after: Position, wish: _Wish, outlook: Outlook
) -> tuple[str, Position, bool]:
    """The events after a position, the position they lead to, and whether there are more."""
    found = feed.changed(tx, after, limit=_AT_ONCE)
    if not found.numbers:
        return "", found.position, False
    search = replace(wish.search, numbers=found.numbers, limit=len(found.numbers))
    fitting = {item["id"]: item for item in items(tx, search, outlook, ("id", *wish.fields))}
    told = (
        _event(fitting.get(number), number, found.happened[number], found.places[number])
        for number in found.numbers
    )
    return "".join(told), found.position, found.more


def _event(
    item: dict[str, Any] | None, number: int, happened: Sequence[EntryKind], position: Position
) -> str:
    name = "incident" if item else "unmatched"
    data = to_json((item or {"id": number}) | {"happened": happened}).decode()
    return f"event: {name}\nid: {_id(position)}\ndata: {data}\n\n"


def _fields(conditions: Following) -> tuple[str, ...]:
    return tuple(conditions.wanted) if conditions.wanted else _SHOWN


def _id(position: Position) -> str:
    return f"{position.change}-{position.entry}"


def _position(text: str) -> Position:
    found = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text.strip())
    if found is None:
        raise HTTPException(400, "Last-Event-ID: expected the id of an event of this stream.")
    return Position(int(found[1]), int(found[2] or 0))
