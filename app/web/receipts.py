"""`/receipts`: what came in, byte for byte, and its replay."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response

from app.core.rights import Right
from app.store import receipts
from app.store.receipts import Receipt, ReceiptState
from app.web.auth import require
from app.web.context import Service
from app.web.views import receipt_json

router = APIRouter(prefix="/receipts", tags=["receipts"])

_READ = [Depends(require(Right.READ))]
_ADMIN = [Depends(require(Right.ADMIN))]  # a body holds what is masked everywhere else

Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


@router.get("", dependencies=_READ, summary="List receipts")
async def listed(
    service: Service,
    state: ReceiptState | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Number | None = None,
) -> Response:
    """The newest first, without their bodies; `next` is the `before` of the next page."""
    found = await service.db.read(receipts.newest, limit=limit, before=before, state=state)
    last = found[-1].id if len(found) == limit else None
    shown = service.outlook().masked([receipt_json(each) for each in found])
    return _answer({"items": shown, "next": last})


@router.get("/{number}", dependencies=_ADMIN, summary="Show one receipt")
async def shown(number: Number, service: Service) -> Response:
    """With its body: `body` as text, or `body_base64` where it is not UTF-8."""
    receipt = await service.db.read(receipts.get, number)
    return _answer(receipt_json(receipt) | _body(receipt))


@router.post(
    "/{number}/replay", status_code=202, dependencies=_ADMIN, summary="Apply a receipt again"
)
async def replay(number: Number, service: Service) -> Response:
    """As if it came now: what has become known since is not undone."""
    await service.actions.replay(number)
    return _answer({"receipt": number, "state": ReceiptState.ACCEPTED}, status=202)


def _body(receipt: Receipt) -> dict[str, Any]:
    try:
        return {"body": receipt.body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(receipt.body).decode()}


def _answer(content: object, status: int = 200) -> Response:
    return Response(to_json(content), status, media_type="application/json")
