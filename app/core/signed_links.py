"""Signed, expiring links: whoever holds one may act on one incident, as one recipient of a mail.

A token is its claims, sealed (`signing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core.signing import KEY_LENGTH, NotOurs, seal, unseal
from app.errors import LinkExpired, LinkRefused

__all__ = ["KEY_LENGTH", "LIFE", "Right", "sign", "verify"]

#: How long a link in a mail works.
LIFE = timedelta(days=7)

_PURPOSE = "act"
_LONGEST = 1024  # characters; an address has 254 at most


@dataclass(frozen=True, slots=True)
class Right:
    """What a link grants: to act on this incident as this recipient, until then (UTC)."""

    incident: int
    recipient: str
    until: datetime


def sign(right: Right, key: bytes) -> str:
    """The token that stands for this right; it has only letters, digits, `-`, `_` and a dot."""
    return seal([_PURPOSE, right.incident, right.recipient, int(right.until.timestamp())], key)


def verify(token: str, key: bytes, *, now: datetime) -> Right:
    """The right behind a token. Raises LinkRefused for one we did not sign, LinkExpired for one
    that is over."""
    try:
        purpose, *claims = unseal(token[: _LONGEST + 1], key)
    except NotOurs:
        raise LinkRefused("This link is not one of ours, or it was changed on its way.") from None
    if purpose != _PURPOSE:
        raise LinkRefused("This link is for something else.")
    incident, recipient, until = claims
    right = Right(incident, recipient, datetime.fromtimestamp(until, UTC))
    if now >= right.until:
        raise LinkExpired("This link is too old to act with.")
    return right
