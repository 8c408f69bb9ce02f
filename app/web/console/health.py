"""`/console/health`: are we well, and do our neighbours answer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from prometheus_client import Counter
from starlette.responses import Response

from app.core.postings import PostingState
from app.settings import Settings
from app.telemetry import NEIGHBOUR_CALLS
from app.web.console.errors import PageRoute
from app.web.console.frame import Reader, Reading, page
from app.web.console.incident import POSTED
from app.web.context import Context, Service
from app.web.health import database_state, figures, loops_state

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_OK = "ok"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing and how it is: `good`, `bad`, `rests`, or `none` where it is not set up."""

    name: str
    state: str
    says: str


@router.get("/console/health")
async def shown(service: Service, who: Reading) -> Response:
    """As of now; the counts are since the process started."""
    counts, oldest = await service.db.read(figures)
    waits = who.since(oldest) if oldest else ""
    return page(
        who,
        "health.html",
        title=who.words.say("Health"),
        here="health",
        ourselves=[
            _ours(who, who.words.say("Database"), await database_state(service)),
            _ours(who, who.words.say("Loops"), loops_state(service)),
        ],
        waits=waits,
        neighbours=list(_neighbours(who, service)),
        places=_places(who, counts),
    )


def _ours(who: Reader, name: str, found: str) -> Part:
    well = found == _OK
    return Part(name, "good" if well else "bad", who.words.say("works") if well else found)


def _neighbours(who: Reader, service: Context) -> Iterator[Part]:
    calls, resting = _calls(NEIGHBOUR_CALLS), set(service.enrich.resting())
    for key, name, known in _set_up(service.settings):
        if not known:
            yield Part(name, "none", who.words.say("not set up"))
            continue
        well, all_ = calls.get((key, _OK), 0), sum(n for (k, _), n in calls.items() if k == key)
        said = who.words.count(
            "{well} of {count} call answered", "{well} of {count} calls answered", all_, well=well
        )
        if key in resting:
            yield Part(name, "rests", who.words.say("down, and not asked for now") + f" · {said}")
        else:
            yield Part(name, "good" if well or not all_ else "bad", said)


def _set_up(settings: Settings) -> Sequence[tuple[str, str, bool]]:
    return (
        ("alertmanager", "Alertmanager", bool(settings.alertmanager_url)),
        ("prometheus", "Prometheus", bool(settings.prometheus_url)),
        ("mlflow", "MLflow", bool(settings.mlflow_tracking_uri)),
        ("slack", "Slack", bool(settings.slack_bot_token)),
        ("email", "SMTP", bool(settings.smtp_url)),
    )


def _calls(counter: Counter) -> dict[tuple[str, str], int]:
    return {
        (sample.labels["neighbour"], sample.labels["outcome"]): int(sample.value)
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


def _places(who: Reader, counts: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """How many messages are in which state, by transport."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for (place, state), number in sorted(counts.items()):
        says = who.words.say(POSTED[PostingState(state)])
        found.setdefault(place, []).append((state, says, who.words.number(number)))
    return [{"name": name, "states": states} for name, states in found.items()]
