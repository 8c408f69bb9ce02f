"""`/console/receipts`: what came in, byte for byte, and its replay."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from app.notifiers.text import clean, one_line
from app.notifiers.wording import N_
from app.store import receipts
from app.store.receipts import Receipt, ReceiptState
from app.web.console.errors import PageRoute
from app.web.console.frame import Administering, Reader, Reading, page
from app.web.context import Service
from app.web.receipts import Number

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_MOST_SHOWN = 200_000  # characters of a body
_STATES = {
    ReceiptState.ACCEPTED: N_("waits"),
    ReceiptState.APPLIED: N_("applied"),
    ReceiptState.QUARANTINED: N_("in quarantine"),
}


@router.get("/console/receipts")
async def listed(
    service: Service,
    who: Reading,
    state: ReceiptState | None = None,
    before: Number | None = None,
) -> Response:
    """The newest first."""
    found = await service.db.read(receipts.newest, limit=_PAGE, before=before, state=state)
    shown = service.outlook().masked(found)
    say = who.words.say
    return page(
        who,
        "receipts.html",
        title=say("Receipts"),
        here="receipts",
        state=state.value if state else "",
        states=[("", say("All")), *((key.value, say(name)) for key, name in _STATES.items())],
        rows=[_row(who, each) for each in shown],
        next=found[-1].id if len(found) == _PAGE else 0,
    )


@router.get("/console/receipts/{number}")
async def shown(number: Number, service: Service, who: Administering, done: str = "") -> Response:
    """With its body, unmasked: for who may see that."""
    receipt = await service.db.read(receipts.get, number)
    body = _readable(receipt.body)
    return page(
        who,
        "receipt.html",
        title=who.words.say("Receipt {number}", number=who.words.number(number)),
        here="receipts",
        receipt=_row(who, receipt),
        headers=sorted(receipt.headers.items()),
        body=body[:_MOST_SHOWN],
        cut=len(body) > _MOST_SHOWN,
        done=done,
    )


@router.post("/console/receipts/{number}")
async def replay(number: Number, service: Service, _who: Administering) -> Response:
    """Apply it again, as if it came now."""
    await service.actions.replay(number)
    return RedirectResponse(f"{number}?done=replay", 303)


def _row(who: Reader, receipt: Receipt) -> dict[str, Any]:
    return {
        "number": receipt.id,
        "state": receipt.state.value,
        "says": who.words.say(_STATES[receipt.state]),
        "received": who.moment(receipt.received_at),
        "received_at": receipt.received_at.isoformat(),
        "applied": who.moment(receipt.applied_at) if receipt.applied_at else "",
        "receiver": one_line(receipt.receiver),
        "size": who.words.quantity(receipt.size, "bytes"),
        "problem": one_line(receipt.problem or ""),
        "replayed": receipt.replayed,
    }


def _readable(body: bytes) -> str:
    """JSON with a line for each value; anything else as it came."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return clean(text)
