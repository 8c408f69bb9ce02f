"""A crash between a wish and its answer: carried out once, whatever of it was done before.

The service is a process that is killed while Alertmanager is asked; then it lives again on the
same database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clock import FakeClock
from tests.engine.test_silences_real import CONFIG, QUIET, Town, fresh
from tests.engine.toll import Toll
from tests.house import notification, serving
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.processes import eventually, request
from tests.service import Service

pytestmark = pytest.mark.neighbour

WISH = {"by": "Ana", "duration": "2h", "comment": "why"}


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path, QUIET) as alertmanager:
        yield alertmanager


@contextmanager
def first_life(directory: Path, alertmanager: Alertmanager) -> Iterator[tuple[Service, Toll]]:
    """A service with one incident; all it asks of Alertmanager goes through the toll."""
    with Toll(alertmanager.url) as toll:
        settings = {"PLANTAO_ALERTMANAGER_URL": toll.url}
        service = Service(directory, config=CONFIG, env=settings)
        service.start()
        try:
            firing = fresh()
            posted = {k: firing[k] for k in ("labels", "annotations", "startsAt")}
            alertmanager.post_alerts([posted])
            service.post(notification(firing))
            eventually(service.incidents, what="the incident")
            yield service, toll
        finally:
            service.kill()


@asynccontextmanager
async def second_life(directory: Path, alertmanager: Alertmanager) -> AsyncIterator[Town]:
    clock = FakeClock(datetime.now(UTC))
    urls = (alertmanager.url,)
    given = {"config": directory / "plantao.yml", "alertmanager_url": urls}
    async with serving(directory, clock=clock, **given) as house:
        yield Town(house, clock, [alertmanager])


def ask_and_die(service: Service, path: str, body: dict[str, Any]) -> None:
    with suppress(httpx.HTTPError):
        request("POST", f"{service.url}{path}", json=body, timeout=30)
        pytest.fail("it answered")
    eventually(lambda: not service.process.running, what="its death")


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
async def test_a_silence_is_made_once(
    tmp_path: Path, alertmanager: Alertmanager, after: bool
) -> None:
    with first_life(tmp_path, alertmanager) as (service, toll):
        toll.strike("POST", service.kill, after=after)
        ask_and_die(service, "/incidents/1/silence", WISH)
    assert len(alertmanager.silences()) == after
    async with second_life(tmp_path, alertmanager) as town:
        await town.passes()
        (made,) = await town.until(lambda all_: all_[0]["state"] == "active")
        await town.passes(4)
        assert [each["id"] for each in town.active()] == [made["silence_id"]]
        assert len(alertmanager.silences()) == 1
        assert [(e["actor"], e["data"]["comment"]) for e in await town.told("silenced")] == [
            ("Ana", "why")
        ]
        assert await town.told("silence_found") == []


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
async def test_a_silence_is_ended_by_who_ended_it(
    tmp_path: Path, alertmanager: Alertmanager, after: bool
) -> None:
    with first_life(tmp_path, alertmanager) as (service, toll):
        made = request("POST", f"{service.url}/incidents/1/silence", json=WISH).json()
        toll.strike("DELETE", service.kill, after=after)
        ask_and_die(service, f"/incidents/1/silences/{made['id']}/end", {"by": "Bia"})
    assert [each["status"]["state"] == "expired" for each in alertmanager.silences()] == [after]
    async with second_life(tmp_path, alertmanager) as town:
        (over,) = await town.until(lambda all_: all_[0]["state"] == "ended")
        assert over["ended_by"] == "Bia"
        assert town.active() == []
        assert [entry["actor"] for entry in await town.told("silence_ended")] == ["Bia"]


async def test_an_answer_that_is_lost_is_found_under_our_mark(
    tmp_path: Path, alertmanager: Alertmanager
) -> None:
    """Alertmanager made it and died before it could say so; the author asked for a retry."""

    def lose() -> None:
        raise ConnectionAbortedError

    with Toll(alertmanager.url) as toll:
        clock = FakeClock(datetime.now(UTC))
        (tmp_path / "plantao.yml").write_text(CONFIG)
        given = {"config": tmp_path / "plantao.yml", "alertmanager_url": (toll.url,)}
        async with serving(tmp_path, clock=clock, **given) as house:
            town = Town(house, clock, [alertmanager])
            await town.fire(fresh())
            toll.strike("POST", lose, after=True)
            assert (await town.silence(retry=True)).status_code == 202
            assert len(town.active()) == 1
            (made,) = await town.until(lambda all_: all_[0]["state"] == "active")
            await town.passes(3)
            assert [each["id"] for each in alertmanager.silences()] == [made["silence_id"]]
            until = datetime.fromisoformat(made["ends_at"])
            assert until - datetime.fromisoformat(made["starts_at"]) == timedelta(hours=2)
