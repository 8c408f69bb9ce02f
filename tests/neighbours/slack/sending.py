"""One attempt to bring a payload to the app, over HTTP or through its socket."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from .delivery import JsonObject, Reply, SentRequest
from .signing import signed_headers

if TYPE_CHECKING:
    from .delivery import Delivery
    from .hitches import HitchKind
    from .workspace import Workspace

ANSWER_SECONDS = 3.0
_REAL_SECONDS = 15.0
"""For clocks that stand still: an app that hangs must not hang its test."""
_STALE_SECONDS = 600.0
_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


async def attempt(
    workspace: Workspace, delivery: Delivery, *, number: int = 0, reason: str = ""
) -> Reply:
    """What came back within three seconds; `number` and `reason` are those of a retry."""
    began = workspace.clock()
    with workspace.changed:
        hitch = workspace.hitches.strike(delivery.kind)
    carrying = asyncio.ensure_future(_hindered(workspace, delivery, hitch, number, reason))
    timer = asyncio.ensure_future(workspace.outbox.until(began + ANSWER_SECONDS))
    await asyncio.wait({carrying, timer}, timeout=_REAL_SECONDS, return_when="FIRST_COMPLETED")
    took = workspace.clock() - began
    late = not carrying.done() or took >= ANSWER_SECONDS
    reply = Reply("timeout") if late else carrying.result()
    for task in (carrying, timer):
        task.cancel()
    await asyncio.gather(carrying, timer, return_exceptions=True)
    if delivery.seconds is None:
        delivery.seconds = took
    delivery.replies.append(reply)
    return reply


async def _hindered(
    workspace: Workspace, delivery: Delivery, hitch: HitchKind | None, number: int, reason: str
) -> Reply:
    match hitch:
        case "lost":
            return Reply("connection_failed")
        case "answer_lost":
            await _carry(workspace, delivery, number, reason)
            return Reply("timeout")
        case "twice":
            first = await _carry(workspace, delivery, number, reason)
            again = _again(workspace, delivery) if delivery.requests else None
            await (again or _carry(workspace, delivery, number, reason))
            return first
        case "stale":
            return await _carry(workspace, delivery, number, reason, age=_STALE_SECONDS)
        case None:
            return await _carry(workspace, delivery, number, reason)


async def _carry(
    workspace: Workspace, delivery: Delivery, number: int, reason: str, *, age: float = 0.0
) -> Reply:
    if workspace.app.socket_mode:
        return await workspace.sockets.carry(delivery, number, reason)
    request = _request(workspace, delivery, age)
    if request is None:
        return Reply("connection_failed")
    if number:
        retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        request = SentRequest(request.url, request.headers | retry, request.body)
    delivery.requests.append(request)
    return await posted(workspace.outbox.http, request)


async def _again(workspace: Workspace, delivery: Delivery) -> Reply:
    return await posted(workspace.outbox.http, delivery.requests[-1])


def _request(workspace: Workspace, delivery: Delivery, age: float) -> SentRequest | None:
    """None when no address is configured for it."""
    app = workspace.app
    match delivery.kind:
        case "interactive":
            url, body = app.interactivity_url, _form({"payload": to_json(delivery.payload)})
        case "slash_commands":
            command = app.commands[delivery.payload["command"]]
            url, body = command.url, _form(delivery.payload)
        case "events_api":
            url, body = app.events_url, to_json(delivery.payload).encode()
    if url is None:
        return None
    form = delivery.kind != "events_api"
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    headers = {"Content-Type": kind, "Accept": "application/json,*/*", "User-Agent": _AGENT}
    headers |= signed_headers(app.signing_secret, body, at=workspace.clock() - age)
    return SentRequest(url, headers, body)


def to_json(value: object) -> str:
    """As Slack writes it: ASCII, with slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def _form(fields: JsonObject) -> bytes:
    return urlencode(fields).encode()


async def posted(http: httpx.AsyncClient, request: SentRequest) -> Reply:
    """POST it and read the answer as Slack does."""
    try:
        answer = await http.post(request.url, content=request.body, headers=request.headers)
    except httpx.TooManyRedirects:
        return Reply("too_many_redirects")
    except httpx.TransportError as error:
        return Reply("connection_failed", body=repr(error))
    failure = None if answer.is_success else "http_error"
    return Reply(failure, answer.status_code, _read(answer), dict(answer.headers))


def _read(answer: httpx.Response) -> object:
    if not answer.content:
        return None
    if answer.headers.get("content-type", "").startswith("application/json"):
        try:
            return answer.json()
        except ValueError:
            return answer.text
    return answer.text
