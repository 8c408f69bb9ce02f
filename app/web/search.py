"""What `GET /incidents` and its stream are asked: query parameters into a search."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json

from app.core.matchers import Matcher, MatcherError, parse_matchers
from app.store.pages import Place
from app.store.search import Search
from app.web.times import moment
from app.web.views import INCIDENT_FIELDS

_MOST = 200  # values of one filter
_Values = Annotated[list[str], Field(max_length=_MOST)]
_TIME = "RFC 3339, or an age such as `2h`."

Sort = Literal["-opened_at", "opened_at", "-updated_at", "updated_at", "severity", "-severity"]


class Conditions(BaseModel):
    """Which incidents. Each filter can be repeated; different ones are combined."""

    model_config = ConfigDict(extra="forbid")

    status: list[Literal["triggered", "acknowledged", "resolved"]] = Field(
        default=[], max_length=_MOST
    )
    severity: _Values = Field(default=[], description="The worst it has had.")
    receiver: _Values = Field(default=[], description="Told of it, first or beside another.")
    alertname: _Values = Field(default=[], description="Of any of its alerts.")
    component: _Values = Field(default=[], description="Of any of its alerts.")
    model: _Values = Field(default=[], description="The model that was serving.")
    model_version: _Values = Field(default=[], description="The version that was serving.")
    matcher: _Values = Field(
        default=[],
        description="Alertmanager's syntax: an incident fits if one of its alerts fulfils all.",
        examples=[['team="fraud"', 'pod=~"api-.*"']],
    )
    opened_after: str | None = Field(default=None, description=_TIME, examples=["2h"])
    opened_before: str | None = Field(
        default=None, description=_TIME, examples=["2026-11-23T03:00:00Z"]
    )
    q: str | None = Field(
        default=None,
        max_length=1000,
        description="Words or their beginnings, in title, labels, annotations or notes; "
        "in quotes, words side by side.",
        examples=["kafka lag"],
    )
    fields: _Values = Field(
        default=[],
        description="Only these of each item, repeated or with commas.",
        examples=[["id,title,status"]],
    )

    @property
    def wanted(self) -> tuple[str, ...]:
        """The fields asked for, all of which there are; raises 400."""
        names = [name.strip() for each in self.fields for name in each.split(",")]
        names = [name for name in dict.fromkeys(names) if name]
        unknown = [name for name in names if name not in INCIDENT_FIELDS]
        if unknown:
            known = ", ".join(INCIDENT_FIELDS)
            raise HTTPException(400, f"fields: there is no {unknown[0]!r}; there are {known}.")
        return tuple(names)


class Filters(Conditions):
    """What `GET /incidents` can be asked."""

    sort: Sort = Field(
        default="-opened_at",
        description="With `-` the newest first; `severity` begins with the worst.",
    )
    limit: int = Field(default=50, ge=1, le=500, description="At most so many on a page.")
    cursor: str | None = Field(default=None, description="`next` of the page before.")


class Following(Conditions):
    """What `GET /incidents/stream` can be asked."""

    last_event_id: str | None = Field(
        default=None,
        description="As the header `Last-Event-ID`, for who cannot send one at first.",
    )


def search_for(asked: Conditions, now: datetime) -> Search:
    """The search that somebody asks for. Raises HTTPException 400 where it makes no sense."""
    labels = [("alertname", asked.alertname), ("component", asked.component)]
    search = Search(
        statuses=asked.status,
        severities=[name.strip().lower() for name in asked.severity],
        receivers=asked.receiver,
        models=asked.model,
        model_versions=asked.model_version,
        labels=[(name, values) for name, values in labels if values],
        matchers=_matchers(asked.matcher),
        opened_after=moment("opened_after", asked.opened_after, now),
        opened_before=moment("opened_before", asked.opened_before, now),
        text=asked.q,
    )
    if not isinstance(asked, Filters):
        return search
    after = _place_in(asked.cursor, asked.sort) if asked.cursor else None
    return replace(search, sort=asked.sort, limit=asked.limit, after=after)


def _matchers(texts: list[str]) -> tuple[Matcher, ...]:
    try:
        return tuple(matcher for text in texts for matcher in parse_matchers(text))
    except MatcherError as error:
        raise HTTPException(400, f"matcher: {error}.") from None


def cursor_of(place: Place, sort: str) -> str:
    """The cursor of the page that begins after this place."""
    value, number = place
    at = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(to_json([sort, at, number])).decode().rstrip("=")


def _place_in(cursor: str, sort: str) -> Place:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return _place(from_json(base64.urlsafe_b64decode(padded)), sort)
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise HTTPException(
            400, "cursor: expected the `next` of an earlier page with the same filters."
        ) from None


def _place(given: list[object], sort: str) -> Place:
    made_for, value, number = given
    if made_for != sort:
        raise ValueError(made_for)
    if sort.endswith("severity"):
        return _number(value), _number(number)
    if not isinstance(value, str):
        raise TypeError(value)
    return datetime.fromisoformat(value).astimezone(UTC), _number(number)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value
