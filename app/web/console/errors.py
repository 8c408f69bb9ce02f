"""What cannot be shown, as a page in the same look: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.errors import NotFound, StoreUnavailable
from app.notifiers.wording import Words
from app.web.console.frame import page, reader
from app.web.context import context


class PageRoute(APIRoute):
    """A route whose every answer is a page: whoever comes here is a person."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except NotFound:
                return refused(request, 404)
            except StoreUnavailable:
                return refused(request, 503)
            except RequestValidationError:
                return refused(request, 404)
            except HTTPException as error:
                return refused(request, error.status_code, error.detail)

        return handled


def refused(request: Request, status: int, detail: str = "") -> Response:
    """A page that says why there is none; `detail` is what a program would be told."""
    who = reader(request, context(request))
    title, advice = _said(who.words, status)
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
