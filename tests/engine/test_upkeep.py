"""Quarantine, replay and retention: what is kept aside, taken up again and forgotten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.engine import ourselves
from app.store import receipts as stored
from app.store.database import Transaction
from app.store.tables import ReceiptRow, table
from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.waiting import applied, soon, tell

FIRING = alert()
ENDED = alert(status="resolved")
SHORT_MEMORY = """
retention: {receipts: 10m, incidents: 20m}
verify: {every: 6h}
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    config = tmp_path / "plantao.yml"
    config.write_text(SHORT_MEMORY)
    async with serving(tmp_path, clock=clock, config=config) as house:
        yield house


async def receipts(house: House, **filters: str) -> list[int]:
    answer = await house.http.get("/receipts", params=filters)
    return [receipt["receipt"] for receipt in answer.json()["items"]]


async def named(house: House, alertname: str) -> dict[str, Any]:
    (found,) = await house.incidents(alertname=alertname)
    return found


async def mend(house: House, receipt: int, body: dict[str, Any]) -> None:
    """As if the service had learnt to read what it could not: the stored body is readable."""

    def work(tx: Transaction) -> None:
        stored = table(ReceiptRow)
        changed = sa.update(stored).where(stored.c.id == receipt)
        tx.execute(changed.values(body=json.dumps(body).encode()))

    await house.context.db.write(work)


# --- quarantine


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b'{"alerts": 7}', b"\xff\xfe\x00", b'{"alerts": [7]}']
)
async def test_what_cannot_be_read_is_kept_and_made_loud(house: House, body: bytes) -> None:
    receipt = await tell(house, body)
    assert receipt["problem"]
    ours = await named(house, "PlantaoReceiptQuarantined")
    assert (ours["status"], ours["unconfirmed"]) == ("triggered", False)
    assert f"plantao receipts show {receipt['receipt']}" in ours["annotations"]["description"]


async def test_quarantined_receipts_share_one_incident(house: House) -> None:
    for body in (b"{", b"[]", b""):
        await tell(house, body)
    ours = await named(house, "PlantaoReceiptQuarantined")
    assert (ours["alert_counts"], ours["occurrences"]) == ({"firing": 1, "resolved": 0}, 3)
    assert await house.timeline(ours["id"]) == ["opened"]


async def test_one_unreadable_alert_costs_only_itself(house: House) -> None:
    broken = {**FIRING, "labels": {"alertname": ["not", "a", "text"]}}
    body = notification(FIRING) | {"alerts": [broken, FIRING, 7]}
    receipt = await tell(house, body)
    assert "alerts[0]" in receipt["problem"]
    assert (await named(house, "HighErrorRate"))["alert_counts"]["firing"] == 1
    assert (await named(house, "PlantaoAlertUnreadable"))["status"] == "triggered"


async def test_replay_ends_the_quarantine_and_its_incident(house: House) -> None:
    first, second = [(await tell(house, b"{"))["receipt"] for _ in range(2)]
    for number, name in ((first, "HighErrorRate"), (second, "KafkaLag")):
        assert (await named(house, "PlantaoReceiptQuarantined"))["status"] == "triggered"
        await mend(house, number, notification(alert(name)))
        answer = await house.http.post(f"/receipts/{number}/replay")
        assert (answer.status_code, answer.json()["state"]) == (202, "accepted")
        assert (await applied(house, number))["problem"] is None
        assert (await named(house, name))["status"] == "triggered"
    ours = await named(house, "PlantaoReceiptQuarantined")
    assert (ours["status"], ours["resolution"]) == ("resolved", "resolved")
    assert f"Receipt {second}: " in ours["annotations"]["description"], "what was wrong stays"
    assert await receipts(house, state="quarantined") == []


async def test_a_replay_does_not_hide_the_alert_that_is_still_unread(
    tmp_path: Path, clock: FakeClock
) -> None:
    broken = {**FIRING, "labels": {"alertname": ["not", "a", "text"]}}
    async with serving(tmp_path, clock=clock) as house:
        receipt = await tell(house, notification(FIRING) | {"alerts": [broken, FIRING]})
        await house.http.post(f"/receipts/{receipt['receipt']}/replay")
        again = await applied(house, receipt["receipt"])
        assert again["problem"] == receipt["problem"]
        await clock.advance(hours=2, settle=0.001)
        assert (await named(house, "PlantaoAlertUnreadable"))["status"] == "triggered"


async def test_replaying_what_is_still_unreadable_ends_nothing(house: House) -> None:
    receipt = await tell(house, b"{")
    await house.http.post(f"/receipts/{receipt['receipt']}/replay")
    again = await applied(house, receipt["receipt"], state="quarantined")
    assert again["problem"] == receipt["problem"]
    ours = await named(house, "PlantaoReceiptQuarantined")
    assert ours["status"] == "triggered"
    assert await house.timeline(ours["id"]) == ["opened"]


async def test_what_is_being_replayed_is_not_yet_settled(house: House) -> None:
    """Between being put back in the line and being read again, it is in no quarantine."""
    receipt = await tell(house, b"{")
    policy = house.context.policy.current

    def work(tx: Transaction) -> int:
        stored.replay(tx, receipt["receipt"])
        return len(ourselves.settle(tx, policy, now=house.context.clock.now()))

    assert await house.context.db.write(work) == 0


async def test_a_replay_does_not_undo_what_came_since(house: House, clock: FakeClock) -> None:
    """The old body is taken up when the alert it names has long been over."""
    late = await tell(house, b"{")
    await mend(house, late["receipt"], notification(FIRING))
    await clock.advance(seconds=1)
    await tell(house, notification(FIRING))
    await tell(house, notification(ENDED))
    await house.http.post(f"/receipts/{late['receipt']}/replay")
    await applied(house, late["receipt"])
    incident = await named(house, "HighErrorRate")
    assert (incident["status"], incident["unconfirmed"]) == ("resolved", False)


async def test_there_is_nothing_to_replay_under_an_unknown_number(house: House) -> None:
    answer = await house.http.post("/receipts/99/replay")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


# --- retention


async def test_what_is_past_its_time_is_forgotten_and_nothing_else(
    house: House, clock: FakeClock
) -> None:
    await tell(house, notification(FIRING))
    await tell(house, notification(ENDED))
    await tell(house, notification(alert("KafkaLag")))  # fires on
    await clock.advance(minutes=55, settle=0.001)
    await tell(house, notification(alert("SlowQuery")))
    await tell(house, notification(alert("SlowQuery", status="resolved")))

    async def only_the_newest() -> bool:
        await clock.advance(minutes=1, settle=0.001)
        return await receipts(house) == [5, 4] and len(await house.incidents()) == 2

    await soon(only_the_newest, what="old receipts and incidents forgotten")
    statuses = {each["title"].split(":")[0]: each["status"] for each in await house.incidents()}
    assert statuses == {"KafkaLag": "triggered", "SlowQuery": "resolved"}
    assert (await house.http.get("/incidents/1")).status_code == 404


async def test_old_changes_are_forgotten_but_for_who_served(house: House, clock: FakeClock) -> None:
    for kind in ("deploy", "alias_moved"):
        told = {"source": "mlflow", "kind": kind, "title": kind}
        assert (await house.http.post("/changes", json=told)).status_code == 201
    await clock.advance(minutes=55, settle=0.001)
    told = {"source": "ci", "kind": "deploy", "title": "new"}
    await house.http.post("/changes", json=told)

    async def forgotten() -> bool:
        await clock.advance(minutes=1, settle=0.001)
        items = (await house.http.get("/changes")).json()["items"]
        return [each["title"] for each in items] == ["new", "alias_moved"]

    await soon(forgotten, what="old changes forgotten")


async def test_numbers_are_never_given_again(house: House, clock: FakeClock) -> None:
    await tell(house, notification(FIRING))
    await tell(house, notification(ENDED))

    async def nothing_left() -> bool:
        await clock.advance(minutes=10, settle=0.001)
        return not await receipts(house) and not await house.incidents()

    await soon(nothing_left, what="everything forgotten")
    receipt = await tell(house, notification(alert(starts="2026-11-24T00:00:00Z")))
    assert receipt["receipt"] == 3
    assert [each["id"] for each in await house.incidents()] == [2]


async def test_a_great_many_are_forgotten_in_small_steps(house: House, clock: FakeClock) -> None:
    """More rows than one step deletes; between two steps a webhook gets its turn."""
    for _ in range(501):
        await house.post(notification(FIRING))
    await house.post(notification(ENDED))

    async def nothing_left() -> bool:
        await clock.advance(minutes=10, settle=0.001)
        return not await receipts(house) and not await house.incidents()

    await soon(nothing_left, what="everything forgotten")


async def test_a_day_without_unreadable_alerts_ends_the_incident_about_them(
    house: House, clock: FakeClock
) -> None:
    good, bad = alert("KafkaLag"), {"status": "firing"}
    await tell(house, notification(good) | {"alerts": [good, bad]})
    ours = await named(house, "PlantaoAlertUnreadable")
    assert ours["status"] == "triggered"
    await clock.advance(hours=25, settle=0)

    async def over() -> bool:
        await clock.advance(hours=1)
        return not await house.incidents(alertname="PlantaoAlertUnreadable", status="triggered")

    await soon(over, what="the incident about it over")
