"""`Idempotency-Key`: who heard no answer asks again, and it is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.waiting import tell
from tests.web.problems import assert_problem


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Two incidents, which fire."""
    async with serving(tmp_path, clock=FakeClock(), database_url=database_url) as house:
        for name in ("One", "Two"):
            await tell(house, notification(alert(name)))
        yield house


async def act(
    house: House, action: str, key: str, *, if_match: str = "", number: int = 1, **body: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": key} | ({"If-Match": if_match} if if_match else {})
    given = {"by": "ana"} | body
    return await house.http.post(f"/incidents/{number}/{action}", json=given, headers=headers)


async def test_a_repeat_has_the_same_answer_and_no_second_effect(house: House) -> None:
    first = await act(house, "notes", "k1", text="the disk?")
    await act(house, "acknowledge", "k2", by="bia")
    again = await act(house, "notes", "k1", text="the disk?")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["etag"] == first.headers["etag"] == '"2"'
    assert await house.timeline(1) == ["opened", "note", "acknowledged"]


async def test_of_many_at_once_one_is_done(house: House) -> None:
    answers = await asyncio.gather(*(act(house, "notes", "k", text="x") for _ in range(20)))
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, answers[0].content)
    }
    assert await house.timeline(1) == ["opened", "note"]


@pytest.mark.parametrize(
    "other",
    [
        {"text": "another"},
        {"by": "bia"},
        {"number": 2},
        {"action": "mute"},
        {"if_match": '"1"'},
    ],
)
async def test_a_key_is_for_one_request(house: House, other: dict[str, Any]) -> None:
    request: dict[str, Any] = {"action": "notes", "text": "x"}
    await act(house, key="k", **request)
    await act(house, "notes", "another key", text="x")
    assert_problem(await act(house, key="k", **(request | other)), 422, "'k'", "new key")
    assert await house.timeline(1) == ["opened", "note", "note"]
    assert await house.timeline(2) == ["opened"]


async def test_what_was_refused_can_be_tried_again(house: House) -> None:
    assert_problem(await act(house, "resolve", "k"), 409, "still has 1 firing")
    await tell(house, notification(alert("One", status="resolved"), alert("One", pod="b")))
    await tell(house, notification(alert("One", pod="b", status="resolved")))
    assert_problem(await act(house, "resolve", "k"), 409, "already resolved")
    assert_problem(await act(house, "notes", "k", number=3, text="x"), 404)
    assert (await act(house, "notes", "k", text="x")).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_makes_no_sense(house: House, key: str) -> None:
    assert_problem(await act(house, "mute", key), 422, "Idempotency-Key")


async def test_every_action_takes_one(house: House) -> None:
    (posting,) = (await house.incident(1))["postings"]
    actions: list[tuple[str, dict[str, Any]]] = [
        (f"postings/{posting['id']}/stop", {}),
        (f"postings/{posting['id']}/retry", {}),
        ("acknowledge", {}),
        ("assign", {"to": "bia"}),
        ("unacknowledge", {}),
        ("notes", {"text": "x"}),
        ("mute", {}),
        ("unmute", {}),
        ("resolve", {"force": True}),
    ]
    for action, body in actions:
        first, again = [await act(house, action, action, **body) for _ in range(2)]
        assert (again.status_code, again.content) == (200, first.content), action
