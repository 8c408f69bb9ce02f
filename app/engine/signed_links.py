"""The links by which people act on an incident from a mail: made, read, and paced."""

from __future__ import annotations

from hashlib import sha256

from pydantic import SecretStr

from app.core.signed_links import KEY_LENGTH, LIFE, Right, sign, verify
from app.engine.clock import Clock
from app.engine.pace import Pace
from app.store import keys
from app.store.database import Database

_NAME = "signed links"
_INTERVAL, _BURST = 3.0, 20  # seconds between two actions by one link, and how many without it
_HOLDERS = 1000  # whose actions are counted


class SignedLinks:
    """`key` is KEY_LENGTH random bytes, `base_url` what the links begin with."""

    def __init__(self, key: bytes, base_url: str, clock: Clock) -> None:
        self._key = key
        self._base_url = base_url
        self._clock = clock
        self._paces: dict[tuple[int, str], Pace] = {}

    def address(self, incident: int, recipient: str) -> str:
        """The page where this recipient may act on this incident, for LIFE from now on."""
        right = Right(incident, recipient, self._clock.now() + LIFE)
        return f"{self._base_url}/act/{sign(right, self._key)}"

    def wait(self, right: Right) -> float:
        """Seconds until its holder may act again; 0 grants one action now, and counts it."""
        holder = (right.incident, right.recipient)
        pace = self._paces.pop(holder, None) or Pace(_INTERVAL, _BURST)
        self._paces[holder] = pace  # the latest come last
        while len(self._paces) > _HOLDERS:
            del self._paces[next(iter(self._paces))]
        wait = pace.wait(self._clock.now(), urgent=True)
        if not wait:
            pace.take()
        return wait

    def right(self, token: str) -> Right:
        """What a link's token grants; raises LinkRefused, or LinkExpired."""
        return verify(token, self._key, now=self._clock.now())


async def link_key(db: Database, secret: SecretStr | None, clock: Clock) -> bytes:
    """The key: made of the secret in the settings, else one that is kept in the database."""
    if secret is not None:
        return sha256(secret.get_secret_value().encode()).digest()
    return await db.write(keys.lasting, _NAME, length=KEY_LENGTH, now=clock.now())
