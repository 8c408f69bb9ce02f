"""`/incidents/stream`: what a follower hears, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.rights import Right
from app.engine import feed
from app.store import tokens
from tests.house import House, alert, listening, notification, serving
from tests.service import Service
from tests.waiting import soon, tell
from tests.web.problems import assert_problem
from tests.web.tokens import bearing, new_token

STREAM = "/incidents/stream"


@dataclass(frozen=True, slots=True)
class Heard:
    name: str
    id: str
    data: dict[str, Any]


class Ear:
    """A follower, an event at a time."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def block(self) -> dict[str, str]:
        found: dict[str, str] = {}
        async with asyncio.timeout(30):
            async for line in self._lines:
                if not line:
                    return found
                name, _, value = line.partition(":")
                found[name] = value.strip()
        raise EOFError

    async def event(self) -> Heard:
        while True:
            found = await self.block()
            if "data" in found:
                return Heard(found["event"], found["id"], json.loads(found["data"]))

    async def about(self, number: int, what: str) -> Heard:
        while True:
            heard = await self.event()
            if heard.data["id"] == number and what in heard.data["happened"]:
                return heard


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


@pytest.fixture
async def url(house: House) -> AsyncIterator[str]:
    async with listening(house.app) as url:
        yield url


@asynccontextmanager
async def following(
    url: str, last: str | None = None, *, token: str = "", **params: Any
) -> AsyncIterator[Ear]:
    headers = {"Last-Event-ID": last} if last else {}
    headers |= bearing(token) if token else {}
    async with (
        httpx.AsyncClient(base_url=url, timeout=30) as http,
        http.stream("GET", STREAM, params=params, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield Ear(answer)


async def test_a_follower_hears_of_every_change(house: House, url: str) -> None:
    async with following(url) as ear:
        assert ear.answer.headers["content-type"].startswith("text/event-stream")
        assert (await ear.block()).keys() == {"retry", "id"}
        await tell(house, notification(alert("KafkaLag", severity="critical")))
        heard = await ear.about(1, "opened")
        assert (heard.name, heard.data["status"]) == ("incident", "triggered")
        await house.http.post("/incidents/1/acknowledge", json={"by": "Ana"})
        heard = await ear.about(1, "acknowledged")
        assert (heard.data["acknowledged_by"], heard.data["revision"]) == ("Ana", 2)


async def test_a_token_that_is_revoked_ends_its_stream(house: House, url: str) -> None:
    token = await new_token(house, Right.READ)
    async with following(url, token=token) as ear:
        await ear.block()
        await house.post(notification(alert("A")))
        assert (await ear.event()).data["id"] == 1
        await house.context.db.write(tokens.revoke, 1, now=house.context.clock.now())
        await house.post(notification(alert("B")))
        with pytest.raises(EOFError):
            await ear.about(2, "opened")


async def test_whoever_comes_back_hears_what_was_missed_once(house: House, url: str) -> None:
    async with following(url) as ear:
        await ear.block()
        await tell(house, notification(alert("A")))
        last = (await ear.about(1, "opened")).id
    await tell(house, notification(alert("B")))
    for text in ("one", "two"):
        await house.http.post("/incidents/1/notes", json={"by": "Ana", "text": text})
    async with following(url, last) as ear:
        heard = [await ear.event(), await ear.event()]
        assert {each.data["id"] for each in heard} == {1, 2}
        assert next(h for h in heard if h.data["id"] == 1).data["happened"] == ["note"]
    async with following(url, last_event_id="0", fields="id,labels") as ear:
        heard = [await ear.event(), await ear.event()]
        assert {each.data["id"] for each in heard} == {1, 2}
        assert heard[0].data.keys() == {"id", "labels", "happened"}


async def test_what_no_longer_fits_the_filters_is_told_too(house: House, url: str) -> None:
    async with following(url, status="triggered", q="kafka") as ear:
        await ear.block()
        await tell(house, notification(alert("KafkaLag")))
        assert (await ear.about(1, "opened")).name == "incident"
        await house.http.post("/incidents/1/acknowledge", json={"by": "Ana"})
        heard = await ear.about(1, "acknowledged")
        assert (heard.name, heard.data) == ("unmatched", {"id": 1, "happened": ["acknowledged"]})


async def test_there_is_room_for_so_many(house: House, url: str) -> None:
    async with following(url) as ear:
        await ear.block()
        held = [house.context.feed.following() for _ in range(feed.MOST - 1)]
        for each in held:
            each.__enter__()
        assert_problem(await house.http.get(STREAM), 503, "follow the log already")
        for each in held:
            each.__exit__(None, None, None)


async def test_the_end_of_the_service_is_the_end_of_the_stream(house: House, url: str) -> None:
    async with following(url) as ear:
        await ear.block()
        house.context.feed.close()
        with pytest.raises(EOFError):
            await ear.event()

    async def nobody() -> bool:
        return not house.context.feed.followed

    await soon(nobody, what="nobody follows")


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("last_event_id", "x", "Last-Event-ID"),
        ("fields", "nothing", "fields"),
        ("matcher", "pod", "matcher"),
        ("opened_after", "soon", "opened_after"),
    ],
)
async def test_a_stream_that_makes_no_sense(
    house: House, name: str, value: str, named: str
) -> None:
    assert_problem(await house.http.get(STREAM, params={name: value}), 400, named)


def test_an_open_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """It is let go when the process is told to end, and goes on with the next one."""
    service = Service(tmp_path)
    service.start()
    service.post(notification(alert("A")))
    service.process.wait_until(lambda: len(service.incidents()) == 1)
    with (
        closing(httpx.Client(timeout=60)) as http,
        http.stream("GET", f"{service.url}{STREAM}?last_event_id=0") as answer,
    ):
        lines = answer.iter_lines()
        last = next(line for line in lines if line.startswith("id: ") and line != "id: 0-0")
        service.process.stop()
        assert list(lines) is not None  # it ended, and not by a broken connection
    service.start()
    try:
        service.post(notification(alert("B")))
        given = {"Last-Event-ID": last.removeprefix("id: ")}
        with (
            closing(httpx.Client(timeout=60)) as http,
            http.stream("GET", f"{service.url}{STREAM}", headers=given) as answer,
        ):
            data = next(line for line in answer.iter_lines() if '"title":"B' in line)
            assert json.loads(data.removeprefix("data: "))["id"] == 2
    finally:
        service.process.stop()


async def test_a_place_past_the_end_is_the_end(house: House) -> None:
    """As after the database was put back from a copy."""
    await tell(house, notification(alert()))
    async with listening(house.app) as url, following(url, last="999-999") as ear:
        await tell(house, notification(alert("KafkaConsumerLag")))
        await ear.about(2, "opened")
