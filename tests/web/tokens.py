"""Tokens for tests: made as `plantao tokens create` makes them."""

from __future__ import annotations

from datetime import datetime

from app.core.rights import Right
from app.core.tokens import digest, written
from app.store import tokens
from tests.house import House

Headers = dict[str, str]


async def new_token(
    house: House, right: Right, *, name: str = "Ana", expires_at: datetime | None = None
) -> str:
    """A token that opens this house; the number of each is its place among all."""
    known = await house.context.db.read(tokens.every)
    secret = written(len(known).to_bytes(32))
    now = house.context.clock.now()
    await house.context.db.write(
        tokens.add, name, right, digest(secret), expires_at=expires_at, now=now
    )
    return secret


async def bearer(house: House, right: Right, *, name: str = "Ana") -> Headers:
    """The header of a new token."""
    return bearing(await new_token(house, right, name=name))


def bearing(token: str) -> Headers:
    return {"authorization": f"Bearer {token}"}
