"""Who is signed in at the console: a signed cookie, which names a token and is none.

Nothing is stored for a session. Each request looks the token up again, so that a session ends
with it, at once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from app.core.signing import NotOurs, seal, unseal

#: How long a session lasts: nobody should look for a token at three in the morning.
LIFE = timedelta(days=7)

_PURPOSE = "session"
_LONGEST = 2048  # characters


@dataclass(frozen=True, slots=True)
class Session:
    """`holder` refers to the token (`Guard.still`), `name` is what its holder wants to be called
    ("": what the token is called), `secret` ties forms to this session."""

    holder: str
    name: str
    secret: str
    until: datetime


def begin(holder: str, name: str, *, now: datetime) -> Session:
    """A new session from now on."""
    return Session(holder, name, secrets.token_hex(16), now + LIFE)


def read(request: Request, key: bytes, *, now: datetime) -> Session | None:
    """The session that the request's cookie says, if we signed it and it is not over."""
    sealed = request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE) or ""
    try:
        purpose, *claims = unseal(sealed[:_LONGEST], key)
    except NotOurs:
        return None
    if purpose != _PURPOSE:
        return None
    holder, name, secret, until = claims
    session = Session(holder, name, secret, datetime.fromtimestamp(until, UTC))
    return session if now < session.until else None


COOKIE = "plantao_session"
#: Where we are reached by https: browsers take it from no other host and over nothing else.
SECURE_COOKIE = "__Host-plantao_session"


def keep(response: Response, session: Session, key: bytes, *, secure: bool) -> None:
    """Let the browser keep the session. `secure`: we are reached by https.

    Lax, not strict: a link from Slack or a mail must find its reader signed in.
    """
    until = int(session.until.timestamp())
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        seal([_PURPOSE, session.holder, session.name, session.secret, until], key),
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def forget(response: Response) -> None:
    """Let the browser forget any session."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    response.delete_cookie(SECURE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
