"""`/console/stats`: what the log teaches; `docs/statistics.md` defines every figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from app.core.stats import Figures, Row, tune_first
from app.notifiers import stats_wording
from app.notifiers.text import cut, one_line
from app.notifiers.wording import N_
from app.web import stats as api
from app.web.console.errors import PageRoute
from app.web.console.frame import Reader, Reading, page
from app.web.context import Service

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SPANS = (("1d", N_("Day")), ("7d", N_("Week")), ("30d", N_("30 days")), ("90d", N_("90 days")))
_USUAL = "30d"
_MOST_ROWS = 15
_NAME = 80


@router.get("/console/stats")
async def shown(service: Service, who: Reading, since: str = _USUAL) -> Response:
    """Of the incidents that were opened since then."""
    stretch = api.stretch_of(api.Filters(since=since), who.now)
    found, ours = await service.db.read(api.load, stretch)
    stats = service.outlook().masked(found)
    say = who.words.say
    return page(
        who,
        "stats.html",
        title=say("Statistics"),
        here="stats",
        since=since,
        spans=[(key, say(name)) for key, name in _SPANS],
        whole=_figures(who, stats.whole),
        ours=ours,
        advice=[
            (
                cut(one_line(each.alertname), _NAME),
                stats_wording.advice(who.words, each),
                _view(who, since, alertname=each.alertname),
            )
            for each in tune_first(stats.by_alertname)
        ],
        tables=[
            _table(who, say("By severity"), stats.by_severity, "severity", since),
            _table(who, say("By component"), stats.by_component, "component", since),
            _table(who, say("By alert"), stats.by_alertname, "alertname", since),
            _table(who, say("By model version"), stats.by_model_version, "model", since),
        ],
    )


def _table(who: Reader, title: str, rows: Sequence[Row], name: str, since: str) -> dict[str, Any]:
    return {
        "title": title,
        "rows": [_row(who, row, name, since) for row in rows[:_MOST_ROWS]],
        "more": who.words.more(len(rows) - _MOST_ROWS) if len(rows) > _MOST_ROWS else "",
    }


def _row(who: Reader, row: Row, name: str, since: str) -> dict[str, Any]:
    shown = one_line(row.name or "")
    if name == "severity" and row.name:
        shown = who.words.severity(row.name)
    wanted = {name: row.name} if row.name else {}
    if row.version:
        shown, wanted = f"{shown} v{one_line(row.version)}", wanted | {"model_version": row.version}
    link = _view(who, since, **wanted) if wanted else ""
    return {"name": cut(shown, _NAME), "link": link, **_figures(who, row.figures)}


def _view(who: Reader, since: str, **wanted: str) -> str:
    return f"{who.root}console/incidents?{urlencode(wanted | {'opened_after': since})}"


def _figures(who: Reader, found: Figures) -> dict[str, str]:
    number = who.words.number
    return {
        "opened": number(found.opened),
        "open": number(found.triggered + found.acknowledged),
        "acknowledged": stats_wording.spread(who.words, found.time_to_acknowledge),
        "resolved": stats_wording.spread(who.words, found.time_to_resolve),
        "notifications": number(found.notifications),
        "refires": number(found.refires),
        "short_lived": number(found.short_lived),
        "unattended": number(found.unattended),
    }
