"""`/incidents`: the log, to be read; `actions.py` is what can be done to it."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json
from starlette.responses import Response

from app.core.chart import draw
from app.core.durations import DurationError, parse_duration
from app.core.incidents import Incident
from app.core.notes import folded
from app.core.notices import Notice
from app.core.rights import Right
from app.engine.outlook import Outlook
from app.notifiers.charting import chart_of
from app.notifiers.wording import words
from app.store import contexts, incidents, postings, queries, silences
from app.store.database import Transaction
from app.web.auth import require
from app.web.context import Service
from app.web.views import Shown, entry_json, incident_json

router = APIRouter(
    prefix="/incidents", tags=["incidents"], dependencies=[Depends(require(Right.READ))]
)

_LISTED_ALERTS = 100
_MOST_NUMBER = 2**63 - 1

Number = Annotated[int, Field(ge=1, le=_MOST_NUMBER)]


class Filters(BaseModel):
    """Filters of `GET /incidents`. Each can be repeated; different ones are combined."""

    model_config = ConfigDict(extra="forbid")

    status: list[Literal["triggered", "acknowledged", "resolved"]] = Field(default=[])
    severity: list[str] = Field(default=[])
    receiver: list[str] = Field(default=[])
    alertname: list[str] = Field(default=[])
    component: list[str] = Field(default=[])
    model: list[str] = Field(default=[], description="The model that was serving.")
    model_version: list[str] = Field(default=[])
    opened_after: str | None = Field(default=None, description="RFC 3339, or an age such as 2h.")
    opened_before: str | None = Field(default=None, description="RFC 3339, or an age such as 2h.")
    q: str | None = Field(default=None, description="Text in title, labels or annotations.")
    sort: Literal["-opened_at", "opened_at", "-updated_at", "updated_at"] = "-opened_at"
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = None


@router.get("", summary="List incidents")
async def listed(filters: Annotated[Filters, Query()], service: Service) -> Response:
    """A page of incidents, each with its first 100 alerts; `next` is the cursor of the next."""
    search = _search(filters, service.clock.now())
    pages = await service.db.read(_page, search, service.outlook())
    more = len(pages) > filters.limit
    pages = pages[: filters.limit]
    items = [incident_json(shown) for shown in pages]
    cursor = _cursor(pages[-1].incident, filters.sort) if more and pages else None
    return answer({"items": items, "next": cursor})


@router.get("/{number}", summary="Show one incident")
async def shown(number: Number, service: Service) -> Response:
    """The incident whole, with all its alerts."""
    found = await service.db.read(whole, number, service.outlook())
    return answer(incident_json(found), etag=found.incident.revision)


@router.get("/{number}/timeline", summary="Show an incident's timeline")
async def timeline(
    number: Number,
    service: Service,
    *,
    edits: Annotated[bool, Query(description="Also what notes said before, one by one.")] = False,
) -> Response:
    """Everything that happened, oldest first: each note once, as it is now."""

    def load(tx: Transaction) -> list[dict[str, Any]]:
        incidents.get(tx, number)
        entries = incidents.timeline(tx, number)
        told = service.outlook().masked(entries if edits else folded(entries))
        return [entry_json(entry) for entry in told]

    return answer({"items": await service.db.read(load)})


@router.get("/{number}/chart.svg", summary="Show an incident's chart", response_class=Response)
async def chart(number: Number, service: Service, *, dark: bool = False) -> Response:
    """The measured value with its threshold and what changed; 404 as long as there is none."""

    def load(tx: Transaction) -> Notice:
        return service.outlook().notice(tx, incidents.get(tx, number))

    notice = await service.db.read(load)
    found = chart_of(words(service.settings.locale, service.settings.timezone), notice)
    if found is None:
        raise HTTPException(404, f"Incident {number} has no chart: nothing was measured for it.")
    headers = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-cache"}
    return Response(draw(found, dark=dark), headers=headers, media_type="image/svg+xml")


def _search(filters: Filters, now: datetime) -> queries.Search:
    labels = [("alertname", filters.alertname), ("component", filters.component)]
    return queries.Search(
        statuses=filters.status,
        severities=[name.lower() for name in filters.severity],
        receivers=filters.receiver,
        models=filters.model,
        model_versions=filters.model_version,
        labels=[(name, values) for name, values in labels if values],
        opened_after=_moment("opened_after", filters.opened_after, now),
        opened_before=_moment("opened_before", filters.opened_before, now),
        text=filters.q,
        sort=filters.sort,
        limit=filters.limit + 1,
        after=_place(filters.cursor) if filters.cursor else None,
    )


def _moment(name: str, text: str | None, now: datetime) -> datetime | None:
    if not text:
        return None
    with suppress(DurationError, OverflowError):
        return now - parse_duration(text)
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise HTTPException(
            400, f"{name}: expected a time such as 2026-11-23T03:00:00Z, or an age such as 2h."
        ) from None


def _cursor(last: Incident, sort: str) -> str:
    at: datetime = getattr(last, sort.removeprefix("-"))
    return base64.urlsafe_b64encode(to_json([at.isoformat(), last.id])).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, number = from_json(base64.urlsafe_b64decode(padded))
        return datetime.fromisoformat(at).astimezone(UTC), int(number)
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise HTTPException(
            400, "cursor: expected the `next` of an earlier page with the same filters."
        ) from None


def _page(tx: Transaction, search: queries.Search, outlook: Outlook) -> list[Shown]:
    found = queries.find(tx, search)
    numbers = [incident.id for incident in found]
    alerts = queries.first_alerts(tx, numbers, limit=_LISTED_ALERTS)
    shown_at = postings.of_incidents(tx, numbers)
    context = contexts.of_incidents(tx, numbers)
    silenced = silences.of_incidents(tx, numbers)
    pages = [
        Shown(
            each,
            alerts[each.id],
            shown_at[each.id],
            context[each.id],
            outlook.related(tx, each),
            outlook.links(each, alerts[each.id]),
            silenced[each.id],
        )
        for each in found
    ]
    return outlook.masked(pages)


def whole(tx: Transaction, number: int, outlook: Outlook) -> Shown:
    """All that an incident's JSON is made of; raises NotFound."""
    incident = incidents.with_notes(tx, incidents.get(tx, number))
    alerts = incidents.alerts_of(tx, number)
    whole = Shown(
        incident,
        alerts,
        postings.of_incidents(tx, [number])[number],
        contexts.of_incident(tx, number),
        outlook.related(tx, incident),
        outlook.links(incident, alerts),
        silences.of_incident(tx, number),
        list(incident.notes.values()),
    )
    return outlook.masked(whole)


def answer(content: object, *, etag: int | None = None) -> Response:
    """A JSON response; `etag` is the incident's revision."""
    headers = {"ETag": f'"{etag}"'} if etag is not None else None
    return Response(to_json(content), headers=headers, media_type="application/json")
