"""Messages of people become notes while they are marked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.stage import DIRECT
from tests.neighbours.slack import Fault, Hitch, Message, Person
from tests.slack.workplace import Workplace, workplace


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path) as each:
        yield each


@pytest.fixture
def ana(work: Workplace) -> Person:
    return work.slack.person("ana")


@pytest.fixture
def bruno(work: Workplace) -> Person:
    return work.slack.person("bruno")


async def notes(work: Workplace) -> list[dict[str, object]]:
    """The notes there are, as the timeline tells them."""
    found = await work.entries("note")
    gone = {each["data"]["note"] for each in await work.entries("note_removed")}
    return [each["data"] for each in found if each["data"]["note"] not in gone]


async def noted(work: Workplace, count: int) -> list[dict[str, object]]:
    for _ in range(500):
        if len(found := await notes(work)) == count:
            return found
        await work.clock.advance(seconds=0.1)
    raise AssertionError(f"{count} notes, not {found}")


async def test_a_reaction_makes_a_note_and_taking_it_off_removes_it(
    work: Workplace, ana: Person, bruno: Person
) -> None:
    root = await work.incident()
    said = ana.say("<@U0BRUNO> the broker is *back*: p99 &lt; 3s", thread_of=root)
    await bruno.react(said, "pushpin")
    (note,) = await noted(work, 1)
    assert note["text"] == "@Bruno Lima the broker is *back*: p99 < 3s"
    assert note["author"] == "Ana Souza"
    assert said.ts.replace(".", "") in str(note["link"])
    assert str(note["written_at"]).startswith("2026-11-23T06:00")
    (entry,) = await work.entries("note")
    assert entry["actor"] == "Bruno Lima"  # who marked it

    await ana.react(said, "pushpin")
    await bruno.unreact(said, "pushpin")  # Ana's is still there
    await ana.react(said, "eyes")
    assert len(await noted(work, 1)) == 1
    await ana.unreact(said, "pushpin")
    await noted(work, 0)
    assert len(await work.entries("note")) == 1


async def test_a_note_follows_when_its_message_is_edited_or_deleted(
    work: Workplace, ana: Person
) -> None:
    root = await work.incident()
    said = ana.say("the broker is back", thread_of=root)
    await ana.react(said, "pushpin")
    await noted(work, 1)
    await ana.edit(said, "the broker is gone again")
    for _ in range(200):
        edited = await work.entries("note_edited")
        if edited:
            break
        await work.clock.advance(seconds=0.1)
    assert edited[0]["data"]["text"] == "the broker is gone again"
    await ana.delete(said)
    await noted(work, 0)


async def test_messages_that_are_no_notes_follow_nothing(work: Workplace, ana: Person) -> None:
    root = await work.incident()
    said = ana.say("only talking", thread_of=root)
    await ana.edit(said, "only talking, really")
    await ana.delete(said)
    elsewhere = ana.say("not in a thread of ours")
    await ana.react(elsewhere, "pushpin")
    await ana.react(root, "pushpin")
    await work.quiet()
    assert await notes(work) == []


async def test_the_shortcut_adds_and_its_answer_takes_back(
    work: Workplace, ana: Person, bruno: Person
) -> None:
    root = await work.incident()
    said = ana.say("disk replaced", thread_of=root)
    await bruno.shortcut("timeline.add", said)
    told = await bruno.expect_ephemeral_soon("stands in the timeline of #1")
    (note,) = await notes(work)
    assert (note["text"], note["author"]) == ("disk replaced", "Ana Souza")
    await bruno.click(told, "timeline.remove")
    await bruno.expect_ephemeral_soon("no longer stands")
    assert await notes(work) == []


@pytest.mark.parametrize("where", ["root", "elsewhere"])
async def test_the_shortcut_says_where_it_does_not_fit(
    work: Workplace, ana: Person, where: str
) -> None:
    root = await work.incident()
    message: Message = root if where == "root" else ana.say("lunch?")
    await ana.shortcut("timeline.add", message)
    await ana.expect_ephemeral_soon("Only messages that people write in the thread")


async def test_an_event_that_slack_sends_again_is_not_applied_again(
    work: Workplace, ana: Person
) -> None:
    root = await work.incident()
    said = ana.say("the broker is back", thread_of=root)
    work.slack.hitches.add(Hitch("answer_lost", to="events_api", times=2))
    ana.react(said, "pushpin")
    await noted(work, 1)
    await work.clock.advance(seconds=120)
    assert len(await work.entries("note")) == 1
    assert await work.entries("note_edited") == []


async def test_a_mark_waits_for_slack_to_show_the_message(work: Workplace, ana: Person) -> None:
    root = await work.incident()
    said = ana.say("the broker is back", thread_of=root)
    fault = Fault("ratelimited", method="conversations.replies", retry_after=4)
    work.slack.faults.add(fault)
    await ana.react(said, "pushpin")
    await noted(work, 1)


async def test_another_emoji(tmp_path: Path) -> None:
    config = f"{DIRECT}slack: {{note_emoji: ':memo:'}}\n"
    async with workplace(tmp_path, config=config) as work:
        root, ana = await work.incident(), work.slack.person("ana")
        said = ana.say("the broker is back", thread_of=root)
        await ana.react(said, "pushpin")
        await ana.react(said, "memo")
        await noted(work, 1)
