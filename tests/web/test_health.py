"""Up, able to work, and the figures for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import WEBHOOK, House, alert, listening, notification, serving
from tests.neighbours.processes import request
from tests.waiting import soon, tell
from tests.web.problems import assert_problem

NAMES = [
    'plantao_receipts_total{state="accepted"}',
    'plantao_receipts_total{state="quarantined"}',
    'plantao_receipts_refused_total{reason="unauthorized"}',
    'plantao_receipts_refused_total{reason="too_large"}',
    'plantao_receipts_refused_total{reason="too_slow"}',
    'plantao_receipts_refused_total{reason="broken_off"}',
    'plantao_receipts_refused_total{reason="unavailable"}',
    "plantao_ingest_lag_seconds",
    "plantao_ingested_alerts_total",
    'plantao_first_message_seconds_bucket{le="1.0",transport="console"}',
    'plantao_postings{state="shown",transport="console"}',
    'plantao_neighbour_calls_total{neighbour="console",outcome="ok"}',
    'plantao_loop_failures_total{loop="deliver"}',
    'plantao_loop_failures_total{loop="ingest"}',
    'plantao_loop_failures_total{loop="retention"}',
    'plantao_loop_failures_total{loop="verify"}',
]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


async def test_ready_while_all_is_well(house: House) -> None:
    assert (await house.http.get("/healthz")).json() == {"status": "up"}
    answer = await house.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "database": "ok", "loops": "ok", "sources_resting": []},
    )


async def test_the_head_of_any_answer(house: House) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/incidents", "/console/stats"):
        answer = await house.http.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path
        assert (
            answer.headers["content-type"] == (await house.http.get(path)).headers["content-type"]
        )
    missing = await house.http.head("/incidents/1")
    assert (missing.status_code, missing.content) == (404, b"")
    async with listening(house.app) as url, asyncio.timeout(30):
        endless = await asyncio.to_thread(request, "HEAD", f"{url}/incidents/stream")
    assert endless.headers["content-type"].startswith("text/event-stream")
    assert (await house.http.head("/changes/1")).status_code == 404
    assert (await house.http.head(WEBHOOK)).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/changes", "GET, HEAD, POST"),
        ("PUT", "/incidents/1/silence", "GET, HEAD, POST"),
        ("PUT", "/incidents/1/notes/1", "DELETE, PATCH"),
        ("GET", WEBHOOK, "POST"),
    ],
)
async def test_an_address_says_all_its_methods(
    house: House, method: str, path: str, allowed: str
) -> None:
    answer = await house.http.request(method, path)
    assert_problem(answer, 405, "see /docs")
    assert answer.headers["allow"] == allowed


async def test_not_ready_when_a_loop_is_not_running(house: House) -> None:
    await house.context.loops.stop()
    answer = await house.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["loops"] == (
        "not running: deliver, digest, enrich, feed, figures, index, ingest, retention, silences, "
        "verify, watch"
    )
    assert answer.json()["database"] == "ok"
    assert (await house.http.get("/healthz")).status_code == 200


async def figures(house: House) -> str:
    answer = await house.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


async def test_every_figure_is_there_under_its_name(house: House) -> None:
    await tell(house, notification(alert()))
    await house.post(b"not a notification")

    async def shown() -> bool:
        postings = (await house.incident(1))["postings"]
        return [p["state"] for p in postings] == ["shown"]

    await soon(shown)
    text = await figures(house)
    assert [name for name in NAMES if name not in text] == []


async def test_figures_hold_nothing_of_what_came_in(tmp_path: Path) -> None:
    async with serving(tmp_path, webhook_token="s3cret") as house:
        body = notification(alert("Private", cpf="123.456.789-09"))
        headers = {"authorization": "Bearer s3cret"}
        await house.http.post(WEBHOOK, json=body, headers=headers)
        text = await figures(house)
        assert not [word for word in ("Private", "123.456", "s3cret") if word in text]


async def test_health_and_figures_need_no_token(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one") as house:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await house.http.get(path)).status_code == 200


async def test_what_is_not_there_is_a_problem_document(house: House) -> None:
    assert_problem(await house.http.get("/nowhere"), 404, "/docs")
    assert_problem(await house.http.post("/healthz"), 405)
    assert_problem(await house.http.delete("/incidents"), 405)
    assert (await house.http.get("/openapi.json")).status_code == 200


async def test_the_configuration_is_read_again_with_a_token(tmp_path: Path) -> None:
    path = tmp_path / "plantao.yml"
    path.write_text("reopen_within: 10m\n")
    async with serving(tmp_path, config=path, api_tokens="one") as house:
        assert_problem(await house.http.post("/-/reload"), 401)
        headers = {"authorization": "Bearer one"}
        path.write_text("reopen_within: 20m\n")
        assert (await house.http.post("/-/reload", headers=headers)).status_code == 200
        path.write_text("reopen_within: soon\nnonsense: 1\n")
        answer = await house.http.post("/-/reload", headers=headers)
        assert answer.status_code == 422
        assert "plantao.yml:1" in answer.json()["detail"]
        assert "plantao.yml:2" in answer.json()["detail"]
        kept = house.context.policy.current.reopen_within
        assert kept.total_seconds() == 1200
