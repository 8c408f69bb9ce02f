"""The buttons of the root: who presses them, what it says then, and who was too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clock import FakeClock
from tests.forms import opened
from tests.house import alert
from tests.neighbours.slack import Fault, Hitch, SlackServer, Workspace
from tests.slack.workplace import PORTUGUESE, Workplace, at_work, workplace


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path) as each:
        yield each


async def test_acknowledge_hand_back_and_resolve(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.acknowledge")
    await work.shows(root, "Acknowledged by Ana Souza")
    await ana.click(root, "incident.unacknowledge")
    await work.shows(root, "CRITICAL", without="Acknowledged")
    await work.fire(alert("KafkaLag", status="resolved", severity="critical"))
    await work.shows(root, "Resolved")
    assert [e["actor"] for e in await work.entries("acknowledged")] == ["Ana Souza"]
    assert "incident.acknowledge" not in {each["action_id"] for each in root.buttons}


async def test_two_people_press_acknowledge_in_the_same_instant(work: Workplace) -> None:
    root = await work.incident()
    ana, bruno = work.slack.person("ana"), work.slack.person("bruno")
    both = [ana.click(root, "incident.acknowledge"), bruno.click(root, "incident.acknowledge")]
    await asyncio.gather(*both)
    await work.shows(root, "Acknowledged by")
    (taken,) = await work.entries("acknowledged")
    late = bruno if taken["actor"] == "Ana Souza" else ana
    told = await late.expect_ephemeral_soon(f"already acknowledged by {taken['actor']} at 03:0")
    assert "#1" in told
    assert await work.state() == "acknowledged"


async def test_who_is_late_is_told_in_the_channels_language_and_zone(tmp_path: Path) -> None:
    async with workplace(tmp_path, config=PORTUGUESE) as work:
        root, ana = await work.incident(), work.slack.person("ana")
        await work.house.http.post(
            "/incidents/1/resolve", json={"by": "Zé <ze@example.com>", "force": True}
        )
        await ana.command("/plantao ack 1")
        await ana.expect_ephemeral_soon("O incidente #1 já foi resolvido por Zé às 03:0")
        await work.shows(root, "Resolvido por Zé")
        assert await work.state() == "resolved"


async def test_a_name_with_markup_is_shown_as_it_is(work: Workplace) -> None:
    root = await work.incident()
    eve = work.slack.add_user("eve", "*Eve* <!channel> &amp; <@U0ANA>")
    await work.slack.person(eve.id).click(root, "incident.acknowledge")
    await work.shows(root, "Eve")
    assert root.mentions == []
    bruno = work.slack.person("bruno")
    await bruno.command("/plantao ack 1")
    told = await bruno.expect_ephemeral_soon("already acknowledged by")
    assert "<!channel>" in told.visible_text
    assert told.mentions == []


async def test_to_resolve_what_still_fires_asks_first(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.resolve")
    modal = await ana.expect_modal_soon("1 alert still fires")
    modal.close()
    assert await work.state() == "triggered"

    await ana.click(root, "incident.resolve")
    modal = await ana.expect_modal_soon("1 alert still fires")
    await modal.submit()
    await work.shows(root, "Resolved by Ana Souza")
    assert not modal.is_open


async def test_write_a_note(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.note")
    modal = await ana.expect_modal_soon("Note")
    modal.fill("text", "  ")
    await modal.submit()
    assert modal.errors == {"text": "Write something, or cancel."}
    modal.fill("text", "p99 > 3s, <!here> *look*")
    await modal.submit()
    reply = await work.said(root, "Note by Ana Souza: p99 > 3s, <!here>")
    assert reply.mentions == []
    (note,) = await work.entries("note")
    assert note["data"]["text"] == "p99 > 3s, <!here> *look*"


async def test_assign(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.assign")
    modal = await ana.expect_modal_soon("Who takes care of it?")
    assert modal.value("person") == ana.id
    modal.fill("person", "U0BRUNO")
    await modal.submit()
    await work.shows(root, "Assigned to Bruno Lima")
    called = await work.said(root, "by Ana Souza")
    assert called.mentions == ["@U0BRUNO"]
    assert called.text.startswith("👤 Assigned to <@U0BRUNO> by Ana Souza")


async def test_nobody_is_called_to_what_they_took_themselves(work: Workplace) -> None:
    root, bruno = await work.incident(), work.slack.person("bruno")
    await bruno.click(root, "incident.acknowledge")
    await work.shows(root, "Acknowledged by Bruno Lima")
    await work.clock.advance(seconds=30)
    assert not [each for each in work.slack.replies(root) if each.mentions]

    # Whom Slack knows by the address is called, too.
    body = {"by": "CI", "to": "Ana <Ana@Example.com>"}
    assert (await work.house.http.post("/incidents/1/assign", json=body)).status_code == 200
    assert (await work.said(root, "by CI")).mentions == ["@U0ANA"]


async def test_the_console_knows_people_as_slack_does(work: Workplace) -> None:
    root, bruno = await work.incident(), work.slack.person("bruno")
    page = await asyncio.to_thread(opened, f"{work.url}/console/incidents/1")
    await asyncio.to_thread(page.press, "Assign", to="Bruno <Bruno@Example.com>")
    assert (await work.said(root, "by console")).mentions == [f"@{bruno.id}"]


async def test_nothing_is_assigned_to_a_bot(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.assign")
    modal = await ana.expect_modal_soon()
    modal.fill("person", "U0PLANTAO")
    await modal.submit()
    await ana.expect_ephemeral_soon("only be assigned to an active person")
    assert await work.entries("assigned") == []


async def test_mute_the_replies(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.choose(root, "incident.more", "mute:1")
    await work.play(lambda: "unmute:1" in str(root.attachments))
    await ana.choose(root, "incident.more", "unmute:1")
    await work.play(lambda: "unmute:1" not in str(root.attachments))
    assert [e["actor"] for e in await work.entries("replies_muted")] == ["Ana Souza"]


async def test_a_button_pressed_while_the_service_restarts(tmp_path: Path) -> None:
    clock = FakeClock()
    with SlackServer(Workspace(clock=clock.time)) as server:
        async with at_work(tmp_path, clock, server) as work:
            root, ana = await work.incident(), work.slack.person("ana")
        await ana.click(root, "incident.acknowledge").warning()
        async with at_work(tmp_path, clock, server) as work:
            work.slack.allow(thread_of=root)
            await ana.click(root, "incident.acknowledge")
            await work.shows(root, "Acknowledged by Ana Souza")
            assert len(await work.entries("acknowledged")) == 1
            await work.quiet()


async def test_a_press_that_slack_brings_twice_counts_once(work: Workplace) -> None:
    root, ana = await work.incident(), work.slack.person("ana")
    work.slack.hitches.add(Hitch("twice", to="interactive"))
    await ana.click(root, "incident.note")
    modal = await ana.expect_modal_soon("Note")
    modal.fill("text", "only once")
    work.slack.hitches.add(Hitch("twice", to="interactive"))
    await modal.submit()
    await work.said(root, "only once")
    await work.quiet()
    assert len(await work.entries("note")) == 1


async def test_fifty_presses_a_second_are_answered_at_once_while_slack_is_slow(
    work: Workplace,
) -> None:
    root = await work.incident()
    work.slack.faults.add(Fault("hang", method="users.info", seconds=30, times=None))
    people = [work.slack.add_user(f"p{n}", f"Person {n}") for n in range(50)]
    pressed = [work.slack.person(each.id).click(root, "incident.acknowledge") for each in people]
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(each for each in pressed))
    assert asyncio.get_running_loop().time() - started < 3
    await work.shows(root, "Acknowledged by p")
    (taken,) = await work.entries("acknowledged")
    for each in people:
        if each.name != taken["actor"]:
            told = work.slack.person(each.id).expect_ephemeral_soon("already acknowledged by p")
            await told
