"""Slack fails in every way it can: exactly one root, no reply twice, and all is shown at last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clock import FakeClock
from tests.engine.stage import CHANNEL, DIRECT, Stage, playing, stage
from tests.house import alert
from tests.neighbours.slack import Call, Fault, Message, SlackServer, Workspace
from tests.waiting import soon

A = alert("KafkaLag", instance="a", severity="critical")
B = alert("KafkaLag", instance="b", severity="critical")
A_OVER = alert("KafkaLag", instance="a", severity="critical", status="resolved")
B_OVER = alert("KafkaLag", instance="b", severity="critical", status="resolved")

BROKEN = [
    "drop",
    "record_then_drop",
    "reset",
    "record_then_reset",
    "http_error",
    "record_then_http_error",
    "truncated",
    "cut_json",
    "ratelimited",
    "error",
]


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_call_that_breaks_is_made_good_at_every_step(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path) as play:
        post = "chat.postMessage"
        play.slack.faults.add(Fault(kind, method=post, only="root"))
        play.slack.faults.add(Fault(kind, method=post, only="reply"))  # the details
        play.slack.faults.add(Fault(kind, method=post, only="reply", skip=1))
        play.slack.faults.add(Fault(kind, method="chat.update"))
        await play.fire(A)
        root = await play.root("CRITICAL", channel=CHANNEL)
        await play.reply(root, "instance=a")
        await play.fire(A, B)
        await play.reply(root, "1 more alert firing")
        await play.fire(A_OVER, B_OVER)
        await play.reply(root, "Resolved after")
        assert "Resolved" in root
        await play.quiet()
        assert all(fault.spent for fault in play.slack.faults.queue)
        assert (await play.posting())["state"] == "shown"


@pytest.mark.parametrize("kind", ["hang", "record_then_hang"])
async def test_a_call_that_hangs_is_given_up_and_looked_for(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path) as play:
        play.slack.faults.add(Fault(kind, method="chat.postMessage", only="root"))
        await play.fire(A)
        await play.play(lambda: len(play.slack.all_messages()) == 2, seconds=3600)
        root = await play.root("CRITICAL")
        await play.reply(root, "instance=a")
        await play.quiet()


async def test_a_survey_that_fails_is_repeated_before_anything_is_posted(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.faults.add(Fault("record_then_drop", method="chat.postMessage", only="root"))
        play.slack.faults.add(Fault("http_error", method="conversations.history", times=3))
        play.slack.faults.add(Fault("ratelimited", method="conversations.list", retry_after=7))
        await play.fire(A)
        root = await play.root("CRITICAL")
        await play.reply(root)
        await play.quiet()


async def test_what_changed_while_in_doubt_is_shown_by_an_edit(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.faults.add(Fault("record_then_drop", method="chat.postMessage", only="root"))
        await play.fire(A)
        root = await play.root("CRITICAL")
        await play.fire(A_OVER)
        await play.shows(root, "Resolved", without="CRITICAL")
        await play.reply(root, "instance=a")
        await play.reply(root, "Resolved after")
        await play.quiet()


async def taken(play: Stage, root: Message) -> None:
    """Somebody takes the incident on, the root says so, and hands it back at once."""
    await play.house.http.post("/incidents/1/acknowledge", json={"by": "ana"})

    async def said() -> bool:
        return "Acknowledged" in root

    await soon(said)
    await play.house.http.post("/incidents/1/unacknowledge", json={"by": "ana"})


@pytest.mark.parametrize("kind", ["record_then_drop", "record_then_http_error"])
async def test_an_edit_that_nobody_knows_of_is_undone_with_its_reason(
    tmp_path: Path, kind: str
) -> None:
    """What is to be shown is what was shown before the edit that may have been made."""
    async with stage(tmp_path) as play:
        await play.fire(A)
        root = await play.root("CRITICAL")
        await play.reply(root)
        await play.quiet()
        play.slack.faults.add(Fault(kind, method="chat.update"))
        await taken(play, root)
        await play.shows(root, "CRITICAL", without="Acknowledged")
        await play.quiet()


async def test_an_edit_before_a_crash_is_undone_with_its_reason(tmp_path: Path) -> None:
    clock = FakeClock()
    slack = Workspace(clock=clock.time)
    with SlackServer(slack) as server:
        async with playing(tmp_path, clock, slack, server.api_url, DIRECT) as play:
            await play.fire(A)
            root = await play.root("CRITICAL")
            await play.reply(root)
            await play.quiet()
            slack.faults.add(Fault("record_then_hang", method="chat.update"))
            await taken(play, root)
        async with playing(tmp_path, clock, slack, server.api_url, DIRECT) as play:
            await play.shows(root, "CRITICAL", without="Acknowledged")
            await play.quiet()


async def test_blocks_that_are_refused_become_plain_text(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        refused = Fault("error", error="invalid_blocks", when=_has_blocks, times=None)
        play.slack.faults.add(refused)
        await play.fire(A)
        root = await play.root("CRITICAL")
        assert not root.blocks
        await play.reply(root, "instance=a")
        await play.fire(A_OVER)
        await play.shows(root, "Resolved", without="CRITICAL")
        await play.reply(root, "Resolved after")
        await play.quiet()
        assert refused.struck == 1


def _has_blocks(call: Call) -> bool:
    return bool(call.arguments.get("blocks"))


async def test_a_deleted_thread_is_posted_anew(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.fire(A)
        first = await play.root("CRITICAL")
        await play.reply(first)
        await play.quiet()
        play.slack.remove(first)
        await play.fire(A, B)
        second = await play.root("CRITICAL")
        assert second.ts != first.ts
        await play.reply(second, "Labels and alerts")
        await play.reply(second, "1 more alert firing")
        await play.fire(A_OVER, B_OVER)
        await play.shows(second, "Resolved", without="CRITICAL")
        await play.reply(second, "Resolved after")
        await play.quiet()


@pytest.mark.parametrize("missing", ["error", "unthread"])
async def test_a_reply_never_stands_alone(tmp_path: Path, missing: str) -> None:
    def workspace(clock: FakeClock) -> Workspace:
        return Workspace(clock=clock.time, missing_thread=missing)  # type: ignore[arg-type]

    async with stage(tmp_path, workspace=workspace) as play:
        await play.fire(A)
        first = await play.root("CRITICAL")
        details = await play.reply(first)
        await play.quiet()
        play.slack.remove(details)
        play.slack.remove(first)
        note = {"by": "ana", "text": "still looking"}
        await play.house.http.post("/incidents/1/notes", json=note)
        await play.play(lambda: any("CRITICAL" in m for m in play.slack.roots()))
        second = await play.root("CRITICAL")
        await play.reply(second, "instance=a")
        await play.reply(second, "still looking")
        await play.quiet()
        assert [m.ts for m in play.slack.roots()] == [second.ts]


async def test_deleted_details_come_back_below_the_same_root(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.fire(A)
        root = await play.root("CRITICAL")
        play.slack.remove(await play.reply(root))
        await play.fire(A, B)
        await play.reply(root, "1 more alert firing")
        await play.reply(root, "Labels and alerts")
        await play.quiet()


async def test_a_message_that_can_no_longer_be_edited_is_replaced(tmp_path: Path) -> None:
    def workspace(clock: FakeClock) -> Workspace:
        return Workspace(clock=clock.time, edit_window=60)

    async with stage(tmp_path, workspace=workspace) as play:
        await play.fire(A)
        first = await play.root("CRITICAL")
        await play.reply(first)
        await play.clock.advance(minutes=5)
        await play.fire(A_OVER)
        second = await play.root("Resolved")
        assert first.deleted
        await play.reply(second, "instance=a")
        await play.reply(second, "Resolved after")
        await play.quiet()


async def test_without_the_scopes_to_look_it_posts_rather_than_stays_silent(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as play:
        play.slack.set_scopes("chat:write")
        play.slack.faults.add(Fault("drop", method="chat.postMessage", only="root"))
        await play.fire(A)
        root = await play.root("CRITICAL")
        await play.reply(root)
        await play.quiet()
