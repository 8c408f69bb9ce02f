"""`/incidents/{id}/silence…`: silence an incident's alerts in Alertmanager, and end that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_core import to_json
from starlette.responses import Response

from app.core.durations import DurationError, parse_duration
from app.core.matchers import Matcher, MatcherError, parse_matchers
from app.core.rights import Right
from app.core.silences import SilenceState
from app.engine.silences import Proposal, Wish
from app.web.auth import Responder, require
from app.web.context import Service
from app.web.incidents import Number
from app.web.revisions import IfMatch, decided_on
from app.web.texts import Name
from app.web.times import in_utc
from app.web.views import alert_json, silence_json

router = APIRouter(prefix="/incidents/{number}", tags=["silences"])

_READ = [Depends(require(Right.READ))]

_MOST = 1000
_LISTED_ALERTS = 100

Fingerprints = Annotated[list[str], Field(max_length=_MOST)]
Matchers = Annotated[list[str], Field(max_length=100)]


class SilenceWish(BaseModel):
    """What to silence, for how long, and why.

    Give a `duration` or an end (`until`). Without `matchers` they are proposed, for the `alerts`
    named by fingerprint or for all that fire.
    """

    by: Name | None = Field(default=None, description="Not given: whose token it is.")
    duration: str | None = Field(default=None, examples=["2h"])
    until: datetime | None = Field(default=None, description="RFC 3339, with a time zone.")
    comment: str = Field(default="", max_length=2_000)
    alerts: Fingerprints = []
    matchers: Matchers = Field(default=[], examples=[['alertname="KafkaLag"']])
    revision: int | None = None
    retry: bool = Field(
        default=False, description="If Alertmanager does not answer: as soon as it does."
    )

    @field_validator("until")
    @classmethod
    def _in_utc(cls, until: datetime | None) -> datetime | None:
        if until is not None and until.tzinfo is None:
            raise ValueError("expected a time zone, as in 2026-11-23T14:30:00Z")
        return until and in_utc(until)

    @model_validator(mode="after")
    def _has_one_end(self) -> SilenceWish:
        if (self.duration is None) is (self.until is None):
            raise ValueError('expected either "duration", such as "2h", or "until"')
        return self


class SilenceEnd(BaseModel):
    by: Name | None = Field(default=None, description="Not given: whose token it is.")


@router.get("/silence", dependencies=_READ, summary="What a silence would mute")
async def preview(
    number: Number,
    service: Service,
    alerts: Annotated[Fingerprints, Query()] = [],  # noqa: B006  (FastAPI copies it)
    matcher: Annotated[Matchers, Query()] = [],  # noqa: B006
) -> Response:
    """The matchers for these alerts (or all that fire), and which alerts they mute."""
    proposal = await service.silencing.propose(number, alerts, _matchers(matcher))
    return _answer(_proposal_json(service.outlook().masked(proposal)))


@router.post("/silence", summary="Silence an incident's alerts")
async def silence(
    number: Number,
    body: SilenceWish,
    service: Service,
    viewer: Responder,
    if_match: IfMatch = None,
) -> Response:
    """201 with the silence; 200 if this was asked for a moment ago; 202 if it is to be retried.

    422 if it cannot be made so, 503 if Alertmanager does not answer: nothing is changed then.
    """
    wish = Wish(
        by=viewer.acting(body.by).name,
        ends_at=_end(body, service.clock.now()),
        comment=body.comment.strip(),
        alerts=body.alerts,
        matchers=_matchers(body.matchers),
        revision=decided_on(body.revision, if_match),
        retry=body.retry,
    )
    made = await service.silencing.make(number, wish)
    waits = made.silence.state is SilenceState.WANTED
    shown = silence_json(service.outlook().masked(made.silence))
    return _answer(shown, status=202 if waits else 201 if made.new else 200)


@router.post("/silences/{silence}/end", summary="End a silence before its time")
async def end(
    number: Number, silence: Number, body: SilenceEnd, service: Service, viewer: Responder
) -> Response:
    """In Alertmanager, whoever made it; one that waits to be made is withdrawn."""
    by = viewer.acting(body.by).name
    ended = await service.silencing.end(number, silence, by)
    return _answer(silence_json(service.outlook().masked(ended)))


def _end(body: SilenceWish, now: datetime) -> datetime:
    if body.until is not None:
        return body.until
    try:
        return now + parse_duration(body.duration or "")
    except (DurationError, OverflowError) as error:
        raise HTTPException(422, f"duration: {error}.") from None


def _matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    """None are for who gives none: what holds none, such as `{}`, would mute anything."""
    try:
        found = tuple(matcher for text in texts for matcher in parse_matchers(text))
    except MatcherError as error:
        raise HTTPException(422, f"matchers: {error}.") from None
    if texts and not found:
        raise HTTPException(422, 'matchers: expected a matcher such as alertname="KafkaLag".')
    return found


def _proposal_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "matchers": [str(matcher) for matcher in proposal.matchers],
        "mutes": [alert_json(state) for state in proposal.muted[:_LISTED_ALERTS]],
        "muted": len(proposal.muted),
        "firing": proposal.firing,
        "muted_elsewhere": proposal.elsewhere,
    }


def _answer(content: object, *, status: int = 200) -> Response:
    return Response(to_json(content), status, media_type="application/json")
