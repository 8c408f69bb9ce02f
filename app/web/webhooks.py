"""Where Alertmanager posts. What it gets a 2xx for is on disk; a 4xx would cost it dearly.

Alertmanager ends an attempt at a 4xx until the next group_interval, and follows redirects as
a GET without a body: so any authenticated body is stored, with and without the last slash.
"""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import PlantaoError, StoreUnavailable
from app.telemetry import RECEIPTS_REFUSED
from app.web.auth import may_notify
from app.web.bodies import read_body
from app.web.context import context
from app.web.problems import answer, problem

router = APIRouter(tags=["webhooks"])

_PATHS = ("/webhooks/alertmanager", "/webhooks/alertmanager/")
_KEPT_HEADERS = {b"user-agent", b"content-type", b"content-encoding", b"x-forwarded-for"}
_REASONS = {408: "too_slow", 413: "too_large", 503: "unavailable"}

log = structlog.get_logger()

_RESPONSES: dict[int | str, dict[str, object]] = {
    202: {
        "description": "Stored on disk; `quarantined` if it cannot be read.",
        "content": {
            "application/json": {"example": {"receipt": 17, "state": "accepted"}},
        },
    },
    401: {"description": "Wrong or missing credentials."},
    408: {"description": "The body did not arrive in time."},
    413: {"description": "The body is over the size limit."},
    503: {"description": "It could not be stored: try again."},
}


@router.post(_PATHS[0], status_code=202, responses=_RESPONSES)
@router.post(_PATHS[1], status_code=202, include_in_schema=False)
async def receive(request: Request) -> Response:
    """Store one notification (webhook version 4), whatever it holds."""
    service = context(request)
    secret = service.settings.webhook_token
    token = secret.get_secret_value() if secret else None
    if not may_notify(request.headers.get("authorization"), token):
        RECEIPTS_REFUSED.labels("unauthorized").inc()
        return problem(
            401,
            "Send PLANTAO_WEBHOOK_TOKEN as bearer token or basic password (http_config).",
            headers={"WWW-Authenticate": "Bearer, Basic"},
        )
    try:
        body = await read_body(request, limit=service.settings.max_body_bytes)
        number, arrival = await service.intake.receive(body, _headers(request))
    except HTTPException as error:
        RECEIPTS_REFUSED.labels(_REASONS.get(error.status_code, "broken")).inc()
        raise
    except StoreUnavailable as error:
        RECEIPTS_REFUSED.labels("unavailable").inc()
        log.warning("a webhook could not be stored", why=str(error))
        raise
    content: dict[str, object] = {"receipt": number, "state": arrival.state}
    if arrival.problem:
        content["problem"] = service.outlook().masked(arrival.problem)
    return Response(to_json(content), 202, media_type="application/json")


def _headers(request: Request) -> dict[str, str]:
    kept = (pair for pair in request.headers.raw if pair[0] in _KEPT_HEADERS)
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in kept}


class Shortcut:
    """Middleware: webhooks go past FastAPI's routing, which costs more than storing them.

    The routes above say to the documentation what happens here, and serve behind a prefix.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _PATHS:
            response = await _taken(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _taken(request: Request) -> Response:
    try:
        return await receive(request)
    except (HTTPException, PlantaoError) as error:
        return answer(error)
