"""`POST /webhooks/mlflow`: signed, fresh, and kept once."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.clock import FakeClock
from tests.house import House, serving

SECRET = "the-webhook-secret"
MOVED = {
    "entity": "model_version_alias",
    "action": "created",
    "timestamp": "2026-11-23T06:00:00+00:00",
    "data": {"name": "pix-fraud", "alias": "champion", "version": "3"},
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    async with serving(tmp_path, clock=clock, mlflow_webhook_secret=SECRET) as service:
        yield service


async def deliver(
    house: House, clock: FakeClock, *, body: bytes = b"", secret: str = SECRET, delivery: str = "d1"
) -> httpx.Response:
    body = body or json.dumps(MOVED).encode()
    timestamp = str(int(clock.time()))
    signed = f"{delivery}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
    headers = {
        "X-MLflow-Delivery-Id": delivery,
        "X-MLflow-Timestamp": timestamp,
        "X-MLflow-Signature": f"v1,{digest}",
    }
    return await house.http.post("/webhooks/mlflow", content=body, headers=headers)


async def titles(house: House) -> list[str]:
    return [change["title"] for change in (await house.http.get("/changes")).json()["items"]]


async def test_an_event_becomes_a_change(house: House, clock: FakeClock) -> None:
    answer = await deliver(house, clock)
    assert (answer.status_code, answer.json()) == (202, {"state": "kept"})
    [change] = (await house.http.get("/changes")).json()["items"]
    assert change["source"] == "mlflow"
    assert change["at"] == "2026-11-23T06:00:00Z"
    assert change["labels"]["component"] == "serving"


async def test_the_same_delivery_is_kept_once(house: House, clock: FakeClock) -> None:
    await deliver(house, clock)
    again = await deliver(house, clock)
    assert (again.status_code, again.json()) == (202, {"state": "nothing new"})
    assert len(await titles(house)) == 1


async def test_a_forged_an_unsigned_and_an_old_request_change_nothing(
    house: House, clock: FakeClock
) -> None:
    forged = await deliver(house, clock, secret="guessed")
    unsigned = await house.http.post("/webhooks/mlflow", json=MOVED)
    old = FakeClock(clock.now() - timedelta(hours=1))
    late = await deliver(house, old)
    assert [each.status_code for each in (forged, unsigned, late)] == [401, 401, 401]
    assert all("detail" in each.json() for each in (forged, unsigned, late))
    assert await titles(house) == []


async def test_what_is_no_event_is_told_so(house: House, clock: FakeClock) -> None:
    answer = await deliver(house, clock, body=b"{")
    assert answer.status_code == 400
    assert "not an event" in answer.json()["detail"]
