"""Silences with a real Alertmanager: made from here and elsewhere, ended from either side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.silence_town import EVERY, OUTSIDE, QUIET, Json, Town, beside, fresh
from tests.house import notification
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.processes import eventually
from tests.waiting import tell
from tests.web.problems import assert_problem

pytestmark = pytest.mark.neighbour


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    with Alertmanager(tmp_path, QUIET) as alertmanager:
        async with beside(tmp_path, alertmanager) as town:
            yield town


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
    assert made["link"] == f"{OUTSIDE}/#/silences/{there['id']}"
    incident = await town.house.incident(1)
    assert incident["silences"] == [made]
    assert incident["status"] == "triggered"  # a silence does not change it


async def test_without_an_address_of_its_own_the_one_that_is_asked_is_linked(town: Town) -> None:
    await tell(town.house, notification(fresh(), externalURL="javascript:alert(1)"))
    made = await town.silenced()
    base = town.alertmanagers[0].url
    assert made["link"] == f"{base}/#/silences/{made['silence_id']}"


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


async def warned(town: Town) -> None:
    """Once, within two minutes; the service asks the Alertmanager while the clock stands still."""
    for _ in range(120):
        if await town.told("silence_expiring"):
            break
        await town.clock.advance(seconds=1, settle=0.05)
    assert len(await town.told("silence_expiring")) == 1


async def test_a_warning_before_it_ends_while_the_alert_fires(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="2h")
    await town.clock.advance(minutes=109)
    assert await town.told("silence_expiring") == []
    await warned(town)
    await town.clock.advance(minutes=5)
    assert len(await town.told("silence_expiring")) == 1


async def test_a_short_one_is_warned_of_in_its_last_tenth(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="10m")
    await town.clock.advance(minutes=8, seconds=50)
    assert await town.told("silence_expiring") == []
    await warned(town)


async def test_no_warning_where_another_one_goes_on(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="2h")
    await town.silenced(duration="4h", by="Bia")
    await town.clock.advance(minutes=115, settle=0.02)
    assert await town.told("silence_expiring") == []


async def test_it_ends_at_its_time(town: Town) -> None:
    await town.fire(fresh())
    await town.silenced(duration="4s")
    (over,) = await town.until(lambda all_: all_[0]["state"] == "ended")
    assert over["ended_by"] is None
    (entry,) = await town.told("silence_ended")
    assert entry["data"]["early"] is False


def test_the_default_pass_is_what_these_tests_think() -> None:
    from app.config import Verify  # noqa: PLC0415

    assert Verify().every == timedelta(seconds=EVERY)
