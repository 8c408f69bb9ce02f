"""Where Alertmanager posts. What it gets a 2xx for is on disk; a 4xx would cost it dearly.

Alertmanager ends an attempt at a 4xx until the next group_interval, and follows redirects as
a GET without a body: so any authenticated body is stored, with and without the last slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog
from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import PlantaoError, StoreUnavailable
from app.telemetry import RECEIPTS_REFUSED
from app.web.auth import may_notify
from app.web.bodies import read_body
from app.web.context import Context, context
from app.web.problems import answer, unexpected

router = APIRouter(tags=["webhooks"])

_PATHS = ("/webhooks/alertmanager", "/webhooks/alertmanager/")
_KEPT_HEADERS = {b"user-agent", b"content-type", b"content-encoding", b"x-forwarded-for"}
_READ_HEADERS = _KEPT_HEADERS | {b"authorization", b"content-length"}
_JSON = (b"content-type", b"application/json")
_REASONS = {400: "broken_off", 413: "too_large", 503: "too_slow"}  # a body that cannot be had

log = structlog.get_logger()

_RESPONSES: dict[int | str, dict[str, object]] = {
    202: {
        "description": "Stored on disk; `quarantined` if it cannot be read.",
        "content": {
            "application/json": {"example": {"receipt": 17, "state": "accepted"}},
        },
    },
    401: {"description": "Wrong or missing credentials."},
    413: {"description": "The body is over the size limit."},
    503: {"description": "It could not be stored: try again."},
}


@router.post(_PATHS[0], status_code=202, responses=_RESPONSES)
@router.post(_PATHS[1], status_code=202, include_in_schema=False)
async def receive(request: Request) -> Response:
    """Store one notification (webhook version 4), whatever it holds."""
    content = await _take(context(request), request.headers.raw, request.receive)
    return Response(to_json(content), 202, media_type="application/json")


async def _take(
    service: Context, headers: Iterable[tuple[bytes, bytes]], receive: Receive
) -> dict[str, object]:
    """Store what comes; returns the answer's content. Raises HTTPException, StoreUnavailable."""
    known = {name: value for name, value in headers if name in _READ_HEADERS}
    secret = service.settings.webhook_token
    if secret is not None and not may_notify(_authorization(known), secret.get_secret_value()):
        RECEIPTS_REFUSED.labels("unauthorized").inc()
        raise HTTPException(
            401,
            "Send PLANTAO_WEBHOOK_TOKEN as bearer token or basic password (http_config).",
            headers={"WWW-Authenticate": "Bearer, Basic"},
        )
    try:
        body = await read_body(receive, known, limit=service.settings.max_body_bytes)
        number, arrival = await service.intake.receive(body, _kept(known))
    except HTTPException as error:
        RECEIPTS_REFUSED.labels(_REASONS[error.status_code]).inc()
        raise
    except StoreUnavailable as error:
        RECEIPTS_REFUSED.labels("unavailable").inc()
        log.warning("a webhook could not be stored", why=str(error))
        raise
    if arrival.problem is None:
        return {"receipt": number, "state": arrival.state}
    return {
        "receipt": number,
        "state": arrival.state,
        "problem": service.outlook().masked(arrival.problem),
    }


def _authorization(headers: Mapping[bytes, bytes]) -> str | None:
    sent = headers.get(b"authorization")
    return None if sent is None else sent.decode("latin-1")


def _kept(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers.items()
        if name in _KEPT_HEADERS
    }


def is_notification(scope: Scope) -> bool:
    """Whether the request is one that `take` answers."""
    return scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _PATHS


async def take(service: Context, scope: Scope, receive: Receive, send: Send) -> None:
    """What the routes above do, without what FastAPI does around them.

    They say to the documentation what happens here, and serve behind a prefix.
    """
    try:
        content = await _take(service, scope["headers"], receive)
    except (HTTPException, PlantaoError) as error:
        await answer(error)(scope, receive, send)
    except Exception as error:  # noqa: BLE001  (nothing outside of this would answer it)
        await unexpected(scope["path"], error)(scope, receive, send)
    else:
        body = to_json(content)
        headers = [_JSON, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": body})
