"""One incident, one thread, kept true: the story that every incident goes through."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.engine.stage import CHANNEL, Stage, stage
from tests.house import alert
from tests.neighbours.slack import Fault, Message
from tests.neighbours.smtp import SmtpServer

LATER = "2026-11-23T07:30:00Z"


def lag(instance: str, **more: Any) -> dict[str, Any]:
    return alert("KafkaLag", instance=instance, severity="critical", **more)


A, B = lag("a"), lag("b")
A_OVER, B_OVER = lag("a", status="resolved"), lag("b", status="resolved")


async def opened(play: Stage, *alerts: dict[str, Any]) -> Message:
    """The thread of these alerts, its root and details expected."""
    await play.fire(*alerts)
    root = await play.root("CRITICAL", channel=CHANNEL)
    await play.reply(root, "Labels and alerts" if len(alerts) > 1 else "instance")
    return root


async def test_the_root_says_it_and_the_details_follow(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.fire(A)
        root = await play.root("CRITICAL", channel=CHANNEL)
        assert "KafkaLag" in root
        details = await play.reply(root, "instance=a")
        assert details.ts > root.ts
        await play.quiet()
        posting = await play.posting()
        assert (posting["state"], posting["attempts"]) == ("shown", 0)
        assert posting["reference"] == f"{root.channel}:{root.ts}"


async def test_replies_tell_what_happened_in_order(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        await play.fire(A, B)
        await play.reply(root, ["1 more alert firing", "instance=b"])
        await play.fire(A, B_OVER)
        await play.reply(root, ["1 alert resolved", "instance=b"])
        await play.fire(A_OVER, B_OVER)
        await play.reply(root, "Resolved after")
        await play.clock.advance(minutes=3)
        await play.fire(lag("a", starts=LATER))
        await play.reply(root, "Reopened: firing again")
        await play.fire(lag("a", starts=LATER, ends="2026-11-23T07:35:00Z", status="resolved"))
        await play.reply(root, "Resolved after")
        await play.quiet()
        assert (await play.posting())["shown_revision"] == (await play.house.incident(1))[
            "revision"
        ]


async def test_colour_and_headline_follow_the_state(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        burning = root.colors
        await play.house.http.post("/incidents/1/acknowledge", json={"by": "ana"})
        await play.shows(root, "Acknowledged by ana")
        taken = root.colors
        await play.fire(A_OVER)
        await play.shows(root, "🟢 Resolved", without="🟡")
        assert "Acknowledged by ana" in root  # who it was can be read after the end, too
        assert len({*burning, *taken, *root.colors}) == 3
        await play.reply(root, "Resolved after")
        await play.quiet()


async def test_a_thousand_changes_in_a_minute_become_few_calls(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        before = len(play.slack.calls())
        for second in range(20):
            for number in range(50):
                await play.fire(lag("a", annotations={"summary": f"lag of {second * 50 + number}"}))
            await play.clock.advance(seconds=3, settle=0.005)
        await play.shows(root, "lag of 999")
        assert 2 <= len(play.slack.calls()) - before <= 70  # a call a second, at most
        await play.quiet()
        assert (await play.house.incident(1))["revision"] == 1001


async def test_what_comes_while_the_thread_waits_is_told_in_one_reply(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        play.slack.faults.add(Fault("ratelimited", retry_after=30))
        for name in "bcdefghij":
            await play.fire(lag(name))
        await play.reply(root, ["9 more alerts firing", "instance=b"])
        await play.quiet()


async def test_a_note_is_told_and_a_repeat_is_not(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        await play.house.http.post(
            "/incidents/1/notes", json={"by": "ana", "text": "the broker is out of disk"}
        )
        await play.reply(root, ["Note by ana", "the broker is out of disk"])
        for _ in range(3):
            await play.fire(A)
            await play.fire(A, externalURL="http://the-other-twin:9093")
        await play.quiet()


async def test_a_hundred_copies_at_once_are_one_thread(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await asyncio.gather(*(play.fire(A) for _ in range(100)))
        root = await play.root("CRITICAL")
        await play.reply(root)
        await play.quiet()
        assert len(await play.house.incidents()) == 1


async def test_email_tells_the_same_story_in_one_thread(tmp_path: Path) -> None:
    config = "receivers: {oncall: {email: {to: [oncall@example.com]}}}\nroutes: {receiver: oncall}"
    with SmtpServer(tmp_path) as smtp:
        async with stage(
            tmp_path, config=config, smtp_url=smtp.url, email_from="plantao@example.com"
        ) as play:
            await play.fire(A)
            await play.play(lambda: len(smtp.mailbox.messages) == 1)
            await play.fire(A, B)
            await play.play(lambda: len(smtp.mailbox.messages) == 2)
            await play.house.http.post("/incidents/1/acknowledge", json={"by": "ana"})
            await play.play(lambda: len(smtp.mailbox.messages) == 3)
            await play.fire(A_OVER, B_OVER)
            await play.play(lambda: len(smtp.mailbox.messages) == 4)
            await play.quiet()
        root, *replies = [each.message for each in smtp.mailbox.messages]
        assert "KafkaLag" in root["Subject"]
        assert all(reply["In-Reply-To"] == root["Message-ID"] for reply in replies)
        assert len({reply["Message-ID"] for reply in replies}) == 3
        said = ["1 more alert firing", "Acknowledged by ana", "Resolved after"]
        bodies = [reply.get_body(("plain",)) for reply in replies]
        assert all(
            body and text in body.get_content() for body, text in zip(bodies, said, strict=True)
        )
