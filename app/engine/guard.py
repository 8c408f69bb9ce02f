"""Who holds a token, and whether one is needed at all."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core.rights import Right
from app.core.signing import mac
from app.core.tokens import PREFIX, Token, digest
from app.engine.clock import Clock
from app.engine.slowdown import Slowdown
from app.errors import NotFound, StoreUnavailable
from app.store import tokens
from app.store.database import Database


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is. `reference` names the token without being one; the `name` of a token
    from the settings is empty."""

    reference: str
    name: str
    right: Right


#: The reference of a holder where no token is needed.
NOBODY = "nobody:"


class Guard:
    """`key` is secret and lasting; `settings_tokens` are those of PLANTAO_API_TOKENS, which open
    everything. With `strict`, there is no access without a token even if none was ever made."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        key: bytes,
        settings_tokens: Sequence[str],
        strict: bool,
    ) -> None:
        self.key = key
        self.slowdown = Slowdown()
        self._db = db
        self._clock = clock
        self._settings_tokens = settings_tokens
        self._closed = strict or bool(settings_tokens)

    async def is_open(self) -> bool:
        """Whether everybody may do everything: until the first token is made, on loopback.

        Tokens that are revoked or over count: no token's end may open the door.
        """
        if not self._closed:
            self._closed = await self._db.read(tokens.exist)
        return not self._closed

    async def holder(self, token: str, *, guessable: bool = True) -> Holder | None:
        """Whose token this is; None if it opens nothing. Without `guessable`, those of the
        settings are not looked at, which people may have chosen."""
        known = self._of_settings(token) if guessable else None
        if known is not None or not token.startswith(PREFIX):
            return known
        return await self._live(await self._db.read(tokens.of_digest, digest(token)))

    async def still(self, reference: str) -> Holder | None:
        """The holder of the token of that reference, if it still opens something."""
        if reference == NOBODY:
            return _everything(reference) if await self.is_open() else None
        kind, _, number = reference.partition(":")
        if kind != "token":
            references = map(self._reference, self._settings_tokens)
            return _everything(reference) if reference in references else None
        with suppress(NotFound):
            return await self._live(await self._db.read(tokens.get, int(number)))
        return None

    def _of_settings(self, given: str) -> Holder | None:
        """Compared with each, so that the time it takes says nothing."""
        same = [
            hmac.compare_digest(given.encode(), each.encode()) for each in self._settings_tokens
        ]
        return _everything(self._reference(given)) if any(same) else None

    def _reference(self, token: str) -> str:
        # A cookie carries it, and tokens that people choose could be found from a plain hash.
        return f"setting:{mac(f'token {token}', self.key).hex()[:32]}"

    async def _live(self, token: Token | None) -> Holder | None:
        now = self._clock.now()
        if token is None or not token.live(now):
            return None
        if token.used_at is None or now - token.used_at >= tokens.USED_WITHIN:
            with suppress(StoreUnavailable):  # who may only read can do so on a full disk
                await self._db.write_first(tokens.used, token.id, now=now)
        return Holder(f"token:{token.id}", token.name, token.right)


def _everything(reference: str) -> Holder:
    return Holder(reference, "", Right.ADMIN)
