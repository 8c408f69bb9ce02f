"""Stories about context: what changed, what happened before, what lies up and down the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.clock import START, FakeClock
from tests.house import House, alert, notification, serving
from tests.web.problems import assert_problem

CONFIG = """
receivers: {fraud-oncall: {console: true}}
topology: [kafka -> spark, spark -> serving]
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    config = tmp_path / "plantao.yml"
    config.write_text(CONFIG)
    async with serving(tmp_path, clock=clock, config=config) as service:
        yield service


async def settled(house: House, number: int, source: str) -> dict[str, Any]:
    """The incident once that source has spoken of its opening."""
    for _ in range(200):
        for incident in await house.incidents():
            if incident["id"] == number and source in incident["context"]["opening"]:
                return incident
        await asyncio.sleep(0.02)
    raise AssertionError(f"{source} never spoke of incident {number}")


async def tell(house: House, title: str, *, at: str | None = None, **labels: str) -> dict[str, Any]:
    body = {"source": "ci", "kind": "deploy", "title": title, "at": at, "labels": labels}
    answer = await house.http.post("/changes", json=body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def fire(house: House, name: str, number: int, *, component: str) -> dict[str, Any]:
    await house.post(notification(alert(name, component=component)))
    return await settled(house, number, "history")


async def test_what_changed_before_is_listed_the_most_telling_first(
    house: House, clock: FakeClock
) -> None:
    await tell(house, "kafka 4.0", component="kafka")
    await clock.advance(minutes=10, settle=0.005)
    await tell(house, "scoring 4.2", component="serving")
    await clock.advance(minutes=5, settle=0.005)
    incident = await fire(house, "ScoringSlow", 1, component="serving")
    assert [change["title"] for change in incident["changes"]] == ["scoring 4.2", "kafka 4.0"]


async def test_what_changed_long_before_or_after_is_no_cause(
    house: House, clock: FakeClock
) -> None:
    await tell(house, "long ago", component="serving")
    await clock.advance(hours=3, settle=0.001)
    incident = await fire(house, "ScoringSlow", 1, component="serving")
    assert incident["changes"] == []
    assert incident["context"]["opening"]["changes"]["changes"] == []


async def test_a_change_during_an_incident_near_it_stands_in_its_timeline(
    house: House, clock: FakeClock
) -> None:
    await fire(house, "ScoringSlow", 1, component="serving")
    await clock.advance(minutes=1)
    await tell(house, "spark restarted", component="spark")
    await tell(house, "billing deployed", component="billing")
    assert (await house.timeline(1)).count("change") == 1


async def test_what_may_have_been_anywhere_stands_in_every_open_incident_s_timeline(
    house: House, clock: FakeClock
) -> None:
    await fire(house, "ScoringSlow", 1, component="serving")
    await clock.advance(minutes=1)
    await tell(house, "network changed")
    assert (await house.timeline(1)).count("change") == 1


@pytest.mark.parametrize("labels", [{"component": "serving"}, {"component": "billing"}, {}])
async def test_what_changed_before_and_is_told_late_joins_what_is_known(
    house: House, clock: FakeClock, labels: dict[str, str]
) -> None:
    await clock.advance(minutes=30, settle=0.005)
    await tell(house, "scoring 4.1", component="serving")
    await clock.advance(minutes=10, settle=0.005)
    await fire(house, "ScoringSlow", 1, component="serving")
    known = (await house.incident(1))["revision"]
    at = clock.now() - timedelta(minutes=2)
    await tell(house, "scoring 4.2", at=at.isoformat(), **labels)
    await tell(house, "long ago", at=(at - timedelta(hours=2)).isoformat(), **labels)
    incident = await house.incident(1)
    assert {change["title"] for change in incident["changes"]} == {"scoring 4.2", "scoring 4.1"}
    assert incident["revision"] == known
    assert "change" not in await house.timeline(1)


async def test_what_was_over_is_left_as_it_is(house: House, clock: FakeClock) -> None:
    await fire(house, "ScoringSlow", 1, component="serving")
    await house.http.post("/incidents/1/resolve", json={"by": "ana", "force": True})
    await tell(house, "told late", at=(clock.now() - timedelta(minutes=2)).isoformat())
    assert (await house.incident(1))["changes"] == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": None}, "title"),
        ({"source": ""}, "source"),
        ({"kind": 7}, "kind"),
        ({"at": "yesterday"}, "at"),
        ({"labels": {"component": ["a"]}}, "labels"),
        ({"labels": "serving"}, "labels"),
        ({"link": "ftp://ci.example.com"}, "link"),
        ({"link": "https://a b"}, "link"),
        ({"delivery": "x" * 201}, "delivery"),
    ],
)
async def test_a_change_that_cannot_be_used_is_refused_by_name(
    house: House, wrong: dict[str, Any], says: str
) -> None:
    body = {"source": "ci", "kind": "deploy", "title": "scoring 4.2"} | wrong
    answer = await house.http.post("/changes", json=body)
    assert_problem(answer, 422, f"body.{says}")
    assert (await house.http.get("/changes")).json()["items"] == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 50_000])
async def test_a_change_that_cannot_be_read_is_refused(house: House, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await house.http.post("/changes", content=content, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        ("2026-11-23T05:59:00Z", "2026-11-23T05:59:00Z"),
        ("2026-11-23T02:59:00-03:00", "2026-11-23T05:59:00Z"),
        ("2026-11-23T05:59:00", "2026-11-23T05:59:00Z"),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("2026-11-24T06:00:00Z", None),
    ],
)
async def test_a_change_s_time_is_kept_in_utc(house: House, at: str, kept: str | None) -> None:
    body = {"source": "ci", "kind": "deploy", "title": "a\0b", "at": at}
    answer = await house.http.post("/changes", json=body)
    if kept is None:
        assert_problem(answer, 422, "at")
    else:
        assert answer.json()["at"] == kept


async def test_a_delivery_told_twice_is_kept_once(house: House) -> None:
    body = {"source": "ci", "kind": "deploy", "title": "scoring 4.2", "delivery": "run-17"}
    answers = [await house.http.post("/changes", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert len((await house.http.get("/changes")).json()["items"]) == 1


async def test_a_change_with_an_unsafe_link_is_refused_with_a_reason(house: House) -> None:
    body = {"source": "ci", "kind": "x", "title": "x", "link": "javascript:alert(1)"}
    answer = await house.http.post("/changes", json=body)
    assert answer.status_code == 422
    assert "http:// or https://" in answer.json()["detail"]


async def test_the_second_time_remembers_the_first(house: House, clock: FakeClock) -> None:
    await fire(house, "ScoringSlow", 1, component="serving")
    note = {"by": "ana", "text": "restarted the scorer"}
    await house.http.post("/incidents/1/notes", json=note)
    ended = alert("ScoringSlow", status="resolved", component="serving")
    await clock.advance(minutes=12, settle=0.005)
    await house.post(notification(ended))
    await clock.advance(hours=2, settle=0.001)
    again = alert("ScoringSlow", starts="2026-11-23T08:12:00Z", component="serving")
    await house.post(notification(again))
    incident = await settled(house, 2, "history")
    history = incident["context"]["opening"]["history"]
    assert (history["count"], history["last_incident"], history["by_itself"]) == (1, 1, 1)
    assert (history["last_note"], history["last_note_by"]) == ("restarted the scorer", "ana")
    assert history["lasted"] == pytest.approx(12 * 60, abs=5)


@pytest.mark.parametrize(("days", "count"), [(89, 1), (91, 0)])
async def test_ninety_days_are_remembered(tmp_path: Path, days: int, count: int) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text("retention: {incidents: 365d, receipts: 365d}\n")
    async with serving(tmp_path, clock=FakeClock(), config=config) as house:
        await fire(house, "ScoringSlow", 1, component="serving")
        await house.http.post("/incidents/1/resolve", json={"by": "ana", "force": True})
    clock = FakeClock(START + timedelta(days=days))
    starts = clock.now().isoformat()
    async with serving(tmp_path, clock=clock, config=config) as house:
        await house.post(notification(alert("ScoringSlow", starts=starts, component="serving")))
        history = (await settled(house, 2, "history"))["context"]["opening"]["history"]
        assert (history["count"], history["days"], history["by_itself"]) == (count, 90, 0)


async def test_the_same_correlation_key_counts_whatever_the_alert(
    tmp_path: Path, clock: FakeClock
) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(
        "receivers: {o: {console: true}}\nroutes: {receiver: o, group_by: [component]}\n"
    )
    async with serving(tmp_path, clock=clock, config=config) as house:
        await fire(house, "ScoringSlow", 1, component="serving")
        await clock.advance(minutes=4)
        await house.http.post("/incidents/1/acknowledge", json={"by": "ana"})
        await house.http.post("/incidents/1/resolve", json={"by": "ana", "force": True})
        await clock.advance(hours=1, settle=0.001)
        await fire(house, "ScoringFails", 2, component="serving")
        history = (await settled(house, 2, "history"))["context"]["opening"]["history"]
        assert (history["count"], history["last_incident"]) == (1, 1)
        assert history["acknowledged_after"] == pytest.approx(240, abs=5)


async def test_incidents_up_and_down_the_pipeline_name_each_other(house: House) -> None:
    await fire(house, "KafkaLag", 1, component="kafka")
    downstream = await fire(house, "ScoringSlow", 2, component="serving")
    assert [each["incident"] for each in downstream["context"]["upstream"]] == [1]
    upstream = await house.incident(1)
    assert [each["incident"] for each in upstream["context"]["downstream"]] == [2]
    await house.post(notification(alert("KafkaLag", status="resolved", component="kafka")))
    for _ in range(100):
        if (await house.incident(1))["status"] == "resolved":
            break
        await asyncio.sleep(0.02)
    assert (await house.incident(2))["context"]["upstream"] == []
