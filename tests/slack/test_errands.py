"""Work that is done after the answer: beside one another, bounded, in order where it matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.slack.errands import Busy, Errands


def noting(told: list[str], name: str, gate: asyncio.Event | None = None) -> Work:
    async def work() -> None:
        if gate is not None:
            await gate.wait()
        told.append(name)

    return work


Work = Callable[[], Coroutine[Any, Any, None]]


async def test_one_that_hangs_holds_up_no_other() -> None:
    errands, gate, told = Errands(), asyncio.Event(), list[str]()
    errands.take(noting(told, "slow", gate))
    errands.take(noting(told, "quick"))
    await asyncio.sleep(0.01)
    assert told == ["quick"]
    gate.set()
    await errands.close()
    assert told == ["quick", "slow"]


async def test_what_has_the_same_key_is_done_in_order() -> None:
    errands, gate, told = Errands(), asyncio.Event(), list[str]()
    errands.take(noting(told, "first", gate), key="message")
    for name in ("second", "third"):
        errands.take(noting(told, name), key="message")
    errands.take(noting(told, "other"), key="another message")
    await asyncio.sleep(0.01)
    assert told == ["other"]
    gate.set()
    await errands.close()
    assert told == ["other", "first", "second", "third"]


async def test_a_failure_is_nobody_elses() -> None:
    errands, told = Errands(), list[str]()

    async def fails() -> None:
        raise RuntimeError("a bug")

    errands.take(fails, key="message")
    errands.take(noting(told, "next"), key="message")
    await errands.close()
    assert told == ["next"]


async def test_there_is_room_for_so_many_and_again_when_some_are_done() -> None:
    errands, gate, told = Errands(most=2), asyncio.Event(), list[str]()
    errands.take(noting(told, "one", gate))
    errands.take(noting(told, "two", gate))
    with pytest.raises(Busy):
        errands.take(noting(told, "three"))
    gate.set()
    await asyncio.sleep(0.01)
    errands.take(noting(told, "four"))
    await errands.close()
    assert told == ["one", "two", "four"]


async def test_what_takes_too_long_at_the_end_is_given_up() -> None:
    errands, told = Errands(), list[str]()
    errands.take(noting(told, "never", asyncio.Event()))
    await errands.close(within=0.01)
    assert told == []
