"""`GET /stats`, from webhooks to figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.waiting import tell
from tests.web.problems import assert_problem


async def told(house: House, clock: FakeClock, name: str, status: str, **labels: str) -> None:
    """An alert begins to fire, or ends, now."""
    at = clock.now().isoformat()
    times = {"starts": at} if status == "firing" else {"ends": at}
    await tell(house, notification(alert(name, status=status, **times, **labels)))


async def stats(house: House, **params: Any) -> dict[str, Any]:
    answer = await house.http.get("/stats", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_a_night_in_figures(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "plantao.yml").write_text("reopen_within: 10s")  # each time it is a new incident
    async with serving(tmp_path, config=tmp_path / "plantao.yml", clock=clock) as house:
        for _ in range(3):
            await told(house, clock, "Flaky", "firing", severity="warning", component="spark")
            await clock.advance(minutes=2, settle=0.01)
            await told(house, clock, "Flaky", "resolved", severity="warning", component="spark")
            await clock.advance(minutes=1, settle=0.01)
        await told(house, clock, "KafkaLag", "firing", severity="critical", component="kafka")
        await clock.advance(minutes=3, settle=0.01)
        await house.http.post("/incidents/4/acknowledge", json={"by": "ana"})
        await clock.advance(minutes=7, settle=0.01)
        await told(house, clock, "KafkaLag", "resolved", severity="critical", component="kafka")
        await tell(house, b"no notification")
        await clock.advance(seconds=1)
        found = await stats(house)

    assert found["about_plantao"] == 1
    assert found["counts"] == {"opened": 4, "triggered": 0, "acknowledged": 0, "resolved": 4}
    assert found["time_to_acknowledge"] == {"count": 1, "median": 180.0, "p90": 180.0}
    assert found["time_to_resolve"] == {"count": 4, "median": 120.0, "p90": 600.0}
    noise = {"notifications": 4, "refires": 0, "short_lived": 3, "unattended": 3}
    assert found["noise"] == noise
    assert [row["severity"] for row in found["by_severity"]] == ["warning", "critical"]
    assert [row["component"] for row in found["by_component"]] == ["spark", "kafka"]
    flaky, lag = found["by_alertname"]
    assert (flaky["alertname"], lag["alertname"]) == ("Flaky", "KafkaLag")
    assert flaky["time_to_acknowledge"] == {"count": 0, "median": None, "p90": None}
    assert lag["time_to_acknowledge"]["median"] == 180.0
    assert found["by_model_version"][0]["model"] is None
    (first,) = found["tune_first"]
    assert (first["alertname"], first["reason"]) == ("Flaky", "short_lived")
    assert (first["count"], first["of"]) == (3, 3)
    assert first["text"].startswith("3 of 3 incidents ended by themselves in under 5 min")


async def test_the_stretch_the_rows_and_the_language(tmp_path: Path, clock: FakeClock) -> None:
    async with serving(tmp_path, clock=clock) as house:
        for name in ("A", "B", "C"):
            await told(house, clock, name, "firing")
            await clock.advance(seconds=60, settle=0.01)
        assert (await stats(house, since="2m30s"))["counts"]["opened"] == 2
        assert (await stats(house, since="2m30s", until="1m30s"))["counts"]["opened"] == 1
        assert (await stats(house, until="2026-11-23T06:01:00Z"))["counts"]["opened"] == 1
        assert len((await stats(house, limit=1))["by_alertname"]) == 1
        assert (await stats(house, lang="pt-BR"))["tune_first"] == []


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"since": "yesterday"}, 400, "since: expected a time"),
        ({"until": "2026-13-01"}, 400, "until: expected a time"),
        ({"since": "1h", "until": "2h"}, 400, "before `until`"),
        ({"until": "0001-01-02T00:00:00Z"}, 400, "no time that long ago"),
        ({"lang": "de"}, 422, "lang"),
        ({"limit": "0"}, 422, "limit"),
        ({"sicne": "7d"}, 422, "sicne"),
    ],
)
async def test_what_cannot_be_used(
    tmp_path: Path, params: dict[str, str], status: int, said: str
) -> None:
    async with serving(tmp_path, clock=FakeClock()) as house:
        assert_problem(await house.http.get("/stats", params=params), status, said)


async def test_names_are_masked_and_it_needs_a_token(tmp_path: Path, clock: FakeClock) -> None:
    async with serving(tmp_path, clock=clock, api_tokens=["secret"]) as house:
        assert_problem(await house.http.get("/stats"), 401)
        house.http.headers["Authorization"] = "Bearer secret"
        await told(house, clock, "Conta 529.982.247-25", "firing")
        await clock.advance(seconds=1)
        found = await stats(house)
        assert "529.982.247-25" not in str(found)
        assert found["by_alertname"][0]["alertname"].startswith("Conta ")
