"""The console's pages about incidents, and what their forms do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from app.core.chart import draw
from app.core.matchers import MatcherError
from app.core.notices import Notice
from app.core.person import Person
from app.engine.outlook import Outlook
from app.errors import InvalidSilence, NeighbourFailed, NotApplicable, NotFound, PlantaoError
from app.notifiers.charting import chart_of
from app.notifiers.text import cut
from app.store import incidents, queries
from app.store.database import Transaction
from app.store.pages import Place
from app.store.search import Search
from app.web import listing as log
from app.web import outcomes
from app.web.auth import ConsoleReader
from app.web.console import deeds, filters, frame, incident, listing
from app.web.console.errors import PageRoute, refused
from app.web.console.frame import Acting, Reader, Reading, page
from app.web.context import Context, Service
from app.web.deeds import LONGEST_NOTE, LONGEST_REASON, number
from app.web.forms import read_form
from app.web.incidents import Number
from app.web.proposals import Mutable, mutable, reach
from app.web.search import Filters, cursor_of, search_for
from app.web.views import Shown

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LONGEST_SEARCH = 200
_WIDE, _SMALL = (1120, 420), (640, 240)  # pixels; both are shown in one shape
_OWN = re.compile(r"(?:incidents|stats|changes|receipts|health)(?:[/?]|\Z)")
#: What a row is made of, by the names of the fields of the API.
_WANTED = {"alerts", "model", "silences"}
_OURS = {"done", "embed"}
#: Who acts where no token is needed and nobody has said a name.
_NAMELESS = Person("console")
_A_YEAR = 365 * 24 * 3600  # seconds


@router.get("/")
@router.get("/console")
@router.get("/console/")
async def home(request: Request) -> Response:
    """What is open, the view that people begin with, or the view that the query string is.

    Relative, as in `Reader.root`.
    """
    asked = request.url.query
    view = f"console/incidents?{asked}" if asked else frame.OPEN
    inside = request.url.path.endswith("/console/")
    return RedirectResponse(view.removeprefix("console/") if inside else view, 303)


@router.get("/console/incidents")
async def listed(request: Request, service: Service, who: Reading) -> Response:
    """Any view of the log: its query string is the API's."""
    params = request.query_params.multi_items()
    if (tidy := filters.tidy(params)) != params:
        return RedirectResponse(filters.link(tidy), 303)
    asked = _filters(params)
    found, after = await service.db.read(_page, search_for(asked, who.now), service.outlook())
    cursor = cursor_of(after, asked.sort) if after else ""
    return page(
        who,
        "incidents.html",
        title=who.words.say("Incidents"),
        here="incidents",
        bar=filters.bar(who.words, params),
        rows=[listing.row(who, each) for each in found],
        next=filters.beyond(params, cursor) if cursor else "",
        first="" if "cursor" not in dict(params) else filters.link(filters.without_place(params)),
        view=filters.link([each for each in params if each[0] != "done"]),
        done=number(request.query_params.get("done", "")),
    )


def _page(
    tx: Transaction, search: Search, outlook: Outlook
) -> tuple[Sequence[Shown], Place | None]:
    found = queries.page(tx, search)
    return log.shown(tx, found, outlook, _WANTED), found.after


def _filters(params: filters.Params) -> Filters:
    """Raises HTTPException for what is no filter."""
    given: dict[str, Any] = {}
    for name, value in params:
        if name not in _OURS:
            given.setdefault(name, []).append(value)
    lists = {
        name for name, field in Filters.model_fields.items() if "list" in str(field.annotation)
    }
    try:
        return Filters.model_validate(
            {name: values if name in lists else values[-1] for name, values in given.items()}
        )
    except ValidationError as error:
        told = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        raise HTTPException(400, told) from None


@router.get("/console/incidents/{number}")
async def shown(
    number: Number,
    service: Service,
    who: Reading,
    alerts: Annotated[str, Query(max_length=_LONGEST_SEARCH)] = "",
    done: str = "",
) -> Response:
    """The incident whole."""
    answer = outcomes.well_done(who.words) if done else None
    return await _incident(service, who, number, answer, search=alerts.strip())


@router.post("/console/incidents/{number}")
async def act(number: Number, request: Request, service: Service, who: Acting) -> Response:
    """Do what a form asks for, then see the page again, which a reload does not repeat."""
    form = await read_form(request)
    try:
        asked = deeds.read(form, who.viewer.person or _NAMELESS)
        if asked is None:
            raise HTTPException(400)
        await deeds.do(service, number, asked, _seen(form))
    except (NotApplicable, NotFound, InvalidSilence, NeighbourFailed, MatcherError) as error:
        return await _refused(service, who, number, error, form)
    return RedirectResponse(_after(number, form), 303)


def _seen(form: Mapping[str, str]) -> deeds.Seen:
    return deeds.Seen(number(form.get("revision", "")), number(form.get("seen", "")))


def _after(incident: int, form: Mapping[str, str]) -> str:
    """Back to the list, where it was done there; relative, and nowhere else."""
    if "back" not in form:
        return f"{incident}?done={form['do']}"
    view = [each for each in parse_qsl(form["back"]) if each[0] != "done"]
    return f"../incidents?{urlencode([*view, ('done', str(incident))])}"


_STATUS: Mapping[type[PlantaoError], int] = {InvalidSilence: 422, MatcherError: 422}


async def _refused(
    service: Context, who: Reader, number: int, error: PlantaoError, form: Mapping[str, str]
) -> Response:
    """The page as it is now, and why not; what was written is kept."""
    seen = await service.db.read(incident.load, number, service.outlook(), "", who.locale)
    answer = outcomes.refused(who.words, error, seen.notice, form)
    status = _STATUS.get(type(error), 502 if isinstance(error, NeighbourFailed) else 409)
    return await _incident(service, who, number, answer, status=status)


async def _incident(
    service: Context,
    who: Reader,
    number: int,
    answer: outcomes.Answer | None,
    *,
    status: int = 200,
    search: str = "",
) -> Response:
    seen = await service.db.read(incident.load, number, service.outlook(), search, who.locale)
    facts = incident.facts(who, seen, search=search, public_url=service.settings.base_url)
    found = await _mutable(service, number) if who.acts else None
    return page(
        who,
        "incident.html",
        title=cut(f"#{number} {facts['heading']}", 100),
        here="incidents",
        status=status,
        answer=answer,
        number_=number,
        mutable=found,
        reach=reach(who.words, found) if found else "",
        silencing=bool(service.settings.alertmanager_url),
        lengths=[(each, each) for each in deeds.LENGTHS],
        longest_note=LONGEST_NOTE,
        longest_reason=LONGEST_REASON,
        **facts,
    )


async def _mutable(service: Context, number: int) -> Mutable | None:
    if not service.settings.alertmanager_url:
        return None
    try:
        return await mutable(service, number)
    except (NotApplicable, InvalidSilence):
        return None


@router.get("/console/incidents/{number}/chart.svg")
async def chart(
    number: Number, service: Service, who: Reading, *, dark: bool = False, small: bool = False
) -> Response:
    """The chart in the reader's language."""

    def load(tx: Transaction) -> Notice:
        return service.outlook().notice(tx, incidents.get(tx, number))

    found = chart_of(who.words, await service.db.read(load))
    if found is None:
        raise HTTPException(404)
    headers = {
        "Content-Security-Policy": "default-src 'none'",
        "Cache-Control": "private, max-age=60",
        "Vary": "Cookie, Accept-Language",
    }
    width, height = _SMALL if small else _WIDE
    drawn = draw(found, dark=dark, width=width, height=height)
    return Response(drawn, headers=headers, media_type="image/svg+xml")


@router.get("/console/incidents/{number}/silence")
async def silence(
    number: Number,
    service: Service,
    who: Reading,
    matchers: Annotated[str, Query(max_length=10_000)] = "",
) -> Response:
    """What a silence with these matchers would mute; nothing is silenced."""
    return await _silence(service, who, number, {"matchers": matchers})


@router.post("/console/incidents/{number}/silence")
async def preview(number: Number, request: Request, service: Service, who: Acting) -> Response:
    """The same, with the rest of the form as it was filled in."""
    return await _silence(service, who, number, await read_form(request))


async def _silence(service: Context, who: Reader, number: int, form: Mapping[str, str]) -> Response:
    seen = await service.db.read(incident.load, number, service.outlook(), "", who.locale)
    written, found, problem = form.get("matchers", ""), None, ""
    try:
        found = await mutable(service, number, deeds.matchers(written))
    except (NotApplicable, InvalidSilence, MatcherError) as error:
        problem = outcomes.silence_problem(who.words, error)
    return page(
        who,
        "silence.html",
        title=who.words.say("Silence #{number}", number=number),
        here="incidents",
        number_=number,
        heading=who.words.title(seen.notice.incident),
        found=found,
        matchers=written or "\n".join(found.matchers if found else ()),
        reach=reach(who.words, found) if found else "",
        problem=problem,
        given={name: form.get(name, "") for name in ("length", "other", "reason")},
        lengths=deeds.LENGTHS,
        longest_reason=LONGEST_REASON,
        silencing=bool(service.settings.alertmanager_url),
    )


@router.post("/console/preferences")
async def prefer(request: Request, _viewer: ConsoleReader) -> Response:
    """Language and colours, in cookies of this browser; then back to where one was."""
    form = await read_form(request)
    back = form.get("back", "")
    answer = RedirectResponse(back if _OWN.match(back) else frame.OPEN.partition("/")[2], 303)
    for cookie, field, known in (
        (frame.LANGUAGE, "language", frame.LANGUAGES),
        (frame.THEME, "theme", frame.THEMES),
    ):
        if (value := form.get(field, "")) in known:
            answer.set_cookie(cookie, value, max_age=_A_YEAR, httponly=True, samesite="lax")
    return answer


@router.get("/console/{nothing:path}")
async def nothing(who: Reading) -> Response:
    """There is no such page."""
    return refused(who, 404)
