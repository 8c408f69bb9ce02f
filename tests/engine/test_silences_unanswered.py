"""Silences while Alertmanager is down, hangs, or is half of a pair."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.silence_town import QUIET, Town, beside, fresh
from tests.house import notification
from tests.neighbours.alertmanager import Alertmanager, alertmanager_pair
from tests.neighbours.processes import eventually
from tests.waiting import tell
from tests.web.problems import assert_problem

pytestmark = pytest.mark.neighbour


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    with Alertmanager(tmp_path, QUIET) as alertmanager:
        async with beside(tmp_path, alertmanager) as town:
            yield town


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


async def test_who_acts_is_a_person_as_everywhere(town: Town) -> None:
    await town.fire(fresh())
    town.alertmanagers[0].kill()
    waiting = (await town.silence(retry=True, by="Ana <ana@example.com>")).json()
    assert waiting["by"] == "Ana"
    over = (await town.end(waiting["id"], by="Bia <slack:U2>")).json()
    assert over["ended_by"] == "Bia"
    told = [*await town.told("silence_delayed"), *await town.told("silence_ended")]
    assert [(entry["actor"], entry["data"]["by"]) for entry in told] == [
        ("Ana", "Ana"),
        ("Bia", "Ana"),
    ]


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
