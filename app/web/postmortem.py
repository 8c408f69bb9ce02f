"""`GET /incidents/{id}/postmortem`: the page that people write on, begun for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import Response

from app.core.notices import Notice
from app.core.rights import Right
from app.notifiers.own_wording import localised
from app.notifiers.postmortem import postmortem
from app.notifiers.wording import words
from app.store import incidents
from app.store.database import Transaction
from app.values import Locale
from app.web.auth import require
from app.web.context import Service

router = APIRouter(tags=["incidents"], dependencies=[Depends(require(Right.READ))])

_MOST_NUMBER = 2**63 - 1
_MARKDOWN = "text/markdown; charset=utf-8"


@router.get(
    "/incidents/{number}/postmortem",
    summary="Begin an incident's postmortem",
    response_class=Response,
    responses={
        200: {"content": {"text/markdown": {"schema": {"type": "string"}}}},
        404: {"description": "There is no such incident."},
    },
)
async def shown(
    number: Annotated[int, Field(ge=1, le=_MOST_NUMBER)],
    service: Service,
    lang: Annotated[
        Locale | None, Query(description="Its language; the service's, if not given.")
    ] = None,
) -> Response:
    """Markdown: summary, impact, timeline with people's notes, context as it was at the opening,
    chart, changes and model, silences, what helped before, and actions to fill in."""

    def load(tx: Transaction) -> Notice:
        return service.outlook().whole_notice(tx, incidents.get(tx, number))

    locale = lang or service.settings.locale
    notice = localised(await service.db.read(load), locale)
    text = postmortem(words(locale, service.settings.timezone), notice)
    headers = {
        "Content-Disposition": f'inline; filename="postmortem-{number}.md"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return Response(text, headers=headers, media_type=_MARKDOWN)
