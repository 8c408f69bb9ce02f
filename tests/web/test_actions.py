"""What people do, over HTTP: whose an incident is, and what those who are late are told."""

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

NOW = "2026-11-23T06:00:00Z"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One incident, which fires."""
    async with serving(tmp_path, clock=FakeClock()) as house:
        await tell(house, notification(alert()))
        yield house


async def act(house: House, action: str, **body: Any) -> httpx.Response:
    given = {"by": "Ana <ana@example.com>"} | body
    return await house.http.post(f"/incidents/1/{action}", json=given)


async def test_an_incident_has_an_owner(house: House) -> None:
    assigned = (await act(house, "assign", to="Bia <slack:U2>")).json()
    assert (assigned["assigned_to"], assigned["assigned_at"]) == ("Bia", NOW)
    assert (assigned["status"], assigned["acknowledged_by"]) == ("triggered", None)
    taken = (await act(house, "acknowledge")).json()
    assert (taken["acknowledged_by"], taken["assigned_to"]) == ("Ana", "Bia")
    free = (await act(house, "assign", to=None)).json()
    assert (free["assigned_to"], free["assigned_at"]) == (None, None)
    timeline = (await house.http.get("/incidents/1/timeline")).json()["items"]
    told = [(entry["kind"], entry["actor"], entry["data"]) for entry in timeline[1:]]
    assert told == [
        ("assigned", "Ana", {"to": "Bia"}),
        ("acknowledged", "Ana", {}),
        ("assigned", "Ana", {"to": None}),
    ]


async def test_acknowledging_makes_it_one_s_own_and_handing_back_gives_it_up(house: House) -> None:
    assert (await act(house, "acknowledge")).json()["assigned_to"] == "Ana"
    assert (await act(house, "unacknowledge", by="Bia")).json()["assigned_to"] is None


async def test_the_same_person_by_another_name_is_not_late(house: House) -> None:
    await act(house, "acknowledge")
    again = await act(house, "acknowledge", by="Ana Souza <ANA@example.com>")
    assert (again.status_code, again.json()["acknowledged_by"]) == (200, "Ana")
    namesake = await act(house, "acknowledge", by="Ana <ana@elsewhere.example>")
    assert_problem(namesake, 409, "already acknowledged by Ana at 2026-11-23T06:00:00Z")


async def test_a_program_is_told_what_happened(house: House) -> None:
    refusal = (await act(house, "resolve")).json()
    assert refusal["obstacle"] == "still_firing"
    await act(house, "resolve", force=True)
    late = await act(house, "assign", by="Bia", to="Bia")
    assert_problem(late, 409, "already resolved by Ana at 2026-11-23T06:00:00Z")
    facts = {name: late.json()[name] for name in ("obstacle", "by", "at")}
    assert facts == {"obstacle": "already_resolved", "by": "Ana", "at": NOW}
    stale = await act(house, "notes", text="late", revision=1)
    assert_problem(stale, 409, "revision 2, not 1")
    assert stale.json()["obstacle"] == "changed_meanwhile"


async def test_of_two_in_the_same_instant_one_wins_and_the_other_is_told(house: House) -> None:
    names = [f"person {n}" for n in range(20)]
    answers = await asyncio.gather(*(act(house, "acknowledge", by=name) for name in names))
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    for late in (answer for answer in answers if answer.status_code != 200):
        assert_problem(late, 409, f"already acknowledged by {winner['acknowledged_by']} at {NOW}")
    assert await house.timeline(1) == ["opened", "acknowledged"]


@pytest.mark.parametrize("body", [{}, {"to": ""}, {"to": "x" * 201}, {"to": ["ana"]}])
async def test_an_assignment_that_makes_no_sense(house: House, body: dict[str, Any]) -> None:
    assert_problem(await act(house, "assign", **body), 422, "body.to")
