"""Who may call: the webhook's token, and the API's."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from app.web.context import Service

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="plantao"'}


def may_notify(authorization: str | None, token: str | None) -> bool:
    """Whether a webhook's `Authorization` carries the token: as bearer token, as the password
    of any basic user, or under any scheme of the sender's own. Without a token, all may."""
    if token is None:
        return True
    scheme, _, credentials = (authorization or "").partition(" ")
    given = _as_sent(credentials.strip())
    if scheme.lower() == "basic":
        given = _password(given)
    return _same(given, token)


def _password(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def _as_sent(header: str) -> str:
    """HTTP reads headers as Latin-1; who sends a token with other letters writes UTF-8."""
    return header.encode("latin-1", "replace").decode("utf-8", "replace")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def require_api_token(request: Request, service: Service) -> None:
    """Raise 401 unless the request carries one of the API's tokens; open where there are none."""
    tokens = service.settings.api_tokens
    if not tokens:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = [_same(_as_sent(given.strip()), token.get_secret_value()) for token in tokens]
    if scheme.lower() != "bearer" or not any(known):
        raise HTTPException(
            401,
            "Send one of the API's tokens: `Authorization: Bearer …` (PLANTAO_API_TOKENS).",
            headers=_CHALLENGE,
        )


ApiToken = Annotated[None, Depends(require_api_token)]
