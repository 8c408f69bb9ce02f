"""What came in, listed and shown as it came, and applied again."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from app.engine.signals import LOOK_AGAIN
from app.store import receipts
from app.store.receipts import Arrival
from app.web.views import rfc3339
from tests.clock import FakeClock
from tests.house import WEBHOOK, House, alert, notification, serving
from tests.waiting import applied, soon, tell
from tests.web.problems import assert_problem


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


async def test_a_receipt_as_it_came(house: House) -> None:
    body = b'{"receiver": "plantao", "alerts": [], "extra": 1}\n'
    headers = {"user-agent": "Alertmanager/0.28.0", "content-type": "application/json"}
    await house.http.post(WEBHOOK, content=body, headers=headers | {"authorization": "Bearer x"})
    receipt = await applied(house, 1)
    assert (receipt["body"].encode(), receipt["size"]) == (body, len(body))
    assert receipt["headers"] == headers
    assert (receipt["receiver"], receipt["problem"]) == ("plantao", None)
    assert receipt["received_at"].endswith("Z")
    assert receipt["applied_at"] >= receipt["received_at"]


async def test_none_is_applied_before_it_came(tmp_path: Path) -> None:
    """However long ingest waited for the writer, who took it first."""
    clock, over = FakeClock(), Event()
    async with serving(tmp_path, clock=clock) as house:
        db = house.context.db
        long_work = asyncio.create_task(db.write(lambda _: over.wait(20)))
        await clock.advance(seconds=LOOK_AGAIN)  # ingest gets in line
        came, posted = clock.now(), asyncio.create_task(house.post(notification(alert())))
        await clock.advance(seconds=5)  # the webhook does, too
        over.set()
        await asyncio.gather(long_work, posted)
        receipt = await applied(house, 1)
        assert receipt["received_at"] == rfc3339(came)
        assert receipt["applied_at"] == rfc3339(clock.now())
        assert (await house.incident(1))["opened_at"] == rfc3339(came)


async def test_none_is_applied_before_it_came_by_another_clock(tmp_path: Path) -> None:
    """A replica's clock is ahead, or ours was set back."""
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as house:
        db, came = house.context.db, clock.now() + timedelta(seconds=3)
        body = json.dumps(notification(alert())).encode()
        await db.write(receipts.add, [Arrival(came, body, {})])
        await clock.advance(seconds=LOOK_AGAIN, settle=0.1)
        assert (await applied(house, 1))["applied_at"] == rfc3339(clock.now())
        late = clock.now() + timedelta(hours=1)
        await db.write(receipts.add, [Arrival(late, body, {})])
        await clock.advance(seconds=LOOK_AGAIN, settle=0.1)
        assert (await applied(house, 2))["applied_at"] == rfc3339(late)


async def test_bytes_that_are_no_text(house: House) -> None:
    await house.post(b"\xff\xfe\x00")
    receipt = (await house.http.get("/receipts/1")).json()
    assert base64.b64decode(receipt["body_base64"]) == b"\xff\xfe\x00"
    assert receipt["state"] == "quarantined"
    assert receipt["problem"]


async def test_the_list_goes_back_page_by_page(house: House) -> None:
    for _ in range(5):
        await tell(house, notification(alert()))
    await house.post(b"unreadable")
    page = (await house.http.get("/receipts", params={"limit": 4})).json()
    assert [each["receipt"] for each in page["items"]] == [6, 5, 4, 3]
    assert "body" not in page["items"][0]
    rest = (await house.http.get("/receipts", params={"limit": 4, "before": page["next"]})).json()
    assert [each["receipt"] for each in rest["items"]] == [2, 1]
    assert rest["next"] is None
    kept = (await house.http.get("/receipts", params={"state": "quarantined"})).json()
    assert [each["receipt"] for each in kept["items"]] == [6]


async def test_a_replay_changes_nothing_that_became_known_since(house: House) -> None:
    await tell(house, notification(alert()))
    await tell(house, notification(alert(status="resolved")))
    before = (await house.incident(1))["revision"]
    answer = await house.http.post("/receipts/1/replay")
    assert (answer.status_code, answer.json()) == (202, {"receipt": 1, "state": "accepted"})
    await applied(house, 1)
    after = await house.incident(1)
    assert (after["status"], after["revision"]) == ("resolved", before)


async def test_a_replay_of_what_cannot_be_read_sets_it_aside_again(house: House) -> None:
    await house.post(b"unreadable")
    await house.http.post("/receipts/1/replay")
    await applied(house, 1, state="quarantined")

    async def raised_again() -> bool:
        (ours,) = await house.incidents(alertname="PlantaoReceiptQuarantined")
        return bool(ours["status"] == "triggered")

    await soon(raised_again)


async def test_an_incident_leads_to_the_webhooks_it_came_by(house: House) -> None:
    await tell(house, notification(alert()))
    await tell(house, notification(alert("KafkaConsumerLag")))
    await tell(house, notification(alert(status="resolved")))
    page = (await house.http.get("/console/incidents/1")).text
    assert re.findall(r'href="\.\./\.\./console/receipts/(\d+)"', page) == ["3", "1"]


async def test_what_is_not_there_or_makes_no_sense(house: House) -> None:
    assert_problem(await house.http.get("/receipts/1"), 404, "no receipt 1")
    assert_problem(await house.http.post("/receipts/1/replay"), 404, "no receipt 1")
    for path in ("/receipts/0", "/receipts/x", f"/receipts/{2**63}"):
        assert_problem(await house.http.get(path), 422)
    for wrong in ({"limit": 0}, {"limit": 501}, {"state": "lost"}, {"before": 0}):
        assert_problem(await house.http.get("/receipts", params=wrong), 422)


async def test_receipts_need_a_token_where_there_are_tokens(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one,two") as house:
        await house.post(notification(alert()))
        for path in ("/receipts", "/receipts/1"):
            assert_problem(await house.http.get(path), 401, "PLANTAO_API_TOKENS")
            answer = await house.http.get(path, headers={"authorization": "Bearer two"})
            assert answer.status_code == 200
        assert_problem(await house.http.post("/receipts/1/replay"), 401)
