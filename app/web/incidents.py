"""`/incidents`: the log, to be read; `actions.py` is what can be done to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from app.core.chart import draw
from app.core.notes import folded
from app.core.notices import Notice
from app.core.rights import Right
from app.engine.outlook import Outlook
from app.notifiers.charting import chart_of
from app.notifiers.wording import words
from app.store import contexts, incidents, postings, silences
from app.store.database import Transaction
from app.store.search import Search
from app.web.accept import preferred
from app.web.auth import require
from app.web.context import Context, Service
from app.web.listing import EXPORTED, TABLE, Listed, as_lines, as_table
from app.web.listing import listed as listing
from app.web.search import Filters, cursor_of, search_for
from app.web.views import Shown, entry_json, incident_json

router = APIRouter(
    prefix="/incidents", tags=["incidents"], dependencies=[Depends(require(Right.READ))]
)

JSON, CSV, NDJSON = "application/json", "text/csv; charset=utf-8", "application/x-ndjson"
FORMS = {"application/json": JSON, "text/csv": CSV, "application/x-ndjson": NDJSON}
_MOST_NUMBER = 2**63 - 1

Number = Annotated[int, Field(ge=1, le=_MOST_NUMBER)]


@router.get("", summary="List incidents")
async def listed(
    filters: Annotated[Filters, Query()],
    request: Request,
    service: Service,
    *,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="`ETag` of an answer there is.")
    ] = None,
    accept: Annotated[str, Header(alias="Accept", include_in_schema=False)] = "",
) -> Response:
    """A page of incidents, each with its first 100 alerts; `next` is the cursor of the next.

    `Accept: text/csv` and `application/x-ndjson` give them as a table and line by line: all that
    fit, or with `limit` the same page, and the `Link` header leads to the next."""
    search, wanted = search_for(filters, service.clock.now()), filters.wanted
    form = FORMS[preferred(accept, tuple(FORMS))]
    columns = wanted or (TABLE if form == CSV else ())
    whole_log = form != JSON and "limit" not in filters.model_fields_set
    if whole_log:
        search = replace(search, limit=EXPORTED)
    found, page = await service.db.read(listing, search, service.outlook(), columns)
    if whole_log and page.after:
        parts = _exported(service, search, form, columns, (found, page))
        return StreamingResponse(parts, headers={"Vary": "Accept"}, media_type=form)
    cursor = cursor_of(page.after, filters.sort) if page.after else None
    body = _in_form(form, found, columns)
    if form == JSON:
        body = to_json({"items": found, "next": cursor})
    headers = {"ETag": f'"{sha256(body).hexdigest()[:32]}"', "Vary": "Accept"}
    if cursor:
        headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    if if_none_match and _knows(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=form)


async def _exported(
    service: Context, search: Search, form: str, columns: Sequence[str], first: Listed
) -> AsyncIterator[bytes]:
    """Page after page: the log may be larger than memory, and nobody's writing waits for it."""
    found, page = first
    yield _in_form(form, found, columns)
    while page.after:
        search = replace(search, after=page.after)
        found, page = await service.db.read(listing, search, service.outlook(), columns)
        yield _in_form(form, found, columns, header=False)


def _in_form(
    form: str, found: Sequence[dict[str, Any]], columns: Sequence[str], *, header: bool = True
) -> bytes:
    return as_table(found, columns, header=header) if form == CSV else as_lines(found)


def _knows(if_none_match: str, etag: str) -> bool:
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return etag in known or "*" in known


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
