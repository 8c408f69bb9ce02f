"""What people do, over HTTP: whose an incident is, what they note, what the late are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.store import incidents, queries
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
        ("assigned", "Ana", {"to": "Bia", "mention": "U2"}),
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


@pytest.mark.parametrize("body", [{}, {"to": ""}, {"to": "  "}, {"to": "x" * 201}, {"to": ["ana"]}])
async def test_an_assignment_that_makes_no_sense(house: House, body: dict[str, Any]) -> None:
    assert_problem(await act(house, "assign", **body), 422, "body.to")


@pytest.mark.parametrize("blank", ["   ", " \n\t", "\u3000", "\x1f"])
async def test_what_is_blank_says_nothing(house: House, blank: str) -> None:
    await act(house, "notes", text="the disk?")
    assert_problem(await act(house, "acknowledge", by=blank), 422, "body.by", "only blanks")
    assert_problem(await act(house, "assign", to=blank), 422, "body.to", "only blanks")
    assert_problem(await act(house, "notes", text=blank), 422, "body.text", "only blanks")
    assert_problem(await change(house, 1, text=blank), 422, "body.text", "only blanks")
    assert_problem(await remove(house, 1, by=blank), 422, "query.by", "only blanks")
    for field in ("source", "kind", "title"):
        told = {"source": "ci", "kind": "deploy", "title": "scoring 4.2"} | {field: blank}
        answer = await house.http.post("/changes", json=told)
        assert_problem(answer, 422, f"body.{field}", "only blanks")
    assert await house.timeline(1) == ["opened", "note"]


async def test_the_document_says_that_blanks_are_no_name(house: House) -> None:
    schemas = (await house.http.get("/openapi.json")).json()["components"]["schemas"]
    (name,) = [each for each in schemas["Act"]["properties"]["by"]["anyOf"] if "pattern" in each]
    assert (name["pattern"], name["minLength"], name["maxLength"]) == (r"\S", 1, 200)
    assert schemas["Told"]["properties"]["title"]["pattern"] == r"\S"


async def notes(house: House) -> list[tuple[int, str, str, bool]]:
    found = (await house.incident(1))["notes"]
    return [(each["id"], each["by"], each["text"], bool(each["edited_at"])) for each in found]


async def change(house: House, note: int, **body: Any) -> httpx.Response:
    return await house.http.patch(f"/incidents/1/notes/{note}", json={"by": "Bia"} | body)


async def remove(house: House, note: int, **query: Any) -> httpx.Response:
    return await house.http.delete(f"/incidents/1/notes/{note}", params={"by": "Bia"} | query)


async def test_a_note_is_written_edited_and_removed(house: House) -> None:
    written = (await act(house, "notes", text="the disk?")).json()
    assert (written["id"], written["revision"], written["note"]["id"]) == (1, 2, 1)
    assert (await act(house, "notes", text="no, the broker")).json()["note"]["id"] == 2
    assert (await change(house, 1, text="the disk!")).json()["note"]["edited_at"] == NOW
    assert await notes(house) == [
        (1, "Ana", "the disk!", True),
        (2, "Ana", "no, the broker", False),
    ]
    gone = (await remove(house, 2)).json()["note"]
    assert (gone["text"], gone["removed_by"]) == (None, "Bia")
    assert await notes(house) == [(1, "Ana", "the disk!", True)]
    assert (await remove(house, 2)).status_code == 200  # twice is no error
    assert_problem(await change(house, 2, text="x"), 409, "Note 2 was removed by Bia")
    for answer in (await change(house, 3, text="x"), await remove(house, 3)):
        assert_problem(answer, 404, "Incident 1 has no note 3")


async def test_the_timeline_shows_what_is_so_and_on_demand_what_was(house: House) -> None:
    await act(house, "notes", text="a")
    await change(house, 1, text="b")
    await act(house, "notes", text="secret")
    await remove(house, 2)

    async def told(**query: Any) -> list[tuple[str, str | None]]:
        answer = await house.http.get("/incidents/1/timeline", params=query)
        return [(each["kind"], each["data"].get("text")) for each in answer.json()["items"][1:]]

    assert await told() == [("note", "b"), ("note_removed", None)]
    assert await told(edits=True) == [
        ("note", "a"),
        ("note_edited", "b"),
        ("note", "secret"),
        ("note_removed", None),
    ]


async def test_notes_too_are_decided_on_a_revision(house: House) -> None:
    await act(house, "notes", text="a", revision=1)
    assert_problem(await change(house, 1, text="b", revision=1), 409, "revision 2, not 1")
    assert_problem(await remove(house, 1, revision=1), 409, "revision 2, not 1")
    assert (await remove(house, 1, revision=2)).status_code == 200


@pytest.mark.parametrize("query", [{"by": ""}, {"by": "x" * 201}, {"revision": "two"}])
async def test_a_removal_that_makes_no_sense(house: House, query: dict[str, Any]) -> None:
    await act(house, "notes", text="a")
    assert_problem(await remove(house, 1, **query), 422, "query.")


async def test_replies_are_muted_and_turned_on_again(house: House) -> None:
    muted = (await act(house, "mute")).json()
    assert (muted["replies_muted_by"], muted["replies_muted_at"]) == ("Ana", NOW)
    assert (await act(house, "mute", by="Bia")).json()["revision"] == muted["revision"]
    heard = (await act(house, "unmute", by="Bia")).json()
    assert (heard["replies_muted_by"], heard["replies_muted_at"]) == (None, None)
    assert await house.timeline(1) == ["opened", "replies_muted", "replies_unmuted"]


async def test_an_earlier_incident_is_remembered_by_its_last_note_that_stands(house: House) -> None:
    for text in ("a", "b", "c"):
        await act(house, "notes", text=text)
    await remove(house, 3)
    await change(house, 2, text="it was the broker")
    incident = await house.context.db.read(incidents.get, 1)
    later = replace(incident, id=2)
    (past,) = await house.context.db.read(queries.past, later, [], since=incident.opened_at)
    assert (past.note, past.note_by) == ("it was the broker", "Ana")
