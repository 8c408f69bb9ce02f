"""`POST /webhooks/mlflow`: signed, fresh, and kept once."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.clock import FakeClock
from tests.house import House, serving
from tests.neighbours.mlflow import Mlflow
from tests.waiting import soon

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


@pytest.mark.neighbour
async def test_an_old_delivery_that_comes_again_does_not_undo_a_newer_one(
    tmp_path: Path, clock: FakeClock, mlflow_server: Mlflow
) -> None:
    model = f"pix-{uuid4().hex[:8]}"
    mlflow_server.create_model(model)
    for _ in range(3):
        mlflow_server.create_version(model)
    mlflow_server.set_alias(model, "champion", "1")
    known = {"mlflow_webhook_secret": SECRET, "mlflow_tracking_uri": mlflow_server.url}
    async with serving(tmp_path, clock=clock, **known) as house:
        last_sight = house.context.ledger.last_sight
        name = f"registry {mlflow_server.url}"
        await soon(lambda: last_sight(name), what="a look at the registry")

        def moved(version: str, second: int) -> bytes:
            data = {"name": model, "alias": "champion", "version": version}
            at = f"2026-11-23T06:00:0{second}+00:00"
            return json.dumps(MOVED | {"timestamp": at, "data": data}).encode()

        await deliver(house, clock, body=moved("2", 1), delivery="d1")
        await deliver(house, clock, body=moved("3", 2), delivery="d2")
        again = await deliver(house, clock, body=moved("2", 1), delivery="d1")
        assert again.json() == {"state": "nothing new"}
        mlflow_server.set_alias(model, "champion", "3")
        before = await last_sight(name)
        assert before

        async def looked_again() -> bool:
            await clock.advance(seconds=30)
            now = await last_sight(name)
            return now is not None and now.at > before.at

        await soon(looked_again, what="another look")
        assert await titles(house) == [f"{model}: champion 2 → 3", f"{model}: champion 1 → 2"]


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
