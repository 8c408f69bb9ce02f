from __future__ import annotations

import asyncio

from app.engine.loops import Loops


class Late:
    """A loop whose cancellation comes at the moment at which what it waits for is there: up to
    Python 3.11, `asyncio.wait_for` keeps it to itself then, and the loop goes on."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        await asyncio.wait_for(self.answer, 60)
        await asyncio.Event().wait()


async def test_a_loop_that_missed_its_end_ends_all_the_same() -> None:
    late = Late()
    loops = Loops({"late": late})
    loops.start()
    await asyncio.sleep(0)
    late.answer.set_result(None)
    async with asyncio.timeout(60):
        await loops.stop()
    assert loops.stopped() == ["late"]
