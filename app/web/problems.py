"""Errors as RFC 9457 problem documents, each with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from app.errors import (
    ConfigError,
    InvalidSilence,
    KeyReused,
    NeighbourFailed,
    NeighbourRefused,
    NeighbourUnreachable,
    NotApplicable,
    NotFound,
    PlantaoError,
    RevisionConflict,
    StoreUnavailable,
    TooManyFollow,
)
from app.web.auth import Forbidden
from app.web.views import rfc3339

log = structlog.get_logger()

_STATUS: dict[type[PlantaoError], int] = {
    NotFound: 404,
    NotApplicable: 409,
    RevisionConflict: 409,
    StoreUnavailable: 503,
    TooManyFollow: 503,
    ConfigError: 422,
    InvalidSilence: 422,
    NeighbourRefused: 422,
    NeighbourFailed: 502,
    NeighbourUnreachable: 503,
    KeyReused: 422,
}

_NOT_PARSED = "There was an error parsing the body"  # FastAPI's words

_ADVICE = {
    400: "The body cannot be read: send JSON in UTF-8.",
    404: "There is nothing at this address: see /docs for those there are.",
    405: "This address does not take that method: see /docs.",
}


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, **more: object
) -> Response:
    """A problem document; `detail` is a sentence for whoever reads it, `more` for programs."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return Response(to_json(body), status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Let every error of the application leave as a problem document."""
    app.add_exception_handler(PlantaoError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _ours)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        error.headers = {**(error.headers or {}), "Allow": _allowed(request)}
    return answer(error)


def _allowed(request: Request) -> str:
    """All methods of the address (RFC 9110, section 10.2.1): Starlette names its first route's."""
    methods = {
        method
        for route in _leaves(request.app.routes)
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def answer(error: Exception) -> Response:
    """What an error raised on purpose, or an HTTPException, is answered with."""
    if isinstance(error, HTTPException):
        return _told(error)
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem(status, str(error), headers=headers, **_facts(error))


def _facts(error: Exception) -> dict[str, object]:
    """What a program may want to know of why an action does not fit."""
    if not isinstance(error, NotApplicable):
        return {}
    known = {"obstacle": error.obstacle, "by": error.by, "at": rfc3339(error.at)}
    return {name: value for name, value in known.items() if value is not None}


def _leaves(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        if isinstance(route, Route):
            yield route
        elif router := getattr(route, "original_router", None):  # what FastAPI has included
            yield from _leaves(router.routes)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (registered for it only)
    told = "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()
    )
    return problem(422, f"The request cannot be used: {told}.")


def _told(error: HTTPException) -> Response:
    standard = error.detail in {HTTPStatus(error.status_code).phrase, _NOT_PARSED}
    detail = _ADVICE.get(error.status_code, error.detail) if standard else error.detail
    more = {"missing": str(error.missing)} if isinstance(error, Forbidden) else {}
    return problem(error.status_code, detail, headers=dict(error.headers or {}), **more)


async def _unexpected(request: Request, error: Exception) -> Response:
    return unexpected(request.url.path, error)


def unexpected(path: str, error: Exception) -> Response:
    """What an error that nobody foresaw is answered with; the log has the details."""
    log.error("a request failed unexpectedly", path=_loggable(path), exc_info=error)
    return problem(500, "Something is wrong inside Plantão: its log has the details.")


def _loggable(path: str) -> str:
    """Without the token of a signed link: who reads the log could act with it."""
    before, act, _ = path.partition("/act/")
    return f"{before}{act}…" if act else path
