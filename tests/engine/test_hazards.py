"""What a receiver behind Alertmanager must survive, each through the API and by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clock import FakeClock
from tests.engine.lister import Lister
from tests.house import House, alert, notification, serving
from tests.waiting import applied, soon, tell

FIRING = alert()
ENDED = alert(status="resolved", ends="2026-11-23T06:00:30Z")
AGAIN = alert(starts="2026-11-23T06:10:00Z")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    """With no Alertmanager to ask."""
    async with serving(tmp_path, clock=clock) as house:
        yield house


@pytest.fixture
async def lister(clock: FakeClock) -> AsyncIterator[Lister]:
    with Lister() as lister:
        yield lister


@pytest.fixture
async def asking(tmp_path: Path, clock: FakeClock, lister: Lister) -> AsyncIterator[House]:
    """With an Alertmanager to ask."""
    async with serving(tmp_path, clock=clock, alertmanager_url=(lister.url,)) as house:
        yield house


async def only(house: House) -> dict[str, Any]:
    (found,) = await house.incidents()
    return await house.incident(found["id"])


async def told(house: House) -> list[str]:
    return await house.timeline((await only(house))["id"])


async def entry(house: House, kind: str, number: int = 1) -> dict[str, Any]:
    """The last timeline entry of that kind."""
    answer = await house.http.get(f"/incidents/{number}/timeline")
    found: list[dict[str, Any]] = [e for e in answer.json()["items"] if e["kind"] == kind]
    return found[-1]


async def until(house: House, clock: FakeClock, kind: str, number: int = 1) -> None:
    """Let time pass until the timeline says so."""

    async def look() -> bool:
        await clock.advance(seconds=5)
        return kind in await house.timeline(number)

    await soon(look, what=f"{kind} in the timeline")


# --- repeats, retries, genuine re-fires


async def test_repeats_change_nothing_and_a_re_fire_is_no_repeat(house: House) -> None:
    for body in (FIRING, FIRING, ENDED, ENDED, AGAIN, AGAIN):
        await tell(house, notification(body))
    assert await told(house) == ["opened", "resolved", "reopened"]
    shown = await only(house)
    assert (shown["status"], shown["reopened"], shown["occurrences"]) == ("triggered", 1, 4)
    assert shown["alerts"][0]["starts_at"] == AGAIN["startsAt"]


async def test_a_hundred_copies_at_once_are_one_incident(house: House) -> None:
    body = notification(FIRING, alert(instance="b"))
    answers = await asyncio.gather(*(house.post(body) for _ in range(100)))
    assert len({answer["receipt"] for answer in answers}) == 100
    await applied(house, max(answer["receipt"] for answer in answers))
    shown = await only(house)
    assert shown["alert_counts"] == {"firing": 2, "resolved": 0}
    assert (shown["occurrences"], shown["revision"]) == (100, 1)
    assert len(shown["postings"]) == 1
    assert await told(house) == ["opened"]


async def test_an_alert_that_stands_twice_in_a_body_counts_once(house: House) -> None:
    await tell(house, notification(FIRING, FIRING))
    assert (await only(house))["alert_counts"] == {"firing": 1, "resolved": 0}
    await tell(house, notification(ENDED, ENDED))
    assert (await only(house))["status"] == "resolved"


async def test_replaying_what_was_applied_undoes_nothing(house: House) -> None:
    firing = await tell(house, notification(FIRING))
    await tell(house, notification(ENDED))
    # Delivery and the context go on meanwhile.
    meanwhile = {"postings": ..., "context": ..., "updated_at": ...}
    before = await only(house) | meanwhile
    answer = await house.http.post(f"/receipts/{firing['receipt']}/replay")
    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")
    await applied(house, firing["receipt"])
    assert await only(house) | meanwhile == before


# --- HA twins


async def test_ha_twins_make_one_incident(house: House) -> None:
    for twin in ("http://am-1:9093", "http://am-2:9093"):
        key = f'{{}}/{{twin="{twin}"}}:{{alertname="HighErrorRate"}}'
        await tell(house, notification(FIRING, externalURL=twin, groupKey=key))
    assert await told(house) == ["opened"]


async def a_late_firing(house: House, clock: FakeClock) -> None:
    """An HA twin delivers the old firing after the other has delivered the end."""
    for body in (FIRING, ENDED):
        await tell(house, notification(body))
        await clock.advance(seconds=1)
    await tell(house, notification(FIRING, externalURL="http://am-2:9093"))


async def test_a_late_firing_is_doubted_first_and_believed_when_nobody_can_be_asked(
    house: House, clock: FakeClock
) -> None:
    await a_late_firing(house, clock)
    shown = await only(house)
    assert (shown["status"], shown["unconfirmed"]) == ("triggered", True)
    assert shown["alerts"][0]["unconfirmed"]
    await clock.advance(seconds=45)
    assert await told(house) == ["opened", "resolved", "unconfirmed"]
    await until(house, clock, "reopened")
    assert (await entry(house, "reopened"))["data"]["unconfirmed"] is True
    shown = await only(house)
    assert (shown["status"], shown["unconfirmed"], shown["reopened"]) == ("triggered", False, 1)


async def test_a_late_firing_that_alertmanager_does_not_list_is_dismissed(
    asking: House, clock: FakeClock
) -> None:
    await a_late_firing(asking, clock)
    await until(asking, clock, "dismissed")
    shown = await only(asking)
    assert (shown["status"], shown["resolution"]) == ("resolved", "resolved")
    assert (shown["reopened"], shown["unconfirmed"]) == (0, False)
    assert await told(asking) == ["opened", "resolved", "unconfirmed", "dismissed"]


async def test_a_late_firing_that_alertmanager_lists_is_believed(
    asking: House, clock: FakeClock, lister: Lister
) -> None:
    await a_late_firing(asking, clock)
    lister.list_alert(FIRING)
    await until(asking, clock, "reopened")
    assert "unconfirmed" not in (await entry(asking, "reopened"))["data"]
    assert await told(asking) == ["opened", "resolved", "unconfirmed", "reopened"]


async def test_an_alertmanager_that_is_down_ends_nothing_and_settles_no_doubt_early(
    asking: House, clock: FakeClock, lister: Lister
) -> None:
    lister.failing = True
    await a_late_firing(asking, clock)
    await clock.advance(seconds=40)
    assert await told(asking) == ["opened", "resolved", "unconfirmed"]
    await until(asking, clock, "reopened")
    assert (await entry(asking, "reopened"))["data"]["unconfirmed"] is True


# --- routes and groups


async def test_continue_routes_do_not_double_an_alert(house: House) -> None:
    await tell(house, notification(FIRING))
    other = {"groupLabels": {"team": "ml"}, "groupKey": '{}/{team="ml"}:{team="ml"}'}
    await tell(house, notification(FIRING, receiver="team-ml", **other))
    assert await told(house) == ["opened"]
    await tell(house, notification(ENDED, receiver="team-ml", **other))
    assert (await only(house))["status"] == "resolved"


async def test_only_an_alerts_own_status_counts(house: House) -> None:
    other = alert(instance="b", status="resolved")
    await tell(house, notification(FIRING, status="resolved"))
    assert (await only(house))["status"] == "triggered"
    await tell(house, notification(ENDED, other, status="firing"))
    shown = await only(house)
    assert (shown["status"], shown["alert_counts"]) == ("resolved", {"firing": 0, "resolved": 2})


GROUPED = """
receivers:
  oncall: {console: true}
routes:
  receiver: oncall
  group_by: [component]
"""


async def test_group_by_decides_what_is_one_incident(tmp_path: Path, clock: FakeClock) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(GROUPED)
    async with serving(tmp_path, clock=clock, config=config) as house:
        await tell(house, notification(alert("KafkaLag", component="kafka")))
        await tell(house, notification(alert("BrokerDown", component="kafka")))
        await tell(house, notification(alert("BrokerDown", component="spark")))
        found = {each["id"]: each for each in await house.incidents()}
        assert [found[n]["alert_counts"]["firing"] for n in sorted(found)] == [2, 1]
        assert found[1]["labels"] == {"component": "kafka"}


CONTINUED = """
receivers:
  oncall: {console: true}
  team: {console: true}
routes:
  receiver: oncall
  routes:
    - {receiver: oncall, continue: true}
    - {receiver: team, matchers: ['severity="critical"']}
"""


@pytest.mark.parametrize("known", [[], ["warning"]])
async def test_one_group_is_one_incident_whoever_else_is_told(
    tmp_path: Path, clock: FakeClock, known: list[str]
) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(CONTINUED)
    both = [alert(severity=severity) for severity in ("warning", "critical")]
    async with serving(tmp_path, clock=clock, config=config) as house:
        if known:
            await tell(house, notification(both[0]))
        await tell(house, notification(*both))
        assert (await only(house))["receivers"] == ["oncall", "team"]


async def test_the_groups_of_alertmanager_decide_without_group_by(house: House) -> None:
    await tell(house, notification(FIRING, alert(instance="b")))
    await tell(house, notification(alert("SlowQuery")))
    assert sorted(i["alert_counts"]["firing"] for i in await house.incidents()) == [1, 2]


# --- ends: stale, unseen, by a person


async def test_an_old_end_told_again_ends_nothing(house: House) -> None:
    await tell(house, notification(AGAIN))
    await tell(house, notification(ENDED))
    assert (await only(house))["status"] == "triggered"
    assert await told(house) == ["opened"]


async def test_an_end_whose_beginning_was_never_seen_still_ends(house: House) -> None:
    await tell(house, notification(FIRING))
    unseen = alert(status="resolved", starts="2026-11-23T06:01:00Z", ends="2026-11-23T06:02:00Z")
    await tell(house, notification(unseen))
    assert await told(house) == ["opened", "resolved"]


async def test_an_end_of_what_was_never_heard_of_opens_nothing(house: House) -> None:
    await tell(house, notification(ENDED))
    assert await house.incidents() == []


async def test_a_re_fire_reopens_within_the_window_and_not_after_it(
    house: House, clock: FakeClock
) -> None:
    await tell(house, notification(FIRING))
    await tell(house, notification(ENDED))
    await clock.advance(minutes=29)
    await tell(house, notification(AGAIN))
    assert await told(house) == ["opened", "resolved", "reopened"]
    end = alert(status="resolved", starts=AGAIN["startsAt"], ends="2026-11-23T06:30:00Z")
    await tell(house, notification(end))
    await clock.advance(minutes=31)
    await tell(house, notification(alert(starts="2026-11-23T07:00:00Z")))
    statuses = {each["id"]: each["status"] for each in await house.incidents()}
    assert statuses == {1: "resolved", 2: "triggered"}


async def test_what_a_person_ended_stays_ended_for_that_occurrence(house: House) -> None:
    await tell(house, notification(FIRING))
    refused = await house.http.post("/incidents/1/resolve", json={"by": "ana"})
    assert refused.status_code == 409
    done = await house.http.post("/incidents/1/resolve", json={"by": "ana", "force": True})
    assert (done.json()["status"], done.json()["resolution"]) == (
        "resolved",
        "resolved by a person",
    )
    await tell(house, notification(FIRING))
    assert (await only(house))["status"] == "resolved"
    await tell(house, notification(AGAIN))
    assert await told(house) == ["opened", "resolved", "reopened"]


async def test_asking_does_not_bring_back_what_a_person_ended(
    asking: House, clock: FakeClock, lister: Lister
) -> None:
    await tell(asking, notification(FIRING))
    lister.list_alert(FIRING)
    await asking.http.post("/incidents/1/resolve", json={"by": "ana", "force": True})
    await clock.advance(minutes=6)
    assert await told(asking) == ["opened", "resolved"]


# --- truncation


async def test_truncation_without_anybody_to_ask_keeps_the_incident_open(house: House) -> None:
    await tell(house, notification(FIRING, truncatedAlerts=2))
    assert (await entry(house, "opened"))["data"]["truncated"] == 2
    await tell(house, notification(ENDED, truncatedAlerts=2))
    shown = await only(house)
    assert (shown["status"], shown["truncated"], shown["hidden_alerts"]) == ("triggered", True, 2)
    await tell(house, notification(ENDED))  # the same group, whole: now nothing is hidden
    assert await told(house) == ["opened", "alerts_resolved", "truncated", "resolved"]


async def test_what_was_cut_off_is_fetched_from_alertmanager(
    asking: House, clock: FakeClock, lister: Lister
) -> None:
    whole = [FIRING, alert(instance="b"), alert(instance="c")]
    for each in whole:
        lister.list_alert(each)
    await tell(asking, notification(FIRING, truncatedAlerts=2))
    await until(asking, clock, "alerts_firing")
    shown = await only(asking)
    assert shown["alert_counts"] == {"firing": 3, "resolved": 0}
    assert (shown["truncated"], shown["hidden_alerts"]) == (True, 0)


# --- an end that never comes


PATIENT = "verify: {every: 1m, stale_after: 10m, orphan_after: 2m}\n"


async def test_without_anybody_to_ask_silence_ends_an_alert_and_says_why(
    tmp_path: Path, clock: FakeClock
) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(PATIENT)
    async with serving(tmp_path, clock=clock, config=config) as house:
        await tell(house, notification(FIRING))
        await clock.advance(minutes=9)
        assert (await only(house))["status"] == "triggered"
        await until(house, clock, "no_longer_reported")
        assert (await only(house))["resolution"] == "no longer reported"
        why = (await entry(house, "no_longer_reported"))["data"]["reason"]
        assert why == "nothing was heard of it for 10m"


async def test_an_alert_that_alertmanager_no_longer_lists_ends_after_a_while(
    tmp_path: Path, clock: FakeClock, lister: Lister
) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(PATIENT)
    urls = (lister.url,)
    async with serving(tmp_path, clock=clock, config=config, alertmanager_url=urls) as house:
        await tell(house, notification(FIRING))
        await clock.advance(seconds=90)
        assert (await only(house))["status"] == "triggered"
        await until(house, clock, "no_longer_reported")
        why = (await entry(house, "no_longer_reported"))["data"]["reason"]
        assert why == "Alertmanager no longer lists it"
