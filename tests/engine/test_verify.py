"""What is compared with Alertmanager, and when: by the clock, against one that lists alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clock import FakeClock
from tests.engine.lister import Lister
from tests.house import House, alert, notification, serving
from tests.waiting import soon, tell

FIRING = alert()
ENDED = alert(status="resolved")
ROUTES = """
route:
  receiver: other
  routes:
    - receiver: plantao
      group_interval: 4m
receivers:
  - name: other
  - name: plantao
    webhook_configs:
      - url: http://plantao.example/webhooks/alertmanager
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def lister() -> AsyncIterator[Lister]:
    with Lister() as lister:
        yield lister


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock, lister: Lister) -> AsyncIterator[House]:
    async with serving(tmp_path, clock=clock, alertmanager_url=(lister.url,)) as house:
        yield house


async def passes(clock: FakeClock, lister: Lister, count: int = 2) -> None:
    """Let time go on until Alertmanager was asked that often."""
    before = lister.asked

    async def enough() -> bool:
        await clock.advance(seconds=5)
        return lister.asked >= before + count

    await soon(enough, what=f"{count} more questions to Alertmanager")


async def kinds(house: House, number: int = 1) -> list[str]:
    answer = await house.http.get(f"/incidents/{number}/timeline")
    return [entry["kind"] for entry in answer.json().get("items", [])]


async def until(house: House, clock: FakeClock, kind: str) -> None:
    async def look() -> bool:
        await clock.advance(seconds=5)
        return kind in await kinds(house)

    await soon(look, what=f"{kind} in the timeline")


async def only(house: House) -> dict[str, Any]:
    (found,) = await house.incidents()
    return found


# --- what was missed


async def test_what_is_listed_long_enough_without_a_webhook_was_missed(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    lister.list_alert(FIRING)
    await passes(clock, lister, 2)  # its group_wait is not cut short
    assert await house.incidents() == []
    await until(house, clock, "opened")
    answer = await house.http.get("/incidents/1/timeline")
    assert answer.json()["items"][0]["data"]["missed"] is True
    await tell(house, notification(FIRING))  # the webhook, late
    assert await kinds(house) == ["opened"]


async def test_what_fires_for_long_is_taken_in_at_once(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    lister.list_alert(alert(starts="2026-11-23T05:00:00Z"))
    await passes(clock, lister, 1)
    await until(house, clock, "opened")
    assert (await only(house))["alerts"][0]["starts_at"] == "2026-11-23T05:00:00Z"


@pytest.mark.parametrize(
    "why",
    [
        {"status": {"state": "suppressed", "silencedBy": ["a"], "inhibitedBy": []}},
        {"receivers": [{"name": "other"}]},
    ],
)
async def test_what_is_not_meant_for_us_is_not_taken_in(
    house: House, clock: FakeClock, lister: Lister, why: dict[str, Any]
) -> None:
    lister.config = ROUTES
    lister.list_alert(alert(starts="2026-11-23T05:00:00Z"), **why)
    await passes(clock, lister, 6)
    assert await house.incidents() == []


async def test_several_that_were_missed_are_grouped_as_alertmanager_groups_them(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    for name, instance in (("KafkaLag", "a"), ("KafkaLag", "b"), ("SlowQuery", "a")):
        lister.list_alert(alert(name, instance=instance, starts="2026-11-23T05:00:00Z"))
    await until(house, clock, "opened")
    counts = {i["title"].split(":")[0]: i["alert_counts"] for i in await house.incidents()}
    assert {name: each["firing"] for name, each in counts.items()} == {
        "KafkaLag": 2,
        "SlowQuery": 1,
    }
    assert await kinds(house) == ["opened", "alerts_firing"]


async def test_an_answer_nobody_can_read_is_no_answer(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    await tell(house, notification(FIRING))
    lister.listed = [{"fingerprint": 7}]
    await passes(clock, lister, 8)
    assert await kinds(house) == ["opened"]


# --- what is no longer listed


async def test_a_notification_of_the_end_has_its_turn_first(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    """The end is told with the group's next notification: up to a group_interval later."""
    lister.config = ROUTES
    await tell(house, notification(FIRING))
    await clock.advance(minutes=5)
    assert await kinds(house) == ["opened"]
    await tell(house, notification(ENDED))
    assert (await only(house))["resolution"] == "resolved"


async def test_what_stays_unlisted_longer_is_over(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    lister.config = ROUTES
    await tell(house, notification(FIRING))
    await clock.advance(minutes=6)
    await until(house, clock, "no_longer_reported")


async def test_an_alertmanager_that_has_just_started_is_given_time(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    lister.up_since = "2026-11-23T06:00:00Z"
    await tell(house, notification(FIRING))
    await clock.advance(seconds=100)
    assert await kinds(house) == ["opened"]
    await until(house, clock, "no_longer_reported")


async def test_one_that_says_nothing_of_itself_is_asked_for_its_alerts_all_the_same(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    lister.without_status = True
    await tell(house, notification(FIRING))
    await until(house, clock, "no_longer_reported")


async def test_what_is_listed_again_is_not_counted_from_the_first_absence(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    await tell(house, notification(FIRING))
    await passes(clock, lister, 3)
    lister.list_alert(FIRING)
    await passes(clock, lister, 2)
    lister.listed.clear()
    await passes(clock, lister, 3)
    assert await kinds(house) == ["opened"]


async def test_part_of_an_incident_can_be_no_longer_reported(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    await tell(house, notification(FIRING, alert(instance="b")))
    lister.list_alert(FIRING)
    await until(house, clock, "alerts_no_longer_reported")
    shown = await only(house)
    assert (shown["status"], shown["alert_counts"]) == ("triggered", {"firing": 1, "resolved": 1})


async def test_an_end_at_the_expiry_that_alertmanager_showed_is_no_resolve(
    house: House, clock: FakeClock, lister: Lister
) -> None:
    """It gave up waiting for Prometheus: nobody said that the condition is gone."""
    expiry = "2026-11-23T06:01:00.250Z"
    await tell(house, notification(FIRING))
    lister.list_alert(FIRING, expires=expiry)
    await passes(clock, lister, 2)
    await tell(house, notification(alert(status="resolved", ends="2026-11-23T06:01:00.2504Z")))
    assert (await only(house))["resolution"] == "no longer reported"


# --- what a dead Prometheus cannot vouch for


async def test_an_end_is_doubted_when_prometheus_does_not_answer(
    tmp_path: Path, clock: FakeClock
) -> None:
    with Lister() as dead:
        url = dead.url  # nobody listens there any more
    async with serving(tmp_path, clock=clock, prometheus_url=url) as house:
        await tell(house, notification(FIRING))
        await tell(house, notification(ENDED))
        assert (await only(house))["resolution"] == "resolved"
        await until(house, clock, "no_longer_reported")
        assert (await only(house))["resolution"] == "no longer reported"
        await clock.advance(minutes=1)
        assert await kinds(house) == ["opened", "resolved", "no_longer_reported"]
