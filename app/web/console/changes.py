"""`/console/changes`: what was changed in the pipeline, the newest first."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.core.facts import Change
from app.notifiers import change_wording
from app.notifiers.text import cut, one_line, url
from app.store import changes
from app.web.console.errors import PageRoute
from app.web.console.frame import Reader, Reading, page
from app.web.context import Service
from app.web.receipts import Number

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_LABELS = 8


@router.get("/console/changes")
async def listed(service: Service, who: Reading, before: Number | None = None) -> Response:
    """Deploys, promotions, configurations read anew."""
    found = await service.db.read(changes.newest, limit=_PAGE, before=before)
    return page(
        who,
        "changes.html",
        title=who.words.say("Changes"),
        here="changes",
        rows=[_row(who, each) for each in service.outlook().masked(found)],
        next=found[-1].id if len(found) == _PAGE else 0,
    )


def _row(who: Reader, change: Change) -> dict[str, Any]:
    title = change_wording.title(who.words, change.title)
    if change.vague:
        title = change_wording.between(who.words, title, change.earliest, change.at)
    labels = sorted(change.labels.items())[:_LABELS]
    return {
        "title": title,
        "at": who.moment(change.at),
        "iso": change.at.isoformat(),
        "source": one_line(change.source),
        "kind": one_line(change.kind),
        "labels": [(one_line(name), cut(one_line(value), 80)) for name, value in labels],
        "link": url(change.link) or "",
    }
