"""`/changes`: what was changed in the pipeline; `/webhooks/mlflow`: what the registry tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, field_validator
from pydantic_core import to_json
from starlette.responses import Response

from app.core.facts import Change
from app.core.notices import safe_link
from app.core.rights import Right
from app.store import changes
from app.web.auth import require
from app.web.context import Service
from app.web.problems import problem
from app.web.texts import Said
from app.web.times import in_utc
from app.web.views import change_json

router = APIRouter(tags=["changes"])

_READ = [Depends(require(Right.READ))]
_RESPOND = [Depends(require(Right.RESPOND))]
_AHEAD = timedelta(hours=1)  # clocks differ


class Told(BaseModel):
    """A change as somebody tells of it. `labels.component` says what part of the pipeline."""

    source: Said = Field(max_length=100, examples=["ci"])
    kind: Said = Field(max_length=100, examples=["deploy"])
    title: Said = Field(max_length=500, examples=["scoring 4.2 rolled out"])
    at: datetime | None = Field(
        default=None, description="RFC 3339, UTC if it has no zone; now if not given."
    )
    labels: dict[str, str] = Field(default={}, examples=[{"component": "serving"}])
    link: str | None = Field(default=None, description="http or https.")
    delivery: str | None = Field(
        default=None, max_length=200, description="Your own id of it: a repeat is not kept twice."
    )

    @field_validator("link")
    @classmethod
    def _is_safe(cls, link: str | None) -> str | None:
        if link is not None and safe_link(link) is None:
            raise ValueError("expected a link that begins with http:// or https://")
        return link

    @field_validator("at")
    @classmethod
    def _in_utc(cls, at: datetime | None) -> datetime | None:
        return at and in_utc(at)


@router.post("/changes", status_code=201, dependencies=_RESPOND, summary="Tell of a change")
async def add(told: Told, service: Service) -> Response:
    """A deploy, a promotion, a migration. 200 if this delivery was told before."""
    now = service.clock.now()
    at = told.at or now
    if at > now + _AHEAD:
        return problem(422, "The time `at` is in the future: tell of a change once it is made.")
    change = Change(told.source, told.kind, told.title, at, told.labels, told.link)
    kept = await service.ledger.add(change, delivery=told.delivery)
    if kept is None:
        return _answer({"state": "known"}, 200)
    return _answer(change_json(service.outlook().masked(kept)), 201)


@router.get("/changes", dependencies=_READ, summary="List changes")
async def listed(
    service: Service,
    source: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """The newest first; `next` is the `before` of the next page."""
    found = await service.db.read(changes.newest, limit=limit, before=before, source=source)
    last = found[-1].id if len(found) == limit else None
    shown = service.outlook().masked(found)
    return _answer({"items": [change_json(each) for each in shown], "next": last})


def _answer(content: Any, status: int = 200) -> Response:
    return Response(to_json(content), status, media_type="application/json")
