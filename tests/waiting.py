"""Waiting, in tests that share their event loop with the service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.house import House

Found = TypeVar("Found")
_POLL_SECONDS = 0.01


async def soon(
    look: Callable[[], Awaitable[Found | None]],
    *,
    within: float = 20.0,
    what: str = "the condition",
) -> Found:
    """Call `look` until it answers something true, and return that; AssertionError if late."""
    deadline = time.monotonic() + within
    while not (found := await look()):
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s, last {found!r}"
        await asyncio.sleep(_POLL_SECONDS)
    return found


async def applied(house: House, receipt: int, *, state: str = "applied") -> dict[str, Any]:
    """Wait until a receipt is part of its incidents (or in quarantine); the receipt."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = (await house.http.get(f"/receipts/{receipt}")).json()
        return found if found["state"] == state else None

    return await soon(look, what=f"receipt {receipt} {state}")


async def tell(house: House, body: bytes | dict[str, Any]) -> dict[str, Any]:
    """Post a webhook body and wait until what it says is part of the incidents."""
    answer = await house.post(body)
    return await applied(house, answer["receipt"], state=_END[answer["state"]])


_END = {"accepted": "applied", "quarantined": "quarantined"}
