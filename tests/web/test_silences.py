"""The addresses of silences, as far as no Alertmanager is needed to answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house import House, alert, notification, serving
from tests.waiting import tell
from tests.web.problems import assert_problem

WISH = {"by": "Ana", "duration": "2h"}


@pytest.fixture
async def house(tmp_path: Path) -> Any:
    async with serving(tmp_path) as house:
        yield house


async def test_without_a_token_nothing_is_silenced(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one") as house:
        await house.post(notification(alert()))
        assert_problem(await house.http.get("/incidents/1/silence"), 401)
        for path in ("silence", "silences/1/end"):
            assert_problem(await house.http.post(f"/incidents/1/{path}", json=WISH), 401)


async def test_what_is_not_there(house: House) -> None:
    assert_problem(await house.http.get("/incidents/1/silence"), 404, "no incident 1")
    answer = await house.http.post("/incidents/1/silence", json=WISH)
    assert_problem(answer, 404, "no incident 1")
    end = await house.http.post("/incidents/1/silences/1/end", json={"by": "Ana"})
    assert_problem(end, 404, "no silence 1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"by": ""},
        {"by": "  "},
        {"duration": None},
        {"until": "2026-11-23T12:00:00Z"},
        {"until": "soon", "duration": None},
        {"until": "9999-12-31T23:59:59-14:00", "duration": None},
        {"until": "0001-01-01T00:00:00+14:00", "duration": None},
        {"comment": "x" * 2001},
        {"matchers": "a=b"},
        {"matchers": ['a="b"'] * 101},
        {"matchers": ['a=~"("']},
        {"matchers": ["{}"]},
        {"matchers": ["", "{}"]},
        {"alerts": [1]},
        {"duration": "9999999y"},
        {"duration": "-1h"},
        {"revision": "two"},
        {"by": "\ud800"},
    ],
)
async def test_a_wish_that_makes_no_sense(house: House, body: dict[str, Any]) -> None:
    await tell(house, notification(alert()))
    given = WISH | body if body else {}
    content = {"content-type": "application/json"}
    text = json.dumps(given)
    answer = await house.http.post("/incidents/1/silence", content=text, headers=content)
    assert answer.status_code in {400, 422}
    assert_problem(answer, answer.status_code)


async def test_if_match_decides(house: House) -> None:
    await tell(house, notification(alert()))
    headers = {"If-Match": '"7"'}
    answer = await house.http.post("/incidents/1/silence", json=WISH, headers=headers)
    assert_problem(answer, 409, "revision 1, not 7")
    known = {name: answer.json()[name] for name in ("obstacle", "at")}
    updated = (await house.incident(1))["updated_at"]
    assert known == {"obstacle": "changed_meanwhile", "at": updated}


async def test_matchers_that_match_anything_are_not_previewed(house: House) -> None:
    await tell(house, notification(alert()))
    answer = await house.http.get("/incidents/1/silence", params={"matcher": "{}"})
    assert_problem(answer, 422, "expected a matcher")
