"""What cannot be shown, as a page in the same look: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.core.rights import Right
from app.errors import NotFound, StoreUnavailable
from app.notifiers.wording import Words
from app.web import act_page
from app.web.auth import Forbidden, Viewer
from app.web.console.frame import Reader, page, reader
from app.web.context import context

_FORBIDDEN = 403


class PageRoute(APIRoute):
    """A route whose every answer is a page: whoever comes here is a person.

    Strangers are led to the sign-in page by `app.web.sign_in`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except (NotFound, RequestValidationError):
                return _refused(request, 404)
            except StoreUnavailable:
                return _refused(request, 503)
            except Forbidden as error:
                return _refused(request, 403, str(error.detail))
            except HTTPException as error:
                return _refused(request, error.status_code, str(error.detail), form=True)

        return handled


def _refused(request: Request, status: int, detail: str = "", *, form: bool = False) -> Response:
    """For somebody who may be a stranger: they are offered nothing."""
    who = reader(request, context(request), Viewer(Right.READ))
    return refused(who, status, detail, form=form)


def refused(who: Reader, status: int, detail: str = "", *, form: bool = False) -> Response:
    """A page that says why there is none; `detail` is what a program would be told. `form`: it
    is what was sent that cannot be used, not who sent it."""
    title, advice = (
        act_page.unreadable(who.words)
        if form and status == _FORBIDDEN
        else _said(who.words, status)
    )
    standard = detail == HTTPStatus(status).phrase
    return page(
        who,
        "error.html",
        title=title,
        status=status,
        advice=advice,
        code=status,
        detail="" if standard else detail,
    )


def _said(words: Words, status: int) -> tuple[str, str]:
    match status:
        case 403:
            return (
                words.say("You may not do that"),
                words.say("Nothing was changed. Ask for a token with more rights."),
            )
        case 404:
            return (
                words.say("There is no such page"),
                words.say("Perhaps its record was deleted: what is over is not kept for ever."),
            )
        case 429:
            return act_page.too_many(words)
        case 503:
            return (
                words.say("The database does not answer"),
                words.say("Nothing was changed. Try again in a minute."),
            )
        case _:
            return (
                words.say("This cannot be read"),
                words.say("Nothing was changed. Go back, and try again."),
            )
