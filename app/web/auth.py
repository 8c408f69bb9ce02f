"""Who calls, and what they may: for every endpoint of the API, and every page of the console.

    from app.web.auth import Admin, ConsoleReader, ConsoleResponder, Reader, Responder

    @router.get("/incidents")                      # API: 401, 403, 429 as problem documents
    async def listed(viewer: Reader, …): …

    router = APIRouter(dependencies=[Depends(require(Right.READ))])     # for a whole router

    @router.get("/console/…")                      # console: a redirect to the sign-in page
    async def shown(viewer: ConsoleReader, …):     # instead of a 401, a page instead of a 403
        page(render(csrf=viewer.csrf, may_act=viewer.may(Right.RESPOND)))

    @router.post("/console/…")                     # the form's field `csrf` (or the header
    async def act(viewer: ConsoleResponder, request: Request, …):     # X-CSRF-Token) was checked
        form = await read_form(request)

A caller is known by, in this order: a bearer token, the console's session, the user whom a
trusted proxy names; and where no token is needed at all, everybody may do everything.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import Annotated

import structlog
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from app.core.person import Person
from app.core.rights import Right
from app.engine.guard import Holder
from app.web import csrf, sessions
from app.web.context import Context, Service
from app.web.forms import read_form
from app.web.headers import as_sent
from app.web.proxies import proxy_user, source

log = structlog.get_logger()

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="plantao"'}
_WANTED = (
    "Send one of the API's tokens: `Authorization: Bearer …` (PLANTAO_API_TOKENS, or one made by "
    "`plantao tokens create`)."
)

#: For OpenAPI: how a token is sent. It decides nothing.
_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of PLANTAO_API_TOKENS, or one made by `plantao tokens create`.",
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who calls. `person` is None where nobody said who it is; `csrf` is for the hidden field
    `csrf` of forms, and for the header X-CSRF-Token; `signed_in` says whether there is a session
    that can be signed out of."""

    right: Right
    person: Person | None = None
    csrf: str = field(default="", repr=False)
    signed_in: bool = False

    def may(self, right: Right) -> bool:
        """Whether to offer what needs this right."""
        return self.right.covers(right)

    def acting(self, by: str | None) -> Person:
        """Who acts: whoever the call says, else who calls. Raises 422 where nobody says it."""
        if by is not None:
            return Person.parse(by)
        if self.person is None:
            raise HTTPException(422, "Say who acts: `by`, your name. Nothing else here says it.")
        return self.person


class SignInNeeded(Exception):
    """A page of the console was asked for by nobody we know: to the sign-in page."""


@cache
def require(right: Right) -> Callable[..., Awaitable[Viewer]]:
    """A dependency for the API: whoever calls, with this right at least.

    Raises 401 without a token that opens anything, 403 with one that does not open this, 429
    after many wrong ones; with a browser's session also 403 unless our own page asks.
    """

    async def required(
        request: Request, service: Service, _scheme: Annotated[object, Depends(_scheme)]
    ) -> Viewer:
        found = await _viewer(request, service)
        if found is None:
            raise HTTPException(401, _WANTED, headers=_CHALLENGE)
        return _allowed(found, right)

    return required


async def may_read(request: Request, service: Context) -> bool:
    """Whether the caller may still read, for answers that last: tokens are revoked meanwhile."""
    try:
        found = await _viewer(request, service)
    except HTTPException:
        return False
    return found is not None and found.may(Right.READ)


@cache
def require_page(right: Right) -> Callable[..., Awaitable[Viewer]]:
    """The same for the console: raises SignInNeeded in place of the 401. A form must hold the
    viewer's `csrf`, or the request its header."""

    async def required(request: Request, service: Service) -> Viewer:
        found = await _viewer(request, service, form=True)
        if found is None:
            raise SignInNeeded
        return _allowed(found, right)

    return required


Reader = Annotated[Viewer, Depends(require(Right.READ))]
Responder = Annotated[Viewer, Depends(require(Right.RESPOND))]
Admin = Annotated[Viewer, Depends(require(Right.ADMIN))]
ConsoleReader = Annotated[Viewer, Depends(require_page(Right.READ))]
ConsoleResponder = Annotated[Viewer, Depends(require_page(Right.RESPOND))]
ConsoleAdmin = Annotated[Viewer, Depends(require_page(Right.ADMIN))]


def _allowed(viewer: Viewer, right: Right) -> Viewer:
    if not viewer.may(right):
        raise Forbidden(right, viewer.right)
    return viewer


class Forbidden(HTTPException):
    """They are known, and have not the right; `missing` is the one that it takes."""

    def __init__(self, missing: Right, has: Right) -> None:
        super().__init__(
            403,
            f"This takes the right `{missing}`, and you have `{has}`: ask an administrator for a "
            f"token with it (`plantao tokens create --right {missing}`).",
        )
        self.missing = missing


# Who calls


async def _viewer(request: Request, service: Context, *, form: bool = False) -> Viewer | None:
    """Whoever calls; with `form`, the CSRF token may be in the form that is sent."""
    holder = await _bearer(request, service)
    if holder is not None:
        return Viewer(holder.right, _person(holder.name))
    known = await _signed_in(request, service) or _named_by_proxy(request, service)
    found = known or await _anybody(service)
    if found is None or request.method in csrf.SAFE:
        return found
    if not csrf.comes_from_us(request, service.settings.public_url):
        raise HTTPException(403, "Another site's page asks for this: do it on Plantão's own page.")
    # Where everybody may do everything, the API is also called from shells, which hold no forms.
    if known is not None or form:
        await _check_csrf(request, found, form=form)
    return found


async def _bearer(request: Request, service: Context) -> Holder | None:
    """The holder of the bearer token; None if none was sent, or none is needed."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or await service.guard.is_open():
        return None
    holder = await checked(request, service, as_sent(given.strip()))
    if holder is None:
        raise HTTPException(401, _WANTED, headers=_CHALLENGE)
    return holder


async def checked(request: Request, service: Context, token: str) -> Holder | None:
    """Whose token this is; None for a wrong one, which is counted. Raises TooMany.

    A token made by `plantao tokens` cannot be guessed, so it opens even from an address that is
    slowed down: nobody is locked out by a neighbour's mistakes.
    """
    guard, now = service.guard, service.clock.now()
    address = source(request, service.settings)
    wait = guard.slowdown.wait(address, now)
    holder = await guard.holder(token, guessable=not wait)
    if holder is None and wait:
        raise TooMany(wait)
    if holder is None:
        guard.slowdown.failed(address, now)
        log.warning("a wrong token was sent", address=address)
    return holder


class TooMany(HTTPException):
    """After many wrong tokens from one address, the next must wait."""

    def __init__(self, wait: float) -> None:
        seconds = ceil(wait)
        self.wait = wait
        super().__init__(
            429,
            f"Too many wrong tokens came from your address: wait {seconds} s, then send a right "
            "one.",
            headers={"Retry-After": str(seconds)},
        )


async def _signed_in(request: Request, service: Context) -> Viewer | None:
    guard = service.guard
    session = sessions.read(request, guard.key, now=service.clock.now())
    holder = await guard.still(session.holder) if session else None
    if session is None or holder is None:
        return None
    person = _person(session.name or holder.name)
    return Viewer(holder.right, person, csrf.token(session.secret, guard.key), signed_in=True)


def _named_by_proxy(request: Request, service: Context) -> Viewer | None:
    user = proxy_user(request, service.settings)
    if user is None:
        return None
    tie = csrf.token(f"proxy {user}", service.guard.key)
    return Viewer(service.settings.proxy_user_right, _proxied(user), tie)


async def _anybody(service: Context) -> Viewer | None:
    if not await service.guard.is_open():
        return None
    return Viewer(Right.ADMIN, None, csrf.token("open", service.guard.key))


async def _check_csrf(request: Request, viewer: Viewer, *, form: bool) -> None:
    given = request.headers.get(csrf.HEADER)
    if given is None and form:
        given = (await read_form(request)).get(csrf.FIELD)
    if not csrf.fits(given or "", viewer.csrf):
        raise HTTPException(
            403, f"This form is too old, or not ours: reload the page, then again ({csrf.HEADER})."
        )


def _person(name: str) -> Person | None:
    return Person.parse(name) if name else None


def _proxied(user: str) -> Person:
    """Many proxies name users by their address."""
    return Person(user, f"email:{user.lower()}") if "@" in user else Person(user)


# The webhook's token


def may_notify(authorization: str | None, token: str | None) -> bool:
    """Whether a webhook's `Authorization` carries the token: as bearer token, as the password
    of any basic user, or under any scheme of the sender's own. Without a token, all may."""
    if token is None:
        return True
    scheme, _, credentials = (authorization or "").partition(" ")
    given = as_sent(credentials.strip())
    if scheme.lower() == "basic":
        given = _password(given)
    return hmac.compare_digest(given.encode(), token.encode())


def _password(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]
