"""Silences with a real Alertmanager: made from here and elsewhere, ended from either side.

The service goes by its own clock, which a test may move on; Alertmanager's is the real one.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.neighbours.alertmanager import Alertmanager, alertmanager_pair
from tests.neighbours.processes import eventually, find_program
from tests.waiting import soon, tell
from tests.web.problems import assert_problem

pytestmark = pytest.mark.neighbour

CONFIG = "receivers: {o: {console: true}}\nroutes: {receiver: o}\n"
QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
EVERY = 15  # seconds; `verify.every` as it is by default

Json = dict[str, Any]


@dataclass(slots=True)
class Town:
    """The service and one or two Alertmanagers, which hear of the same alerts."""

    house: House
    clock: FakeClock
    alertmanagers: list[Alertmanager]

    async def fire(self, *alerts: Json) -> None:
        """Let the alerts fire: Alertmanager has them, and has told us."""
        posted = [{k: a[k] for k in ("labels", "annotations", "startsAt")} for a in alerts]
        for each in self.alertmanagers:
            each.post_alerts(posted)
        await tell(self.house, notification(*alerts))

    async def silence(self, number: int = 1, **body: Any) -> httpx.Response:
        given = {"by": "Ana", "duration": "2h"} | body
        if "until" in given:
            given.pop("duration")
        return await self.house.http.post(f"/incidents/{number}/silence", json=given)

    async def silenced(self, number: int = 1, **body: Any) -> Json:
        answer = await self.silence(number, **body)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    async def end(self, silence: int, number: int = 1, by: str = "Bia") -> httpx.Response:
        path = f"/incidents/{number}/silences/{silence}/end"
        return await self.house.http.post(path, json={"by": by})

    async def silences(self, number: int = 1) -> list[Json]:
        found: list[Json] = (await self.house.incident(number))["silences"]
        return found

    async def passes(self, count: int = 2) -> None:
        """Let the service compare so often."""
        for _ in range(count):
            await self.clock.advance(seconds=EVERY + 1, settle=0.15)

    async def until(self, done: Callable[[list[Json]], object], number: int = 1) -> list[Json]:
        """Let it compare until the incident's silences are so."""

        async def look() -> list[Json] | None:
            await self.passes(1)
            found = await self.silences(number)
            return found if done(found) else None

        return await soon(look, what="the incident's silences as wanted", within=30)

    def states(self, at: int = 0) -> set[str]:
        return {each["status"]["state"] for each in self.alertmanagers[at].alerts()}

    def active(self, at: int = 0) -> list[Json]:
        listed = self.alertmanagers[at].silences()
        return [each for each in listed if each["status"]["state"] == "active"]

    def amtool(self, *arguments: str) -> str:
        """What people without us do."""
        command = [find_program("amtool"), f"--alertmanager.url={self.alertmanagers[0].url}"]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout.strip()

    async def told(self, kind: str, number: int = 1) -> list[Json]:
        answer = await self.house.http.get(f"/incidents/{number}/timeline")
        return [entry for entry in answer.json()["items"] if entry["kind"] == kind]


@asynccontextmanager
async def beside(directory: Path, *alertmanagers: Alertmanager, **more: Any) -> AsyncIterator[Town]:
    """The service, set to ask these."""
    clock = FakeClock(datetime.now(UTC))
    config = directory / "plantao.yml"
    config.write_text(CONFIG)
    urls = tuple(each.url for each in alertmanagers)
    given = {"config": config, "alertmanager_url": urls, **more}
    async with serving(directory, clock=clock, **given) as house:
        yield Town(house, clock, list(alertmanagers))


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    with Alertmanager(tmp_path, QUIET) as alertmanager:
        async with beside(tmp_path, alertmanager) as town:
            yield town


def fresh(name: str = "KafkaLag", **labels: str) -> Json:
    made = alert(name, starts=datetime.now(UTC).isoformat())
    return made | {"labels": made["labels"] | labels}


# --- from here


async def test_a_silence_is_alertmanagers_own(town: Town) -> None:
    await town.fire(fresh(topic="pix", broker="1"), fresh(topic="pix", broker="2"))
    made = await town.silenced(comment="restarting the consumer")
    assert (made["state"], made["by"], made["muted"]) == ("active", "Ana", 2)
    assert made["matchers"] == ['alertname="KafkaLag"', 'topic="pix"']
    eventually(lambda: town.states() == {"suppressed"}, what="both alerts suppressed")
    (there,) = town.active()
    assert (there["id"], there["createdBy"]) == (made["silence_id"], "Ana")
    assert there["comment"].startswith("restarting the consumer · Plantão #1 http://")
    assert made["link"] == f"{town.alertmanagers[0].url}/#/silences/{there['id']}"
    incident = await town.house.incident(1)
    assert incident["silences"] == [made]
    assert incident["status"] == "triggered"  # a silence does not change it


async def test_chosen_alerts_are_silenced_and_no_others(town: Town) -> None:
    one, two, three = (fresh(broker=name) for name in ("1", "2.0", "210"))
    await town.fire(one, two, three)
    alerts = (await town.house.incident(1))["alerts"]
    chosen = [a["fingerprint"] for a in alerts if a["labels"]["broker"] in {"1", "2.0"}]
    made = await town.silenced(alerts=chosen)
    assert made["matchers"] == ['alertname="KafkaLag"', 'broker=~"1|2\\\\.0"']
    assert made["muted"] == 2

    def suppressed() -> set[str]:
        listed = town.alertmanagers[0].alerts()
        muted = [each for each in listed if each["status"]["state"] == "suppressed"]
        return {each["labels"]["broker"] for each in muted}

    eventually(lambda: suppressed() == {"1", "2.0"}, what="the chosen ones suppressed")


async def test_matchers_of_ones_own_are_taken_as_they_are(town: Town) -> None:
    await town.fire(fresh(broker="1"), fresh(broker="2"))
    made = await town.silenced(matchers=['{alertname=~"Kafka.*", broker!="2"}'])
    assert made["matchers"] == ['alertname=~"Kafka.*"', 'broker!="2"']
    assert made["muted"] == 1
    (there,) = town.active()
    assert {"name": "broker", "value": "2", "isRegex": False, "isEqual": False} in there["matchers"]


async def test_the_preview_makes_nothing(town: Town) -> None:
    await town.fire(fresh(broker="1"), fresh(broker="2"))
    await town.fire(fresh("DiskFull", broker="1"))
    answer = await town.house.http.get("/incidents/1/silence", params={"matcher": 'broker="1"'})
    shown = answer.json()
    assert shown["matchers"] == ['broker="1"']
    assert [each["labels"]["broker"] for each in shown["mutes"]] == ["1"]
    assert (shown["muted"], shown["firing"], shown["muted_elsewhere"]) == (1, 2, 1)
    assert town.alertmanagers[0].silences() == []


async def test_a_second_press_makes_no_second_silence(town: Town) -> None:
    await town.fire(fresh())
    made = await town.silenced()
    again = await town.silence()
    assert (again.status_code, again.json()) == (200, made)
    assert len(town.active()) == 1


async def test_it_is_ended_from_here(town: Town) -> None:
    await town.fire(fresh())
    made = await town.silenced()
    over = (await town.end(made["id"])).json()
    assert (over["state"], over["ended_by"]) == ("ended", "Bia")
    assert town.active() == []
    assert_problem(await town.end(made["id"]), 409, "already over by Bia")
    assert_problem(await town.end(99), 404, "no silence 99")
    await town.passes()
    assert [entry["actor"] for entry in await town.told("silence_ended")] == ["Bia"]
    assert await town.told("silence_found") == []


async def test_who_decided_on_an_older_revision_silences_nothing(town: Town) -> None:
    await town.fire(fresh())
    assert_problem(await town.silence(revision=7), 409, "revision 1, not 7")
    assert town.alertmanagers[0].silences() == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"matchers": ['alertname=~".+"']}, "every kind"),
        ({"matchers": ['alertname!=""']}, "every kind"),
        ({"matchers": ['alertname!="Other"']}, "every kind"),
        ({"matchers": ['alertname="Other"']}, "mute no firing alert"),
        ({"matchers": ["nonsense"]}, "matchers: "),
        ({"alerts": ["0123456789abcdef"]}, "not firing alerts of incident 1: 0123456789abcdef"),
        ({"until": "2026-11-01T00:00:00Z"}, "in the past"),
        ({"until": "2026-11-01T00:00:00"}, "time zone"),
        ({"duration": "0s"}, "in the past"),
        ({"duration": "31d"}, "at most 30d"),
        ({"duration": "long"}, "expected a duration"),
        ({"duration": None}, "either"),
    ],
)
async def test_what_is_no_silence_to_be_made(town: Town, body: Json, words: str) -> None:
    await town.fire(fresh())
    assert_problem(await town.silence(**body), 422, words)
    assert town.alertmanagers[0].silences() == []
    assert await town.silences() == []


async def test_alertmanagers_own_refusal_is_told(town: Town) -> None:
    """0.25 takes no other label names than classic ones; newer ones do."""
    if not town.alertmanagers[0].api("GET", "status").json()["versionInfo"]["version"] < "0.27":
        pytest.skip("this Alertmanager takes any label name")
    await tell(town.house, notification(fresh(**{"dépôt.name": "x"})))
    assert_problem(await town.silence(), 422, "Alertmanager refused (400)", "dépôt.name")
    assert await town.silences() == []


async def test_what_is_over_is_not_silenced(town: Town) -> None:
    posted = fresh()
    await town.fire(posted)
    end = {**posted, "status": "resolved", "endsAt": datetime.now(UTC).isoformat()}
    await tell(town.house, notification(end))
    assert_problem(await town.silence(), 409, "is over")


# --- elsewhere


async def test_what_was_made_elsewhere_is_shown_and_its_end_too(town: Town) -> None:
    await town.fire(fresh(topic="pix"), fresh(topic="ted"))
    reference = town.amtool(
        "silence", "add", "topic=pix", "--author=Caio", "--comment=planned", "--duration=1h"
    )
    (found,) = await town.until(lambda all_: all_)
    assert (found["silence_id"], found["by"], found["comment"]) == (reference, "Caio", "planned")
    assert (found["made_here"], found["muted"]) == (False, 1)
    town.amtool("silence", "expire", reference)
    (over,) = await town.until(lambda all_: all_[0]["state"] == "ended")
    assert over["ended_by"] is None
    (entry,) = await town.told("silence_ended")
    assert (entry["actor"], entry["data"]["early"]) == ("alertmanager", True)


async def test_one_that_mutes_nothing_of_ours_is_not_shown(town: Town) -> None:
    await town.fire(fresh(topic="pix"))
    town.amtool("silence", "add", "topic=ted", "--author=Caio", "--comment=x", "--duration=1h")
    await town.passes(3)
    assert await town.silences() == []


async def test_ours_is_ended_elsewhere(town: Town) -> None:
    await town.fire(fresh())
    made = await town.silenced()
    town.amtool("silence", "expire", made["silence_id"])
    (over,) = await town.until(lambda all_: all_[0]["state"] == "ended")
    assert over["ended_by"] is None
    assert await town.told("silence_found") == []


async def test_another_end_set_elsewhere_is_shown(town: Town) -> None:
    await town.fire(fresh())
    made = await town.silenced()
    town.amtool("silence", "update", "--duration=5h", made["silence_id"])
    (longer,) = await town.until(lambda all_: all_[-1]["ends_at"] != made["ends_at"])
    assert longer["silence_id"] == made["silence_id"]
    (entry,) = await town.told("silence_changed")
    assert datetime.fromisoformat(entry["data"]["before"]) == datetime.fromisoformat(
        made["ends_at"]
    )


async def test_ours_that_mutes_another_incident_is_shown_there(town: Town) -> None:
    await town.fire(fresh(broker="1"))
    await town.fire(fresh("DiskFull", broker="1"))
    made = await town.silenced(matchers=['broker="1"'], comment="moving broker 1")
    (there,) = await town.until(lambda all_: all_, number=2)
    assert (there["silence_id"], there["made_here"]) == (made["silence_id"], False)
    assert (there["by"], there["comment"]) == ("Ana", "moving broker 1")
    assert (await town.end(there["id"], number=2)).status_code == 200
    assert [each["ended_by"] for each in await town.silences(1)] == ["Bia"]
    assert await town.told("silence_found", 1) == []


async def test_alerts_that_join_are_counted(town: Town) -> None:
    await town.fire(fresh(broker="1"))
    await town.silenced(matchers=['alertname="KafkaLag"'])
    await town.fire(fresh(broker="1"), fresh(broker="2"))
    (found,) = await town.until(lambda all_: all_[0]["muted"] == 2)
    assert found["state"] == "active"


async def test_what_is_silenced_still_fires(town: Town) -> None:
    """Alertmanager goes on listing it, as suppressed; verify must not take it for gone."""
    await town.fire(fresh())
    await town.silenced()
    eventually(lambda: town.states() == {"suppressed"}, what="the alert suppressed")
    await town.clock.advance(minutes=10)
    incident = await town.house.incident(1)
    assert (incident["status"], incident["alert_counts"]["firing"]) == ("triggered", 1)


# --- its end


async def test_a_warning_before_it_ends_while_the_alert_fires(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="2h")
    await town.clock.advance(minutes=109)
    assert await town.told("silence_expiring") == []
    await town.clock.advance(minutes=1, seconds=1, settle=0.1)
    assert len(await town.told("silence_expiring")) == 1
    await town.clock.advance(minutes=5)
    assert len(await town.told("silence_expiring")) == 1


async def test_a_short_one_is_warned_of_in_its_last_tenth(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="10m")
    await town.clock.advance(minutes=8, seconds=50)
    assert await town.told("silence_expiring") == []
    await town.clock.advance(seconds=12, settle=0.1)
    assert len(await town.told("silence_expiring")) == 1


async def test_no_warning_where_another_one_goes_on(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="2h")
    await town.silenced(duration="4h", by="Bia")
    await town.clock.advance(minutes=115, settle=0.02)
    assert await town.told("silence_expiring") == []


async def test_it_ends_at_its_time(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="2s")
    (over,) = await town.until(lambda all_: all_[0]["state"] == "ended")
    assert over["ended_by"] is None
    (entry,) = await town.told("silence_ended")
    assert entry["data"]["early"] is False


# --- no answer


async def test_an_alertmanager_that_is_down_is_told_at_once(town: Town) -> None:
    await town.fire(fresh())
    town.alertmanagers[0].kill()
    answer = await town.silence()
    assert_problem(answer, 503, "cannot be reached", "Nothing was silenced", '"retry": true')
    assert await town.silences() == []
    town.alertmanagers[0].start()
    await town.passes(4)
    assert town.alertmanagers[0].silences() == []
    assert (await town.silenced())["state"] == "active"


async def test_it_is_made_when_alertmanager_is_back_if_that_was_asked_for(town: Town) -> None:
    await town.fire(fresh())
    town.alertmanagers[0].kill()
    answer = await town.silence(retry=True)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert len(await town.told("silence_delayed")) == 1
    await town.passes(3)
    town.alertmanagers[0].start()
    (made,) = await town.until(lambda all_: all_[0]["state"] == "active")
    assert made["silence_id"] == town.active()[0]["id"]
    assert [entry["actor"] for entry in await town.told("silenced")] == ["Ana"]


async def test_one_that_waits_can_be_withdrawn(town: Town) -> None:
    await town.fire(fresh())
    town.alertmanagers[0].kill()
    waiting = (await town.silence(retry=True)).json()
    assert (await town.end(waiting["id"])).json()["state"] == "ended"
    town.alertmanagers[0].start()
    await town.passes(4)
    assert town.alertmanagers[0].silences() == []


async def test_one_whose_time_is_over_before_alertmanager_answers_is_not_made(town: Town) -> None:
    await town.fire(fresh())
    town.alertmanagers[0].kill()
    assert (await town.silence(retry=True, duration="10m")).status_code == 202
    await town.clock.advance(minutes=11)
    town.alertmanagers[0].start()
    (late,) = await town.until(lambda all_: all_[0]["state"] == "not made")
    assert "before it was over" in late["problem"]
    assert town.alertmanagers[0].silences() == []


async def test_without_an_answer_nothing_is_guessed(town: Town) -> None:
    await town.fire(fresh())
    made = await town.silenced()
    town.alertmanagers[0].kill()
    assert_problem(await town.end(made["id"]), 503, "cannot be reached")
    (unsure,) = await town.until(lambda all_: all_[0]["unknown_since"])
    assert unsure["state"] == "active"
    await town.clock.advance(hours=3, settle=0.001)
    assert (await town.silences())[0]["state"] == "active"
    assert await town.told("silence_ended") == []


async def test_what_was_unknown_is_known_again(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced()
    town.alertmanagers[0].stop()
    await town.until(lambda all_: all_[0]["unknown_since"])
    town.alertmanagers[0].start()
    (sure,) = await town.until(lambda all_: not all_[0]["unknown_since"])
    assert sure["state"] == "active"


async def test_an_alertmanager_that_hangs_is_not_waited_for_long(town: Town) -> None:
    await town.fire(fresh())
    town.alertmanagers[0].pause()
    assert_problem(await town.silence(), 503, "did not answer in time", "within a minute")
    town.alertmanagers[0].resume()
    # It had the request all the time, and carries it out now.
    eventually(lambda: len(town.active()) == 1, what="the silence that was given up")
    (made,) = await town.until(lambda all_: all_ and all_[0]["state"] == "active")
    assert made["by"] == "Ana"
    assert len(town.active()) == 1


async def test_without_any_alertmanager_it_is_said_what_to_set(tmp_path: Path) -> None:
    async with beside(tmp_path) as town:
        await tell(town.house, notification(fresh()))
        assert_problem(await town.silence(), 503, "PLANTAO_ALERTMANAGER_URL")


# --- a clustered pair


async def test_one_of_a_pair_is_enough(tmp_path: Path) -> None:
    with alertmanager_pair(tmp_path, QUIET) as pair:
        async with beside(tmp_path, *pair) as town:
            await town.fire(fresh())
            pair[0].stop()
            made = await town.silenced()
            pair[0].start()
            eventually(lambda: town.active(0), what="gossip")
            assert [each["id"] for each in town.active(0)] == [made["silence_id"]]
            pair[1].stop()
            assert (await town.end(made["id"])).status_code == 200
            await town.passes()
            assert [each["state"] for each in await town.silences()] == ["ended"]


async def test_what_was_made_twice_is_made_single(tmp_path: Path) -> None:
    """The first hangs with the request in hand, the second takes it; then the first goes on."""
    with alertmanager_pair(tmp_path, QUIET) as pair:
        async with beside(tmp_path, *pair) as town:
            await town.fire(fresh())
            pair[0].pause()
            made = await town.silenced()
            pair[0].resume()
            eventually(lambda: len(town.active(0)) == 2, what="the second one, too")
            await town.until(lambda _: len(town.active(0)) == 1)
            assert [each["id"] for each in town.active(0)] == [made["silence_id"]]
            assert len(await town.silences()) == 1


def test_the_default_pass_is_what_these_tests_think() -> None:
    from app.config import Verify  # noqa: PLC0415

    assert Verify().every == timedelta(seconds=EVERY)
