"""`GET /stats`: what the log teaches. `docs/statistics.md` defines every figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field

from app.core.rights import Right
from app.core.stats import Figures, Reason, Row, Spread, Stats, tune_first
from app.notifiers import stats_wording
from app.notifiers.wording import Words, words
from app.store import stats as store
from app.store.database import Transaction
from app.store.stats import Stretch
from app.values import Locale
from app.web.auth import require
from app.web.context import Service
from app.web.times import moment

router = APIRouter(tags=["statistics"], dependencies=[Depends(require(Right.READ))])

_SHOWN_BY_DEFAULT = timedelta(days=30)


class Filters(BaseModel, extra="forbid"):
    """Which incidents are counted, and how it is told."""

    since: str | None = Field(
        default=None,
        description="Opened at that time or after: RFC 3339, or an age such as 7d. "
        "30 days before `until`, if not given.",
        examples=["7d", "2026-11-01T00:00:00-03:00"],
    )
    until: str | None = Field(
        default=None, description="Opened before that time: RFC 3339, or an age. Now, if not given."
    )
    limit: int = Field(default=50, ge=1, le=500, description="The most rows of each list.")
    lang: Locale | None = Field(
        default=None, description="The language of `tune_first`; the service's, if not given."
    )


class CountsJson(BaseModel):
    """How many incidents were opened, and what their status is now."""

    opened: int
    triggered: int
    acknowledged: int
    resolved: int


class SpreadJson(BaseModel):
    """How durations spread, in seconds; null where there is none."""

    count: int = Field(description="How many incidents have such a duration.")
    median: float | None
    p90: float | None


class NoiseJson(BaseModel):
    """What need not have called anybody."""

    notifications: int = Field(description="Firing notifications seen, repeats included.")
    refires: int = Field(description="How many times incidents were reopened.")
    short_lived: int = Field(
        description="Ended by themselves in under 5 minutes, nobody acting, and did not come back."
    )
    unattended: int = Field(description="Are over, and nobody ever acted on them.")


class FiguresJson(BaseModel):
    counts: CountsJson
    time_to_acknowledge: SpreadJson
    time_to_resolve: SpreadJson
    noise: NoiseJson


class SeverityJson(FiguresJson):
    severity: str | None


class ComponentJson(FiguresJson):
    component: str | None = Field(description="Null for incidents that are of none, or of several.")


class AlertnameJson(FiguresJson):
    alertname: str | None = Field(description="Null for incidents of alerts with different names.")


class ModelVersionJson(FiguresJson):
    model: str | None = Field(description="Null where no model was known to serve.")
    model_version: str | None


class AdviceJson(BaseModel):
    """An alert to tune: `count` of its incidents (`of`) were noise, for this reason."""

    alertname: str
    reason: Reason
    count: int
    of: int
    text: str = Field(description="Why, and how, in a sentence.")


class StatsJson(FiguresJson):
    """All figures, of the whole and by what sets incidents apart, most often opened first."""

    since: datetime
    until: datetime
    about_plantao: int = Field(description="Incidents about Plantão itself; in no other figure.")
    by_severity: list[SeverityJson]
    by_component: list[ComponentJson]
    by_alertname: list[AlertnameJson]
    by_model_version: list[ModelVersionJson]
    tune_first: list[AdviceJson] = Field(
        description="At most five alerts, the noisiest first, each with the reason."
    )


@router.get(
    "/stats",
    summary="Show statistics",
    responses={400: {"description": "A time that cannot be read, or `until` before `since`."}},
)
async def shown(filters: Annotated[Filters, Query()], service: Service) -> StatsJson:
    """Times to acknowledge and to resolve, noise, and what to tune first.

    Of the incidents that were opened from `since` to before `until`.
    """
    stretch = stretch_of(filters, service.clock.now())
    figures, ours = await service.db.read(load, stretch)
    masked = service.outlook().masked(figures)
    speech = words(filters.lang or service.settings.locale, service.settings.timezone)
    return stats_json(masked, stretch, speech, about_plantao=ours, limit=filters.limit)


def load(tx: Transaction, stretch: Stretch) -> tuple[Stats, int]:
    """The figures of a stretch, and how many of its incidents were about Plantão itself."""
    return store.summary(tx, stretch), store.about_ourselves(tx, stretch)


def stretch_of(filters: Filters, now: datetime) -> Stretch:
    """What is asked for, in UTC: by default up to now. Raises HTTPException (400)."""
    until = moment("until", filters.until, now) or now
    try:
        since = moment("since", filters.since, now) or until - _SHOWN_BY_DEFAULT
    except OverflowError:
        raise HTTPException(400, "until: there is no time that long ago.") from None
    if since > until:
        raise HTTPException(400, "since: expected a time before `until`.")
    return Stretch(since, until)


def stats_json(
    stats: Stats, stretch: Stretch, speech: Words, *, about_plantao: int, limit: int
) -> StatsJson:
    """Statistics as the API shows them; `stats` is masked already."""
    return StatsJson(
        since=stretch.since,
        until=stretch.until,
        about_plantao=about_plantao,
        **_figures(stats.whole),
        by_severity=[
            SeverityJson(severity=row.name, **_figures(row.figures))
            for row in stats.by_severity[:limit]
        ],
        by_component=[
            ComponentJson(component=row.name, **_figures(row.figures))
            for row in stats.by_component[:limit]
        ],
        by_alertname=[
            AlertnameJson(alertname=row.name, **_figures(row.figures))
            for row in stats.by_alertname[:limit]
        ],
        by_model_version=[
            ModelVersionJson(model=row.name, model_version=row.version, **_figures(row.figures))
            for row in stats.by_model_version[:limit]
        ],
        tune_first=_advice(stats.by_alertname, speech),
    )


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "counts": CountsJson.model_validate(figures, from_attributes=True),
        "time_to_acknowledge": _spread(figures.time_to_acknowledge),
        "time_to_resolve": _spread(figures.time_to_resolve),
        "noise": NoiseJson.model_validate(figures, from_attributes=True),
    }


def _spread(spread: Spread) -> SpreadJson:
    return SpreadJson(count=spread.count, median=_seconds(spread.median), p90=_seconds(spread.p90))


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _advice(rows: Sequence[Row], speech: Words) -> list[AdviceJson]:
    return [
        AdviceJson(
            alertname=one.alertname,
            reason=one.reason,
            count=one.count,
            of=one.of,
            text=stats_wording.advice(speech, one),
        )
        for one in tune_first(rows)
    ]
