"""Signed, expiring links: whoever holds one may act on one incident, as one recipient of a mail.

A token is its claims and their HMAC-SHA256, both in URL-safe Base64. The claims are readable by
whoever has the link, and nobody without the key can make or change them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.errors import LinkExpired, LinkRefused

#: How long a link in a mail works.
LIFE = timedelta(days=7)
#: Bytes of a key.
KEY_LENGTH = 32

_PURPOSE = "act"  # a key that also signs something else signs it for something else
_LONGEST = 1024  # characters; an address has 254 at most


@dataclass(frozen=True, slots=True)
class Right:
    """What a link grants: to act on this incident as this recipient, until then (UTC)."""

    incident: int
    recipient: str
    until: datetime


def sign(right: Right, key: bytes) -> str:
    """The token that stands for this right; it has only letters, digits, `-`, `_` and a dot."""
    claims = [_PURPOSE, right.incident, right.recipient, int(right.until.timestamp())]
    body = _written(json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode())
    return f"{body}.{_written(_mac(body, key))}"


def verify(token: str, key: bytes, *, now: datetime) -> Right:
    """The right behind a token. Raises LinkRefused for one we did not sign, LinkExpired for one
    that is over; nothing of a token is read before its signature is known to be ours."""
    body, _, mac = token.partition(".")
    if len(token) > _LONGEST or not hmac.compare_digest(_read(mac), _mac(body, key)):
        raise LinkRefused("This link is not one of ours, or it was changed on its way.")
    purpose, incident, recipient, until = json.loads(_read(body))
    if purpose != _PURPOSE:
        raise LinkRefused("This link is for something else.")
    right = Right(incident, recipient, datetime.fromtimestamp(until, UTC))
    if now >= right.until:
        raise LinkExpired("This link is too old to act with.")
    return right


def _mac(body: str, key: bytes) -> bytes:
    return hmac.digest(key, body.encode("utf-8", "replace"), hashlib.sha256)


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
