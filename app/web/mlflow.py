"""`POST /webhooks/mlflow`: what the model registry tells of itself."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from app.errors import Unreadable
from app.mlflow.webhook import DELIVERY_ID, BadSignature, to_change, verify_signature
from app.web.bodies import read_body
from app.web.context import Service
from app.web.problems import problem

router = APIRouter(tags=["changes"])

_LIMIT = 1024 * 1024  # bytes; an event has a few hundred

log = structlog.get_logger()


@router.post("/webhooks/mlflow", status_code=202, summary="Registry events of MLflow")
async def receive(request: Request, service: Service) -> Response:
    """401 where the signature does not fit or is old; an event that came before is kept once."""
    body = await read_body(request.receive, dict(request.headers.raw), limit=_LIMIT)
    secret = service.settings.mlflow_webhook_secret
    if secret:
        try:
            now = service.clock.now()
            verify_signature(secret.get_secret_value(), request.headers, body, now=now)
        except BadSignature as error:
            log.warning("an MLflow event was refused", why=str(error))
            return problem(401, str(error))
    try:
        change = to_change(body, url=service.settings.mlflow_tracking_uri or "")
    except Unreadable as error:
        return problem(400, str(error))
    delivery = request.headers.get(DELIVERY_ID)
    kept = await service.registry.hear(change, delivery=delivery) if change else None
    return Response(
        to_json({"state": "kept" if kept else "nothing new"}), 202, media_type="application/json"
    )
