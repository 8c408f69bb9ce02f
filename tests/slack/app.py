"""A small Slack app to try the emulator on: it keeps what it hears and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.clock import FakeClock
from tests.house import listening
from tests.neighbours.slack import BOT_TOKEN, SIGNING_SECRET, SlackServer, Workspace

CHANNEL = "C0FRAUDE"
Json = dict[str, Any]
Answer = Callable[["Heard"], Awaitable[Response | Json | None]]


@dataclass(frozen=True)
class Heard:
    """One request as the app got it; `payload` is what it carries."""

    path: str
    headers: dict[str, str]
    body: bytes
    payload: Json

    @property
    def is_signed(self) -> bool:
        """By slack_sdk's own verifier, whatever the age."""
        stamp = self.headers["x-slack-request-timestamp"]
        expected = SignatureVerifier(SIGNING_SECRET).generate_signature(
            timestamp=stamp, body=self.body
        )
        return expected == self.headers["x-slack-signature"]


@dataclass
class App:
    """`answer` decides what comes back; None is an empty 200."""

    web: AsyncWebClient
    heard: list[Heard] = field(default_factory=list)
    """Interactions and commands."""
    events: list[Heard] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def last(self) -> Json:
        return self.heard[-1].payload

    async def post(self, text: str = "Kafka lag", **message: Any) -> Json:
        """A message of the app's, as chat.postMessage answers."""
        answer = await self.web.chat_postMessage(channel=CHANNEL, text=text, **message)
        return dict(answer.data) if isinstance(answer.data, dict) else {}

    async def respond(self, **answer: object) -> tuple[int, str]:
        """Use the last response_url; status and body."""
        async with httpx.AsyncClient(trust_env=False) as http:
            back = await http.post(self.last["response_url"], json=answer)
        return back.status_code, back.text

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        heard = Heard(request.url.path, dict(request.headers), body, _payload(request, body))
        (self.events if heard.path.endswith("/events") else self.heard).append(heard)
        if heard.payload.get("type") == "url_verification":
            return JSONResponse({"challenge": heard.payload["challenge"]})
        answer = await self.answer(heard) if self.answer else None
        if isinstance(answer, Response):
            return answer
        return Response(status_code=200) if answer is None else JSONResponse(answer)


def _payload(request: Request, body: bytes) -> Json:
    if request.headers["content-type"].startswith("application/json"):
        return dict(json.loads(body))
    form = {name: values[0] for name, values in parse_qs(body.decode(), True).items()}
    return dict(json.loads(form["payload"])) if "payload" in form else form


@dataclass
class Stage:
    """An app and the workspace it is installed in; both go by `clock`."""

    app: App
    slack: Workspace
    server: SlackServer
    clock: FakeClock


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    clock = FakeClock()
    with SlackServer(Workspace(clock=clock.time, rate_limits=False)) as server:
        web = AsyncWebClient(BOT_TOKEN, base_url=server.api_url, retry_handlers=[])
        app = App(web)
        routes = [
            Route(f"/slack/{name}", app.hear, methods=["POST"])
            for name in ("interactions", "commands", "events")
        ]
        async with listening(Starlette(routes=routes)) as url:
            server.workspace.app.is_at(url)
            yield Stage(app, server.workspace, server, clock)


async def hang(_: Heard) -> Response:
    """An answer for an app that never answers."""
    await asyncio.Event().wait()
    return Response()


def button(action_id: str = "incident.acknowledge", **more: object) -> Json:
    label = {"type": "plain_text", "text": "Acknowledge"}
    return {"type": "button", "text": label, "action_id": action_id, "value": "17", **more}


def actions(*elements: Json, **more: object) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def options(*values: str) -> list[Json]:
    return [{"text": {"type": "plain_text", "text": v.title()}, "value": v} for v in values]
