"""The links by which people act on an incident from a mail, and what such a link grants."""

from __future__ import annotations

from hashlib import sha256

from pydantic import SecretStr

from app.core.signed_links import KEY_LENGTH, LIFE, Right, sign, verify
from app.engine.clock import Clock
from app.store import keys
from app.store.database import Database

_NAME = "signed links"


class SignedLinks:
    """`key` is KEY_LENGTH random bytes, `base_url` what the links begin with."""

    def __init__(self, key: bytes, base_url: str, clock: Clock) -> None:
        self._key = key
        self._base_url = base_url
        self._clock = clock

    def address(self, incident: int, recipient: str) -> str:
        """The page where this recipient may act on this incident, for LIFE from now on."""
        right = Right(incident, recipient, self._clock.now() + LIFE)
        return f"{self._base_url}/act/{sign(right, self._key)}"

    def right(self, token: str) -> Right:
        """What a link's token grants; raises LinkRefused, or LinkExpired."""
        return verify(token, self._key, now=self._clock.now())


async def link_key(db: Database, secret: SecretStr | None, clock: Clock) -> bytes:
    """The key: made of the secret in the settings, else one that is kept in the database."""
    if secret is not None:
        return sha256(secret.get_secret_value().encode()).digest()
    return await db.write(keys.lasting, _NAME, length=KEY_LENGTH, now=clock.now())
