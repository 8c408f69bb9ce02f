"""`/act/{token}`: the page behind a mail's link, where its recipient acts on one incident.

Opening the page changes nothing: mail filters, previews and browsers that fetch ahead follow
links with GET and HEAD. Acting is a form sent by POST, one press away.

There are no cookies and no session, so there is nothing another site could ride on: a forged
form would have to hold the token, and whoever has the token needs no forgery. The token is all
there is, so it must not leak: the page loads nothing from elsewhere, sends no Referer, is not
stored by caches or found by search engines, and cannot be framed. It grants the actions of one
incident, in one recipient's name, for a week; it opens nothing else of the service, and works
without the API's tokens. `docs/decisions/` says what that means for forwarded mails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from app.core.notices import Notice
from app.core.postings import EMAIL
from app.core.signed_links import Right
from app.engine.outlook import Outlook
from app.errors import (
    InvalidSilence,
    LinkExpired,
    LinkRefused,
    NeighbourFailed,
    NeighbourRefused,
    NeighbourUnreachable,
    NotApplicable,
    NotFound,
    StoreUnavailable,
)
from app.notifiers.own_wording import localised
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words, words
from app.store import incidents, postings
from app.store.database import Transaction
from app.web import act_deeds, act_page
from app.web.act_page import View
from app.web.context import Context, Service
from app.web.deeds import carry_out
from app.web.forms import read_form
from app.web.outcomes import refused, well_done
from app.web.proposals import Mutable, mutable

router = APIRouter(tags=["mail"], include_in_schema=False)

_FORM_FIELDS = 10
_STATUS: Mapping[type[Exception], int] = {
    NotFound: 404,
    InvalidSilence: 422,
    NeighbourRefused: 502,
    NeighbourUnreachable: 503,
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Name = Annotated[str, Query(alias="as")]


@router.api_route("/act/{token}", methods=["GET", "HEAD"])
async def shown(
    token: str, service: Service, name: Name = "", done: Annotated[str, Query()] = ""
) -> Response:
    """The page; nothing is changed."""
    return await _answered(token, service, name, done=bool(done))


@router.post("/act/{token}")
async def act(token: str, request: Request, service: Service, name: Name = "") -> Response:
    """Do what the form asks for; then see the page again, which a reload does not repeat."""
    try:
        form = await read_form(request, most=_FORM_FIELDS)
    except HTTPException as error:
        speech = words(service.settings.locale, service.settings.timezone)
        return _refused(error.status_code, speech, act_page.unreadable(speech))
    return await _answered(token, service, name, form=form)


async def _answered(
    token: str,
    service: Context,
    name: str,
    *,
    form: Mapping[str, str] | None = None,
    done: bool = False,
) -> Response:
    """Every answer is a page; whoever comes here is a person."""
    speech = words(service.settings.locale, service.settings.timezone)
    try:
        visit = await _visit(token, service, name)
        speech = visit.speech
        if form is None:
            well = well_done(speech) if done else None
            return _page(200, act_page.page(speech, await _view(service, visit), well))
        return await _done(service, visit, form)
    except LinkExpired:
        return _refused(410, speech, act_page.expired(speech))
    except LinkRefused:
        return _refused(403, speech, act_page.unsigned(speech))
    except NotFound:
        return _refused(404, speech, act_page.gone(speech))
    except StoreUnavailable:
        return _refused(503, speech, act_page.unstored(speech))


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody with a valid link: what it grants, what they call themselves, how to speak."""

    right: Right
    name: str
    locale: str
    speech: Words


async def _visit(token: str, service: Context, name: str) -> _Visit:
    right = service.links.right(token)
    locale = await service.db.read(_locale, right, service)
    speech = words(locale, service.settings.timezone)
    return _Visit(right, cut(one_line(name), act_page.LONGEST_NAME), locale, speech)


def _locale(tx: Transaction, right: Right, service: Context) -> str:
    """The language in which the mail with the link was written."""
    for posting in postings.of_incidents(tx, [right.incident])[right.incident]:
        there = posting.destination
        if there.kind == EMAIL and right.recipient in there.address.split(","):
            asked = service.policy.current.locale(posting.receiver, there)
            return asked or service.settings.locale
    return service.settings.locale


async def _done(service: Context, visit: _Visit, form: Mapping[str, str]) -> Response:
    if wait := service.links.wait(visit.right):
        answer = _refused(429, visit.speech, act_page.too_many(visit.speech))
        answer.headers["Retry-After"] = str(int(wait) + 1)
        return answer
    deed = act_deeds.read(form, visit.right, visit.name)
    if deed is None:
        return _refused(400, visit.speech, act_page.unreadable(visit.speech))
    try:
        await carry_out(service, visit.right.incident, deed)
    except (NotApplicable, NotFound, InvalidSilence, NeighbourFailed) as error:
        view = await _view(service, visit)
        why = refused(visit.speech, error, view.notice, form)
        return _page(_STATUS.get(type(error), 409), act_page.page(visit.speech, view, why))
    # Relative, so that it holds behind a proxy that serves us below a path of its own.
    query = {"done": "yes"} | ({"as": visit.name} if visit.name else {})
    return Response(status_code=303, headers=_HEADERS | {"Location": f"?{urlencode(query)}"})


async def _view(service: Context, visit: _Visit) -> View:
    """Raises NotFound for an incident that is no longer kept."""
    notice = await service.db.read(_notice, visit.right.incident, service.outlook())
    return View(
        localised(notice, visit.locale),
        visit.right,
        visit.name,
        await _mutable(service, visit.right.incident),
        silencing=bool(service.settings.alertmanager_url),
    )


def _notice(tx: Transaction, number: int, outlook: Outlook) -> Notice:
    return outlook.notice(tx, incidents.get(tx, number))


async def _mutable(service: Context, incident: int) -> Mutable | None:
    try:
        return await mutable(service, incident)
    except (NotApplicable, InvalidSilence):
        return None


def _page(status: int, html: str) -> Response:
    policy = {"Content-Security-Policy": act_page.policy()}
    return HTMLResponse(html, status, headers=_HEADERS | policy)


def _refused(status: int, speech: Words, told: tuple[str, str]) -> Response:
    return _page(status, act_page.refusal(speech, *told))
