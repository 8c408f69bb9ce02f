"""Tokens of the API: made once, shown once, and kept as their hash."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from app.core.rights import Right

#: What every token begins with, so that people and scanners of leaked secrets know it as ours.
PREFIX = "plantao_"
#: Random bytes in a token.
RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. `used_at` is right to the hour."""

    id: int
    name: str
    right: Right
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.state(now) == "active"

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"


def written(random: bytes) -> str:
    """The token that is made of these random bytes."""
    return PREFIX + base64.urlsafe_b64encode(random).decode().rstrip("=")


def digest(token: str) -> str:
    """What is kept in a token's place.

    A plain SHA-256 is enough, and right: a slow hash protects what people choose, because it can
    be guessed. 256 random bits cannot, however fast each guess is; and this is computed for
    every request.
    """
    return sha256(token.encode()).hexdigest()
