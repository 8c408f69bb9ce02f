"""`/incidents`: the log searched page by page, and what people do to it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.web.listing import EXPORTED
from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.waiting import soon, tell
from tests.web.problems import assert_problem

CONFIG = """
receivers: {oncall: {console: true}, storage: {console: true}}
routes:
  receiver: oncall
  routes:
    - {matchers: ['component="delta"'], receiver: storage}
"""
# name, severity, component; a minute apart, in this order
STORY = [
    ("KafkaLag", "critical", "kafka"),
    ("SmallFiles", "warning", "delta"),
    ("ModelDrift", "warning", "model"),
    ("TableStale", "critical", "delta"),
    ("Odd100%", "info", "kafka"),
]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "plantao.yml").write_text(CONFIG)
    async with serving(tmp_path, config=tmp_path / "plantao.yml", clock=FakeClock()) as house:
        yield house


@pytest.fixture
async def log(house: House) -> House:
    """The story, the third acknowledged and the fourth resolved."""
    clock = house.context.clock
    assert isinstance(clock, FakeClock)
    for number, (name, severity, component) in enumerate(STORY, start=1):
        await tell(house, notification(alert(name, severity=severity, component=component)))
        await known(house, number)
        await clock.advance(minutes=1, settle=0.01)
    await act(house, 3, "acknowledge")
    over = alert("TableStale", severity="critical", component="delta", status="resolved")
    await tell(house, notification(over))
    return house


async def known(house: House, number: int) -> None:
    """Wait for an incident's context, which would touch it at any moment."""

    async def look() -> bool:
        context = (await house.http.get(f"/incidents/{number}")).json()["context"]
        return {"changes", "history"} <= set(context["opening"])

    await soon(look, what=f"the context of {number}")


async def act(house: House, number: int, action: str, **body: Any) -> httpx.Response:
    headers = {"If-Match": body.pop("if_match")} if "if_match" in body else {}
    given = {"by": "ana"} | body
    return await house.http.post(f"/incidents/{number}/{action}", json=given, headers=headers)


async def ids(house: House, **params: Any) -> list[int]:
    answer = await house.http.get("/incidents", params=params)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"sort": "opened_at"}, [1, 2, 3, 4, 5]),
        ({"sort": "-updated_at", "limit": 2}, [4, 3]),
        ({"sort": "updated_at", "limit": 1}, [1]),
        ({"status": "triggered"}, [5, 2, 1]),
        ({"status": ["acknowledged", "resolved"]}, [4, 3]),
        ({"severity": "critical"}, [4, 1]),
        ({"severity": "CRITICAL", "status": "triggered"}, [1]),
        ({"receiver": "storage"}, [4, 2]),
        ({"receiver": "stor"}, []),
        ({"alertname": ["KafkaLag", "SmallFiles"]}, [2, 1]),
        ({"component": "delta", "severity": "warning"}, [2]),
        ({"q": "kafkalag"}, [1]),
        ({"q": "100%"}, [5]),
        ({"q": "%"}, [5]),
        ({"q": "_"}, []),
        ({"q": "LAG"}, [1]),
        ({"q": "is happ"}, [5, 4, 3, 2, 1]),
        ({"q": '"happening is"'}, []),
        ({"q": 'kafkalag OR "'}, []),
        ({"q": "aux delta stale"}, []),
        ({"q": "delta stale"}, [4]),
        ({"sort": "severity"}, [4, 1, 3, 2, 5]),
        ({"sort": "-severity"}, [5, 2, 3, 1, 4]),
        ({"sort": "severity", "status": "triggered", "limit": 2}, [1, 2]),
        ({"matcher": 'component="delta"'}, [4, 2]),
        ({"matcher": ['component="delta"', 'severity!="critical"']}, [2]),
        ({"matcher": 'component=~"d.*|model"'}, [4, 3, 2]),
        ({"matcher": '{component!~"d.*", severity="critical"}'}, [1]),
        ({"matcher": 'pod=""'}, [5, 4, 3, 2, 1]),
        ({"matcher": 'pod=~".+"'}, []),
        ({"matcher": '"alertname"="Odd100%"', "status": "triggered"}, [5]),
        ({"matcher": 'alertname="KafkaLag"', "component": "delta"}, []),
        ({"opened_after": "2026-11-23T06:03:00Z"}, [5, 4]),
        ({"opened_before": "2026-11-23T03:03:00-03:00"}, [3, 2, 1]),
        ({"opened_before": "2026-11-23T06:03:00"}, [3, 2, 1]),
        ({"opened_before": "2026-11-23T06:03Z"}, [3, 2, 1]),
        ({"opened_after": "2026-11-23t06:03:00z"}, [5, 4]),
        ({"opened_after": "2026-11-23 03:03:00.000-03:00"}, [5, 4]),
        ({"opened_after": "2026-11-23"}, [5, 4, 3, 2, 1]),
        ({"opened_after": "150s"}, [5, 4]),
        ({"opened_before": "2m", "opened_after": "4m"}, [3, 2]),
    ],
)
async def test_filters(log: House, params: dict[str, Any], found: list[int]) -> None:
    assert await ids(log, **params) == found


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"status": "open"}, 422),
        ({"sort": "title"}, 422),
        ({"limit": 0}, 422),
        ({"limit": 501}, 422),
        ({"limit": "x"}, 422),
        ({"unheard_of": "1"}, 422),
        ({"matcher": "component"}, 400),
        ({"matcher": 'a=~"("'}, 400),
        ({"fields": "id,colour"}, 400),
        ({"cursor": "x"}, 400),
        ({"cursor": "W10"}, 400),
        ({"cursor": "WyIyMDI2IiwgbnVsbF0"}, 400),
        ({"cursor": "é"}, 400),
        ({"opened_after": "yesterday"}, 400),
        ({"opened_after": "2026-W48-1"}, 400),
        ({"opened_after": "20261123T060000Z"}, 400),
        ({"opened_after": "2026-11-23x06:03:00Z"}, 400),
        ({"opened_after": "2026-11-23T06:03:00+0000"}, 400),
        ({"opened_after": "2026-11-23T06:03:60Z"}, 400),
        ({"opened_after": "2026-11-31T06:03:00Z"}, 400),
        ({"opened_after": "٢٠٢٦-11-23T06:03:00Z"}, 400),
        ({"opened_before": "99999999999999999999d"}, 400),
        ({"opened_before": "0001-01-01T00:00:00+14:00"}, 400),
    ],
)
async def test_a_search_that_makes_no_sense(
    house: House, params: dict[str, Any], status: int
) -> None:
    answer = await house.http.get("/incidents", params=params)
    assert_problem(answer, status, next(iter(params)))


async def pages(house: House, **params: Any) -> AsyncIterator[list[int]]:
    cursor = None
    while True:
        given = params | ({"cursor": cursor} if cursor else {})
        page = (await house.http.get("/incidents", params=given)).json()
        yield [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return


@pytest.mark.parametrize("sort", ["-opened_at", "updated_at", "severity", "-severity"])
async def test_pages_hold_everything_once(log: House, sort: str) -> None:
    found = [number async for page in pages(log, sort=sort, limit=2) for number in page]
    assert found == await ids(log, sort=sort)


async def test_a_cursor_is_for_the_order_it_was_made_in(log: House) -> None:
    page = (await log.http.get("/incidents", params={"limit": 1})).json()
    params = {"cursor": page["next"], "sort": "severity"}
    assert_problem(await log.http.get("/incidents", params=params), 400, "cursor")


async def test_notes_are_found_as_long_as_they_are_there(house: House) -> None:
    await tell(house, notification(alert()))
    await act(house, 1, "notes", text="It was the Bäckerei's disk")
    assert await ids(house, q="backerei") == [1]
    await house.http.delete("/incidents/1/notes/1", params={"by": "ana"})
    assert await ids(house, q="backerei") == []


async def test_only_the_fields_asked_for(log: House) -> None:
    answer = await log.http.get("/incidents", params={"fields": ["id,title", "status"], "limit": 1})
    (item,) = answer.json()["items"]
    assert list(item) == ["id", "title", "status"]


async def test_a_table_and_lines(log: House) -> None:
    await tell(log, notification(alert("=1+1", annotations={"summary": "@a"})))
    params: dict[str, str | int] = {"fields": "id,title,labels", "limit": 2}
    answer = await log.http.get("/incidents", params=params, headers={"accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [row["id"] for row in rows] == ["6", "5"]
    assert rows[0]["title"] == "'=1+1: @a"  # text to a spreadsheet, no formula
    following = re.match('<(.+)>; rel="next"', answer.headers["link"])
    assert following
    lines = await log.http.get(following[1], headers={"accept": "application/x-ndjson"})
    assert [json.loads(line)["id"] for line in lines.text.splitlines()] == [4, 3]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv;q=0", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("application/json;q=0.1, Text/CSV;charset=utf-8; Q=0.2", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("application/json, text/csv", "application/json"),
        ("*/*, text/csv", "text/csv"),
        ("text/*;q=0.5, application/json;q=0.4", "text/csv"),
        ("application/json;q=0, application/x-ndjson;q=0.001, */*;q=0", "application/x-ndjson"),
        ("text/csv;q=0, text/*", "application/json"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "application/json"),
        ("text/csv;q=high", "text/csv"),
        ("application/json;q=0, text/csv;q=0", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_form_that_is_wanted_most(house: House, accept: str, form: str) -> None:
    answer = await house.http.get("/incidents", headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == form


async def test_an_export_has_everything(house: House) -> None:
    """More than a page holds, each once, under one header."""
    numbers = range(1, EXPORTED + 2)
    for number in numbers[:-1]:
        await house.post(notification(alert(f"A{number}")))
    await tell(house, notification(alert("Last")))
    params = {"fields": "id", "sort": "opened_at"}
    table = await house.http.get("/incidents", params=params, headers={"accept": "text/csv"})
    assert table.text.split() == ["id", *map(str, numbers)]
    accept = {"accept": "application/x-ndjson"}
    lines = await house.http.get("/incidents", params=params, headers=accept)
    assert [json.loads(line)["id"] for line in lines.text.splitlines()] == list(numbers)
    page = await house.http.get("/incidents", params={**params, "limit": 2}, headers=accept)
    assert len(page.text.splitlines()) == 2


async def test_what_is_known_already_is_not_sent_again(log: House) -> None:
    had: dict[str, str] = {}

    async def unchanged() -> bool:  # once the messages about them are out, too
        answer = await log.http.get("/incidents", headers=had)
        if answer.status_code == 200:
            had["if-none-match"] = f'"other", W/{answer.headers["etag"]}'
            return False
        assert (answer.status_code, answer.content) == (304, b"")
        return True

    await soon(unchanged, what="nothing new")
    await act(log, 1, "acknowledge")
    assert (await log.http.get("/incidents", headers=had)).status_code == 200


async def test_pages_hold_still_while_incidents_open(log: House) -> None:
    found: list[int] = []
    async for page in pages(log, limit=1):
        found += page
        await tell(log, notification(alert(f"New{len(found)}")))
    assert found == [5, 4, 3, 2, 1]


async def test_incidents_of_one_moment_are_told_apart_by_number(house: House) -> None:
    for name in "abcde":
        await tell(house, notification(alert(name)))
    found = [number async for page in pages(house, limit=2) for number in page]
    assert found == [5, 4, 3, 2, 1]


async def test_an_incident_has_all_its_fields(log: House) -> None:
    answer = await log.http.get("/incidents/1")
    assert answer.headers["etag"] == '"1"'
    incident = answer.json()
    wanted = (
        "id title status severity receiver opened_at acknowledged_at acknowledged_by resolved_at "
        "updated_at revision labels annotations alerts alert_counts runbook_url context changes "
        "model occurrences reopened truncated unconfirmed postings"
    )
    assert set(wanted.split()) <= set(incident)
    fields = "fingerprint status labels annotations starts_at ends_at value generator_url"
    assert set(fields.split()) <= set(incident["alerts"][0])
    shown = "destination state reference shown_revision attempts last_error"
    assert set(shown.split()) <= set(incident["postings"][0])
    assert incident["opened_at"] == "2026-11-23T06:00:00Z"
    assert incident["alert_counts"] == {"firing": 1, "resolved": 0}


async def test_every_alert_is_shown_of_one_and_a_hundred_of_each_in_the_list(house: House) -> None:
    await tell(house, notification(*(alert("A", pod=str(n)) for n in range(150))))
    assert len((await house.incident(1))["alerts"]) == 150
    assert len((await house.incidents())[0]["alerts"]) == 100


async def test_one_after_another_people_act(house: House) -> None:
    await tell(house, notification(alert()))
    taken = (await act(house, 1, "acknowledge")).json()
    assert (taken["status"], taken["acknowledged_by"]) == ("acknowledged", "ana")
    assert (await act(house, 1, "acknowledge")).status_code == 200  # twice is no error
    assert_problem(await act(house, 1, "acknowledge", by="bia"), 409, "by ana")
    back = (await act(house, 1, "unacknowledge", by="bia")).json()
    assert (back["status"], back["acknowledged_by"]) == ("triggered", None)
    assert (await act(house, 1, "notes", text="it was the disk")).status_code == 200
    assert_problem(await act(house, 1, "resolve"), 409, "still has 1 firing", '"force": true')
    over = (await act(house, 1, "resolve", force=True)).json()
    assert (over["status"], over["resolved_by"]) == ("resolved", "ana")
    assert over["alerts"][0]["resolution"] == "resolved by a person"
    for action in ("acknowledge", "unacknowledge"):
        assert_problem(await act(house, 1, action), 409, "already resolved")
    assert_problem(await act(house, 1, "resolve", by="bia"), 409, "by ana")
    kinds = ["opened", "acknowledged", "unacknowledged", "note", "resolved"]
    assert await house.timeline(1) == kinds


async def test_who_decided_on_an_older_revision_is_told(house: House) -> None:
    await tell(house, notification(alert()))
    assert_problem(await act(house, 1, "acknowledge", revision=7), 409, "revision 1, not 7")
    assert_problem(await act(house, 1, "acknowledge", if_match='"7"'), 409, "revision 1, not 7")
    assert (await act(house, 1, "acknowledge", if_match='"1"')).headers["etag"] == '"2"'
    assert_problem(await act(house, 1, "notes", text="late", if_match='W/"1"'), 409)
    for value in ("2", "*", 'W/"4"'):
        assert (await act(house, 1, "notes", text="x", if_match=value)).status_code == 200, value
    assert_problem(await act(house, 1, "notes", text="x", if_match='"new"'), 400, "If-Match")


async def test_two_revisions_must_be_the_same(house: House) -> None:
    await tell(house, notification(alert()))
    await act(house, 1, "notes", text="a")
    for action, more in (("notes", {"text": "b"}), ("silence", {"duration": "1h"})):
        for if_match, revision in (('"2"', 1), ('"1"', 2)):
            answer = await act(house, 1, action, if_match=if_match, revision=revision, **more)
            assert_problem(answer, 409, "If-Match", "1", "2")
            assert answer.json()["obstacle"] == "changed_meanwhile"
    assert (await house.incident(1))["revision"] == 2
    assert (await act(house, 1, "notes", text="b", if_match='"2"', revision=2)).status_code == 200
    assert_problem(await act(house, 1, "notes", text="c", if_match="*", revision=2), 409)


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("acknowledge", {"by": ""}),
        ("acknowledge", {"by": "x" * 201}),
        ("acknowledge", {"revision": "two"}),
        ("notes", {}),
        ("notes", {"text": ""}),
        ("notes", {"text": "x" * 20_001}),
        ("resolve", {"force": "perhaps"}),
    ],
)
async def test_an_action_that_makes_no_sense(
    house: House, action: str, body: dict[str, Any]
) -> None:
    await tell(house, notification(alert()))
    assert_problem(await act(house, 1, action, **body), 422, "body.")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000])
async def test_an_action_that_cannot_be_read(house: House, content: bytes) -> None:
    await tell(house, notification(alert()))
    json = {"content-type": "application/json"}
    answer = await house.http.post("/incidents/1/acknowledge", content=content, headers=json)
    assert answer.status_code in {400, 422}
    assert_problem(answer, answer.status_code)


async def test_what_is_not_there(house: House) -> None:
    assert_problem(await house.http.get("/incidents/1"), 404, "no incident 1")
    assert_problem(await house.http.get("/incidents/1/timeline"), 404, "no incident 1")
    for action in ("acknowledge", "unacknowledge", "resolve"):
        assert_problem(await act(house, 1, action), 404, "no incident 1")
    assert_problem(await act(house, 1, "notes", text="x"), 404, "no incident 1")
    for path in ("/incidents/0", "/incidents/x", f"/incidents/{2**63}"):
        assert_problem(await house.http.get(path), 422)
    assert_problem(await house.http.get("/incidents/1/nonsense"), 404)
    assert_problem(await house.http.get("/incidents/1/acknowledge"), 405)


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", "Basic b25l", "one"])
async def test_without_a_token_nothing_is_shown_or_done(tmp_path: Path, given: str | None) -> None:
    headers = {"authorization": given} if given else {}
    async with serving(tmp_path, api_tokens="one,two") as house:
        await house.post(notification(alert()))
        for path in ("/incidents", "/incidents/1", "/incidents/1/timeline", "/incidents/99"):
            answer = await house.http.get(path, headers=headers)
            assert_problem(answer, 401, "PLANTAO_API_TOKENS")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for action in ("acknowledge", "resolve", "notes", "postings/1/stop"):
            path = f"/incidents/1/{action}"
            assert_problem(await house.http.post(path, json={}, headers=headers), 401)
        token = {"authorization": "Bearer two"}
        assert (await house.http.get("/incidents", headers=token)).status_code == 200


async def test_an_incident_links_to_its_board_unless_it_names_one(tmp_path: Path) -> None:
    async with serving(tmp_path, grafana_url="https://grafana.example/") as house:
        await tell(house, notification(alert("KafkaLag", component="kafka")))
        named = alert("SlowScoring", component="serving")
        named["annotations"]["dashboard_url"] = "https://boards.example/mine"
        await tell(house, notification(named))
        ours = (await house.incident(1))["links"]["dashboard"]
        assert ours.startswith("https://grafana.example/d/pix-fraud-ingestion?from=")
        assert (await house.incident(2))["links"]["dashboard"] == "https://boards.example/mine"
