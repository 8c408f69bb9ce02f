"""What people do, and what the threads show of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.events import NoteAdded, NoteEdited, NoteRemoved, NoteSource
from app.core.person import Person
from app.errors import NotFound
from tests.engine.stage import CHANNEL, Stage, stage
from tests.engine.test_delivery import A_OVER, LATER, A, B, lag, opened
from tests.neighbours.slack import Fault
from tests.neighbours.smtp import SmtpServer

ANA, BIA = Person("Ana", "slack:U1"), Person("Bia", "slack:U2")
BOTH = f"""
receivers: {{oncall: {{slack: {{channel: '{CHANNEL}'}}, email: {{to: [oncall@example.com]}}}}}}
routes: {{receiver: oncall}}
"""


async def act(play: Stage, action: str, **body: object) -> None:
    answer = await play.house.http.post(f"/incidents/1/{action}", json={"by": "ana"} | body)
    assert answer.status_code == 200, answer.text


async def test_the_root_says_who_has_it_and_since_when(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        await act(play, "assign", to="bia")
        await play.shows(root, "Assigned to bia, 03:0")
        await act(play, "acknowledge")
        await play.shows(root, "Acknowledged by ana, 03:0")
        assert "Assigned to bia" in root
        await act(play, "unacknowledge", by="bia")
        await play.shows(root, "CRITICAL", without="Acknowledged")
        await act(play, "resolve", force=True)
        await play.shows(root, "Resolved by ana", without="Acknowledged")
        assert "Assigned to bia" in root
        await play.reply(root, "Resolved by ana after")
        await play.quiet()


async def test_a_muted_thread_hears_of_the_end_and_of_a_reopening_only(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        root = await opened(play, A)
        await act(play, "mute")
        await play.shows(root, "Replies muted by ana")
        await play.fire(A, B)
        await act(play, "notes", text="nobody is told of this")
        await play.shows(root, "2 firing")
        await play.quiet()
        await play.fire(A_OVER, lag("b", status="resolved"))
        await play.reply(root, "Resolved after")
        await play.clock.advance(minutes=3)
        await play.fire(lag("a", starts=LATER))
        await play.reply(root, "Reopened: firing again")
        await play.fire(lag("c"))
        await play.shows(root, "2 firing")
        await act(play, "unmute")
        await play.shows(root, "2 firing", without="muted")
        await play.quiet()  # what was not told meanwhile is not told any more
        await act(play, "notes", text="this is told")
        await play.reply(root, "this is told")
        await play.quiet()


async def test_a_note_from_the_thread_goes_everywhere_but_there(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        async with stage(
            tmp_path, config=BOTH, smtp_url=smtp.url, email_from="plantao@example.com"
        ) as play:
            root = await opened(play, A)
            reference = (await play.posting())["reference"]
            at = play.clock.now()
            source = NoteSource("slack:C1:17.5", "Bia", at, "https://x.example/p", reference)
            note = NoteAdded(ANA, "the broker is out of disk", source)
            act = play.house.context.actions.act
            after = await act(1, note)
            assert after.notes[1].author == "Bia"
            assert "Note by Bia: the broker is out of disk" in await mail(play, smtp, 2)
            assert (await act(1, note)).revision == after.revision  # again: nothing changes
            await act(1, NoteEdited(BIA, source.key, "its disk is full"))
            assert "Note by Bia, edited: its disk is full" in await mail(play, smtp, 3)
            await act(1, NoteRemoved(BIA, source.key))
            assert "removed by Bia" in await mail(play, smtp, 4)
            await play.quiet()
            await act(1, note)
            await mail(play, smtp, 5)
            await act(1, NoteEdited(ANA, 1, "edited elsewhere"))
            await play.reply(root, "Note by Bia, edited: edited elsewhere")
            assert "edited elsewhere" in await mail(play, smtp, 6)
            with pytest.raises(NotFound):
                await act(1, NoteRemoved(BIA, "slack:C1:99.9"))


async def mail(play: Stage, smtp: SmtpServer, number: int) -> str:
    """The text of so-and-so-manieth mail, which comes in time."""
    await play.play(lambda: len(smtp.mailbox.messages) >= number)
    body = smtp.mailbox.messages[number - 1].message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_a_note_taken_back_before_anybody_was_told_is_not_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, A)
        play.slack.faults.add(Fault("ratelimited", retry_after=30))
        act = play.house.context.actions.act
        await act(1, NoteAdded(ANA, "a secret"))
        await play.clock.advance(seconds=5)
        await act(1, NoteRemoved(ANA, 1))
        await play.quiet()
        assert play.rate_limited()
        assert not any("secret" in message for message in play.slack.all_messages())
