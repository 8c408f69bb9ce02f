"""When the disk does not take it: 503, and what was taken is not lost, then it goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from app.errors import StoreUnavailable
from app.store.database import Transaction
from tests.house import WEBHOOK, House, alert, incompressible, notification, serving
from tests.waiting import applied, tell
from tests.web.problems import assert_problem


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


async def pragma(house: House, text: str) -> None:
    """Set something on the one connection that writes."""

    def work(tx: Transaction) -> None:
        tx.execute(sa.text(f"PRAGMA {text}"))

    await house.context.db.write(work)


async def send(house: House, name: str, padding: int = 0) -> httpx.Response:
    body = notification(alert(name, annotations={"summary": incompressible(padding)}))
    return await house.http.post(WEBHOOK, json=body)


def assert_try_again(answer: httpx.Response) -> None:
    assert_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_locked_database(tmp_path: Path, house: House) -> None:
    await tell(house, notification(alert("Before")))
    other = sqlite3.connect(tmp_path / "plantao.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert_try_again(await send(house, "Meanwhile"))
    assert len(await house.incidents()) == 1  # what is there can still be read
    assert_problem(await house.http.post("/incidents/1/acknowledge", json={"by": "ana"}), 503)
    other.execute("ROLLBACK")
    other.close()
    await tell(house, notification(alert("After")))
    assert [i["labels"]["alertname"] for i in await house.incidents()] == ["After", "Before"]


async def test_a_locked_database_keeps_nobody_who_waits_behind_others(
    tmp_path: Path, house: House
) -> None:
    """Each would wait for the lock as long again: a crowd would be answered after minutes."""
    other = sqlite3.connect(tmp_path / "plantao.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    crowd = [asyncio.create_task(send(house, f"N{number}")) for number in range(100)]
    await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    other.execute("ROLLBACK")
    other.close()
    for answer in await asyncio.gather(*crowd):
        assert_try_again(answer)
    await tell(house, notification(alert("After")))
    assert len(await house.incidents()) == 1


async def test_a_full_disk(house: House) -> None:
    await tell(house, notification(alert("Before")))
    await pragma(house, "max_page_count = 1")  # no more than there are
    full = await send(house, "Meanwhile", padding=1_000_000)
    assert_try_again(full)
    assert "full" in full.json()["detail"]
    await pragma(house, "max_page_count = 1000000")
    await tell(house, notification(alert("After")))
    receipts = (await house.http.get("/receipts")).json()["items"]
    assert [each["state"] for each in receipts] == ["applied", "applied"]


async def test_only_what_does_not_fit_is_refused(house: House) -> None:
    """Bodies that form one commit fail one by one."""
    await tell(house, notification(alert("Before")))
    await pragma(house, "max_page_count = 200")
    answers = await asyncio.gather(
        *(send(house, f"N{n}", padding=3_000_000 * (n == 5)) for n in range(10))
    )
    assert answers[5].status_code == 503
    await pragma(house, "max_page_count = 1000000")
    taken = [each.json()["receipt"] for each in answers if each.status_code == 202]
    for number in taken:
        await applied(house, number)
    assert len(await house.incidents()) == 1 + len(taken)


async def test_not_ready_while_the_database_is_read_only(house: House) -> None:
    with suppress(StoreUnavailable):  # of a write of the service's own in the same commit
        await pragma(house, "query_only = ON")
    answer = await house.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert "readonly" in answer.json()["database"]
    assert_try_again(await send(house, "Meanwhile"))
    assert (await house.http.get("/healthz")).status_code == 200
    assert (await house.http.get("/metrics")).status_code == 200
