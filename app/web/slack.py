"""`/slack/…`: what people do in Slack. The answer comes first, the work after it."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from app.slack import reading
from app.slack.errands import Busy
from app.slack.requests import Malformed
from app.slack.requests import Request as Asked
from app.slack.signature import is_genuine
from app.telemetry import SLACK_REQUESTS
from app.web.bodies import read_body
from app.web.context import Context, Service
from app.web.problems import problem

router = APIRouter(prefix="/slack", tags=["slack"])

_LIMIT = 2**20  # bytes; Slack's largest, a modal with all its inputs, is a fraction of this
_SECONDS = 3.0  # what Slack gives us for everything

_RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"description": "Signed, but not of the form of anything Slack sends."},
    401: {"description": "Not signed by Slack, or more than five minutes ago."},
    404: {"description": "Slack is not set up to be heard over HTTP."},
    503: {"description": "Too much is under way: Slack should come again."},
}

log = structlog.get_logger()


@router.post("/interactions", responses=_RESPONSES, summary="Buttons, modals and shortcuts")
async def interactions(request: Request, service: Service) -> Response:
    """Signed by Slack; answered before anything is done."""
    return await _heard(request, service, "interaction", reading.interaction)


@router.post("/commands", responses=_RESPONSES, summary="The slash command")
async def commands(request: Request, service: Service) -> Response:
    """Signed by Slack; the answer follows through its `response_url`."""
    return await _heard(request, service, "command", reading.command)


@router.post("/events", responses=_RESPONSES, summary="Events")
async def events(request: Request, service: Service) -> Response:
    """Signed by Slack; one that Slack sends again is not applied again."""
    return await _heard(request, service, "event", reading.event)


async def _heard(
    request: Request, service: Context, kind: str, read: Callable[[bytes], Asked]
) -> Response:
    secret = service.settings.slack_signing_secret
    if secret is None or service.slack is None:
        return _refused(kind, 404, "not_set_up", _NOT_SET_UP)
    headers = dict(request.headers.raw)
    body = await read_body(request.receive, headers, limit=_LIMIT, seconds=_SECONDS)
    genuine = is_genuine(
        secret.get_secret_value(),
        body,
        timestamp=request.headers.get("x-slack-request-timestamp"),
        signature=request.headers.get("x-slack-signature"),
        now=service.clock.now(),
    )
    if not genuine:
        return _refused(kind, 401, "not_genuine", _NOT_GENUINE)
    try:
        answer = service.slack.take(read(body))
    except Malformed as error:
        return _refused(kind, 400, "malformed", f"Slack's request cannot be read: {error}")
    except Busy:
        return _refused(kind, 503, "busy", "Too much is under way here: try again in a moment.")
    SLACK_REQUESTS.labels(kind, "taken").inc()
    return _answered(answer)


_NOT_SET_UP = (
    "Requests from Slack are not taken: set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, or use "
    "Socket Mode with SLACK_APP_TOKEN."
)
_NOT_GENUINE = (
    "Not signed by Slack with our SLACK_SIGNING_SECRET within the last five minutes: check the "
    "secret, and this machine's clock."
)


def _refused(kind: str, status: int, outcome: str, why: str) -> Response:
    SLACK_REQUESTS.labels(kind, outcome).inc()
    log.warning("a request to Slack's address was refused", kind=kind, why=why)
    return problem(status, why)


def _answered(answer: dict[str, object] | None) -> Response:
    if answer is None:
        return Response(status_code=200)
    return Response(to_json(answer), media_type="application/json")
