"""`/console/sign-in`: with a token, once, for a week; and what the console shows to strangers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, FastAPI, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from app.engine.guard import NOBODY
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words, words
from app.web import csrf, problems, sessions
from app.web.act_page import LONGEST_NAME, style
from app.web.auth import ConsoleReader, Forbidden, SignInNeeded, TooMany, checked
from app.web.context import Context, Service, context
from app.web.forms import read_form
from app.web.headers import page
from app.web.pages import render

router = APIRouter(tags=["console"], include_in_schema=False)

ADDRESS = "/console/sign-in"
HOME = "/console"


def install(app: FastAPI) -> None:
    """Let strangers to the console find its door, and those without a right an explanation."""
    app.add_exception_handler(SignInNeeded, _to_the_door)
    app.add_exception_handler(Forbidden, _forbidden)


@router.get(ADDRESS)
async def shown(request: Request, service: Service) -> Response:
    """The form; on a machine where no token is needed, it only asks for a name."""
    return await _form(service, back=own_path(request.query_params.get("next", "")))


@router.post(ADDRESS)
async def sign_in(request: Request, service: Service) -> Response:
    """Begin a session, and go where one wanted to go."""
    speech = _speech(service)
    if not csrf.comes_from_us(request, service.settings.public_url):
        raise HTTPException(403, "Another site's page asks for this: do it on Plantão's own page.")
    form = await read_form(request)
    back, name = own_path(form.get("next", "")), cut(one_line(form.get("name", "")), LONGEST_NAME)
    if await service.guard.is_open():
        return _begun(service, NOBODY, name, back)
    try:
        holder = await checked(request, service, form.get("token", "").strip())
    except TooMany as error:
        answer = await _form(service, back, name, _too_many(speech, error.wait), status=429)
        answer.headers.update(error.headers or {})
        return answer
    if holder is None:
        return await _form(service, back, name, _wrong(speech), status=403)
    return _begun(service, holder.reference, name, back)


@router.post("/console/sign-out")
async def sign_out(_viewer: ConsoleReader) -> Response:
    """End the session in this browser."""
    answer = RedirectResponse(ADDRESS, 303)
    sessions.forget(answer)
    return answer


@router.get("/console/sign-in.css")
async def styled() -> Response:
    """What the form looks like."""
    return Response(style(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def own_path(wanted: str) -> str:
    """Where to go after signing in: a page of ours, and never another site's."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    ours = wanted == HOME or wanted.startswith((f"{HOME}/", f"{HOME}?"))
    return wanted if plain and ours else HOME


def _begun(service: Context, holder: str, name: str, back: str) -> Response:
    answer = RedirectResponse(back, 303)
    session = sessions.begin(holder, name, now=service.clock.now())
    sessions.keep(answer, session, service.guard.key, secure=service.settings.https)
    return answer


async def _form(
    service: Context, back: str, name: str = "", problem: str = "", *, status: int = 200
) -> Response:
    speech = _speech(service)
    facts = {"next": back, "name": name, "problem": problem, "longest_name": LONGEST_NAME}
    told = _open_texts(speech) if await service.guard.is_open() else _texts(speech)
    return page(render("sign_in.html", speech, facts | told), status)


def _texts(speech: Words) -> dict[str, Any]:
    return {
        "title": speech.say("Sign in"),
        "advice": speech.say("With a token of yours. An administrator makes one on the server:")
        + " plantao tokens create",
        "form": {
            "token": speech.say("Token"),
            "name": speech.say("Your name, if it is not the token's"),
            "button": speech.say("Sign in"),
        },
    }


def _open_texts(speech: Words) -> dict[str, Any]:
    return {
        "title": speech.say("Who are you?"),
        "advice": speech.say("No token is needed here. Your name stands beside what you do."),
        "form": {"token": "", "name": speech.say("Your name"), "button": speech.say("Go on")},
    }


def _wrong(speech: Words) -> str:
    return speech.say("This token opens nothing: it is wrong, expired or revoked.")


def _too_many(speech: Words, wait: float) -> str:
    return speech.count(
        "Too many wrong tokens came from your address. Wait {count} second, then try again.",
        "Too many wrong tokens came from your address. Wait {count} seconds, then try again.",
        int(wait) + 1,
    )


def _speech(service: Context) -> Words:
    return words(service.settings.locale, service.settings.timezone)


# Strangers


async def _to_the_door(request: Request, _error: Exception) -> Response:
    """A browser is led to the form, and HTMX told to lead it there; then back to its page."""
    from_script = "hx-request" in request.headers
    if from_script or request.method not in csrf.SAFE:
        here = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
        path, query = here.path, here.query
    else:
        path, query = request.url.path, request.url.query
    back = own_path(f"{path}?{query}" if query else path)
    door = f"{ADDRESS}?next={quote(back, safe='/')}"
    if from_script:
        return Response(status_code=401, headers={"HX-Redirect": door})
    return RedirectResponse(door, 303)


async def _forbidden(request: Request, error: Exception) -> Response:
    """A page for people, a problem document for programs."""
    assert isinstance(error, Forbidden)  # noqa: S101  (registered for it only)
    if not request.url.path.startswith(f"{HOME}/") or "hx-request" in request.headers:
        return problems.answer(error)
    speech = _speech(context(request))
    facts = {
        "title": speech.say("You may not do this"),
        "advice": speech.say(
            "It takes the right “{right}”: ask an administrator for a token with it.",
            right=str(error.missing),
        ),
    }
    return page(render("sign_in.html", speech, facts | {"problem": "", "form": None}), 403)
