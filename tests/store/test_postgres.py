"""The service on PostgreSQL: the same flow, and what only replicas and locks can do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from app.engine.intake import judge
from app.store import receipts
from tests.clock import FakeClock
from tests.house import WEBHOOK, House, alert, notification, serving
from tests.neighbours.postgres import Postgres
from tests.neighbours.slack import BOT_TOKEN, DEFAULT_CHANNEL, SlackServer, Workspace
from tests.waiting import applied, soon, tell

pytestmark = pytest.mark.neighbour

FIRING = alert(severity="critical")
ENDED = alert(severity="critical", status="resolved")


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
async def house(tmp_path: Path, url: str) -> AsyncIterator[House]:
    async with serving(tmp_path, database_url=url) as house:
        yield house


def slack(server: SlackServer) -> dict[str, Any]:
    return {
        "slack_bot_token": BOT_TOKEN,
        "slack_api_url": server.api_url,
        "slack_channel": f"#{DEFAULT_CHANNEL}",
    }


async def shown(house: House, number: int = 1) -> dict[str, Any]:
    """The incident, once every place shows its present revision."""

    async def look() -> dict[str, Any] | None:
        found = await house.incident(number)
        behind = [p for p in found["postings"] if p["shown_revision"] != found["revision"]]
        return None if behind or not found["postings"] else found

    return await soon(look, what="everything shown")


async def test_post_apply_list_act_deliver(tmp_path: Path, url: str) -> None:
    with SlackServer(Workspace(rate_limits=False)) as server:
        async with serving(tmp_path, database_url=url, **slack(server)) as house:
            await tell(house, notification(FIRING))
            root = await server.workspace.expect_message_soon(containing="HighErrorRate")
            server.workspace.allow(thread_of=root)
            acknowledged = await house.http.post("/incidents/1/acknowledge", json={"by": "ana"})
            assert acknowledged.json()["status"] == "acknowledged"
            await server.workspace.expect_shown_soon(root, "ana")
            await house.http.post("/incidents/1/notes", json={"by": "ana", "text": "it was DNS"})
            await server.workspace.expect_message_soon(thread_of=root, containing="it was DNS")
            await tell(house, notification(ENDED))
            await server.workspace.expect_message_soon(thread_of=root, containing="Resolved")
            incident = await shown(house)
        server.workspace.assert_nothing_unexpected()
        assert server.workspace.roots() == [root]
    assert incident["status"] == "resolved"
    assert {posting["state"] for posting in incident["postings"]} == {"shown"}


async def test_filters_sorting_and_pages(house: House) -> None:
    for name in ("a", "b", "c"):
        severity = "critical" if name == "a" else "warning"
        each = alert(f"Alert_{name}%", component="kafka", severity=severity)
        await tell(house, notification(each))
    assert len(await house.incidents(component="kafka")) == 3
    assert await house.incidents(component="spark") == []
    assert [i["id"] for i in await house.incidents(severity="critical")] == [1]
    assert [i["id"] for i in await house.incidents(q="alert_B%")] == [2]
    assert len(await house.incidents(receiver="default")) == 3
    first = (await house.http.get("/incidents", params={"limit": "2"})).json()
    second = await house.incidents(limit="2", cursor=first["next"])
    assert [i["id"] for i in [*first["items"], *second]] == [3, 2, 1]


async def test_a_hundred_copies_at_once_are_one_incident(house: House) -> None:
    body = notification(FIRING)
    answers = await asyncio.gather(*(house.post(body) for _ in range(100)))
    assert len({answer["receipt"] for answer in answers}) == 100

    async def all_seen() -> bool:
        return [each["occurrences"] for each in await house.incidents()] == [100]

    await soon(all_seen, what="one incident that saw all copies")


async def test_two_replicas_share_the_work(tmp_path: Path, url: str) -> None:
    with SlackServer(Workspace(rate_limits=False)) as server:
        async with AsyncExitStack() as stack:
            replicas = [
                await stack.enter_async_context(
                    serving(tmp_path, database_url=url, **slack(server))
                )
                for _ in range(2)
            ]
            bodies = [notification(alert(f"Alert{n % 10}", instance=str(n))) for n in range(40)]
            await asyncio.gather(*(replicas[n % 2].post(b) for n, b in enumerate(bodies)))

            async def all_applied() -> bool:
                found = await replicas[0].incidents()
                return sum(int(i["alert_counts"]["firing"]) for i in found) == len(bodies)

            await soon(all_applied, what="every alert in an incident")
            found = await replicas[1].incidents()
            assert len(found) == 10
            for each in found:
                await shown(replicas[0], each["id"])
        assert len(server.workspace.roots()) == 10


async def test_what_a_replica_had_answered_when_it_died_is_applied(
    tmp_path: Path, url: str
) -> None:
    clock = FakeClock()
    async with serving(tmp_path, database_url=url, clock=clock) as house:
        body = json.dumps(notification(FIRING)).encode()
        answered = judge(body, {}, at=clock.now())
        [receipt] = await house.context.db.write(receipts.add, [answered])
        await clock.advance(seconds=31)
        await applied(house, receipt)
        assert len(await house.incidents()) == 1


async def test_a_locked_table_is_a_503_and_then_recovers(
    house: House, postgres: Postgres, url: str
) -> None:
    with postgres.connect(url.rpartition("/")[2]) as other, other.transaction():
        other.execute("LOCK TABLE receipts IN ACCESS EXCLUSIVE MODE")
        answer = await house.http.post(WEBHOOK, json=notification(FIRING))
        assert answer.status_code == 503
    await tell(house, notification(FIRING))
    assert len(await house.incidents()) == 1


async def test_a_killed_server_is_a_503_and_then_recovers(tmp_path: Path) -> None:
    with Postgres() as postgres:
        async with serving(tmp_path, database_url=postgres.new_database()) as house:
            await tell(house, notification(FIRING))
            await asyncio.to_thread(postgres.kill)
            answer = await house.http.post(WEBHOOK, json=notification(ENDED))
            assert answer.status_code == 503
            assert (await house.http.get("/incidents")).status_code == 503
            await asyncio.to_thread(postgres.start)

            async def stored() -> bool:
                again = await house.http.post(WEBHOOK, json=notification(ENDED))
                return again.status_code == 202

            await soon(stored, what="a webhook stored")

            async def over() -> bool:
                return bool((await house.incident(1))["status"] == "resolved")

            await soon(over, what="the incident resolved")


async def test_texts_that_postgresql_cannot_hold_lose_nothing(house: House) -> None:
    """A NUL is allowed in JSON and in labels; PostgreSQL's texts know none."""
    hostile = alert("Nul\0Alert", instance="a\0b", annotations={"summary": "before\0after"})
    await tell(house, notification(hostile, receiver="x\0y", groupKey="{}\0"))
    await tell(house, notification(FIRING))
    found = await house.incidents(sort="opened_at")
    assert [each["alert_counts"]["firing"] for each in found] == [1, 1]
    assert "before\N{REPLACEMENT CHARACTER}after" in found[0]["title"]
    assert found[0]["alerts"][0]["annotations"] == {"summary": "before\0after"}
    assert len(await house.incidents(alertname="HighErrorRate")) == 1
