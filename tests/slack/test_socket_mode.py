"""Over Socket Mode the same: nothing lost that Slack sends again, nothing done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.clock import FakeClock
from tests.neighbours.slack import APP_TOKEN, Fault, Message, Workspace
from tests.slack.workplace import Workplace, workplace


def in_socket_mode(clock: FakeClock) -> Workspace:
    slack = Workspace(clock=clock.time)
    slack.app.socket_mode = True
    return slack


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    given: dict[str, Any] = {"slack_signing_secret": None, "slack_app_token": APP_TOKEN}
    async with workplace(tmp_path, workspace=in_socket_mode, **given) as each:
        yield each


async def connected(work: Workplace, count: int = 1) -> None:
    await work.play(lambda: work.slack.sockets.count == count, seconds=60, step=0.25)


async def test_buttons_modals_commands_and_events(work: Workplace) -> None:
    await connected(work)
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.acknowledge")
    await work.shows(root, "Acknowledged by Ana Souza")
    await ana.click(root, "incident.note")
    modal = await ana.expect_modal_soon("Note")
    modal.fill("text", "  ")
    await modal.submit()
    assert modal.errors == {"text": "Write something, or cancel."}
    modal.fill("text", "over a socket")
    await modal.submit()
    await work.said(root, "over a socket")
    await ana.command("/plantao list")
    await ana.expect_ephemeral_soon("1 open incident")
    said = ana.say("in the thread", thread_of=root)
    await ana.react(said, "pushpin")
    await noted(work, 2)


async def noted(work: Workplace, count: int) -> None:
    for _ in range(400):
        found = await work.entries("note")
        if len(found) == count:
            return
        await work.clock.advance(seconds=0.25, settle=0.02)  # Slack is asked in real time
    raise AssertionError(f"{count} notes, not {found}")


async def test_without_a_signing_secret_nothing_is_heard_over_http(work: Workplace) -> None:
    answer = await work.house.http.post("/slack/interactions", content=b"payload={}")
    assert answer.status_code == 404


async def test_the_next_connection_is_there_before_the_last_one_goes(work: Workplace) -> None:
    await connected(work)
    work.slack.sockets.warn()
    await connected(work, 2)
    root, ana = await work.incident(), work.slack.person("ana")
    await ana.click(root, "incident.acknowledge")
    await work.shows(root, "Acknowledged by Ana Souza")
    await ana.click(root, "incident.unacknowledge")
    await work.shows(root, "CRITICAL", without="Acknowledged")


async def test_slack_asks_to_come_again(work: Workplace) -> None:
    await connected(work)
    opened = work.slack.sockets.opened
    work.slack.sockets.refresh()
    await work.play(lambda: work.slack.sockets.opened > opened, seconds=30, step=0.25)
    await connected(work)
    ana = work.slack.person("ana")
    await ana.command("/plantao who")
    await ana.expect_ephemeral_soon("not set up")


@pytest.mark.parametrize("kind", ["ratelimited", "http_error", "drop"])
async def test_no_connection_for_a_while(
    work: Workplace, kind: Literal["ratelimited", "http_error", "drop"]
) -> None:
    await connected(work)
    fault = Fault(kind, method="apps.connections.open", times=2)
    work.slack.faults.add(fault)
    work.slack.sockets.cut()
    await work.play(lambda: fault.spent, seconds=60)
    await connected(work)


async def connected_after(work: Workplace, seconds: float) -> None:
    """By the simulated clock, which waits for connections that are made in real time: on a slow
    machine it would reach the next cut before each of them."""
    await work.clock.advance(seconds=seconds, settle=0.002)
    for _ in range(3000):  # 15 s; the clock creeps on, since pauses go by it
        if work.slack.sockets.count:
            return
        await work.clock.advance(seconds=0.001, settle=0.005)


@pytest.mark.timeout(400)  # some eighty connections, on whatever machine
async def test_a_hundred_events_while_the_connection_is_cut_every_five_seconds(
    work: Workplace,
) -> None:
    await connected(work)
    root, ana = await work.incident(), work.slack.person("ana")
    work.slack.sockets.cut_every(5)
    said: list[Message] = []
    for number in range(100):
        # Between two cuts: what is said at one is sent again at others, after 60 and 300 seconds.
        await work.clock.advance(seconds=0.1)
        said.append(ana.say(f"message {number}", thread_of=root))
        ana.react(said[-1], "pushpin")
        await connected_after(work, 0.4)
    for _ in range(720):  # until Slack's last retry
        await connected_after(work, 0.5)
    work.slack.sockets.cut_every(None)
    for _ in range(600):
        notes = await work.entries("note")
        if len(notes) == len(said):
            break
        await work.clock.advance(seconds=0.5)
    assert sorted(n["data"]["text"] for n in notes) == sorted(m.text for m in said)
    assert await work.entries("note_edited") == []


async def test_what_was_cut_before_its_acknowledgement_comes_again_and_counts_once(
    work: Workplace,
) -> None:
    await connected(work)
    root, ana = await work.incident(), work.slack.person("ana")
    said = ana.say("a consumer hangs", thread_of=root)
    work.slack.sockets.cut_after = "reaction_added"
    ana.react(said, "pushpin")

    def sent() -> list[int]:
        """The attempts that Slack made, as it counts them."""
        envelopes = [each for each in work.slack.sockets.envelopes if "event" in each["payload"]]
        told = [each for each in envelopes if each["payload"]["event"]["type"] == "reaction_added"]
        return [each["retry_attempt"] for each in told]

    await work.play(lambda: len(sent()) > 1, seconds=400, step=0.5)
    assert sent()[0] == 0
    assert sent()[-1] > 0
    await noted(work, 1)
    await work.clock.advance(seconds=30)
    assert len(await work.entries("note")) == 1
    assert await work.entries("note_edited") == []
