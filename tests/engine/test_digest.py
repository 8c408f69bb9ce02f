"""The weekly digest: told once, to whom it is for, whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.store import digests
from tests.clock import FakeClock
from tests.engine.stage import Stage, stage
from tests.house import alert
from tests.neighbours.slack import Fault
from tests.neighbours.smtp import Fault as MailFault
from tests.neighbours.smtp import SmtpServer

#: The clock begins on a Monday, at 03:00 in São Paulo.
CONFIG = """
receivers:
  oncall: {console: true}
  leads: {slack: {channel: "#fraude-plantao"}, locale: pt-BR}
routes: {receiver: oncall}
reopen_within: 5s
digest: {receiver: leads, day: monday, at: "03:02"}
"""
BY_MAIL = CONFIG.replace(
    'leads: {slack: {channel: "#fraude-plantao"}, locale: pt-BR}',
    "leads: {email: {to: [ana@example.com, bia@example.com]}}",
)
TITLE = "A semana de plantão"


async def week(play: Stage) -> None:
    """Three incidents that ended by themselves, and one that somebody took, before 03:02."""
    for _ in range(3):
        at = play.clock.now().isoformat()
        await play.fire(alert("Flaky", severity="warning", starts=at))
        await play.clock.advance(seconds=10, settle=0.02)
        await play.fire(alert("Flaky", severity="warning", status="resolved", ends=at))
        await play.clock.advance(seconds=6, settle=0.02)
    await play.fire(alert("KafkaLag", severity="critical"))
    await play.clock.advance(seconds=30, settle=0.02)
    await play.house.http.post("/incidents/4/acknowledge", json={"by": "ana"})


async def waiting(play: Stage) -> bool:
    """Whether a digest is still to be sent, or to be looked for."""
    ever = play.clock.now() + timedelta(days=1)
    return await play.house.context.db.read(digests.any_due, now=ever)


async def settled(play: Stage) -> None:
    for _ in range(60):
        if not await waiting(play):
            return
        await play.clock.advance(seconds=10)
    pytest.fail("the digest is not settled")


async def test_the_week_is_told_once_in_its_reader_s_language(tmp_path: Path) -> None:
    clock = FakeClock()
    async with stage(tmp_path, config=CONFIG, clock=clock) as play:
        await week(play)
        assert not play.slack.all_messages()
        root = await play.root(TITLE, channel="#fraude-plantao")
        assert "4 incidentes" in root
        assert "Flaky: 3 de 3 incidentes terminaram sozinhos" in root
        assert "Reconhecidos: metade em até 30 s" in root
        await play.quiet()


async def test_a_restart_tells_nothing_twice_and_a_week_later_the_next_is_due(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with stage(tmp_path, config=CONFIG, clock=clock) as play:
        await clock.advance(minutes=2, settle=0.01)
        await play.root(TITLE)
        await play.quiet()
    clock.jump(days=6, hours=23, minutes=50)
    async with stage(tmp_path, config=CONFIG, clock=clock) as play:
        await clock.advance(minutes=1)
        assert not play.slack.all_messages()
        clock.jump(minutes=12)
        await play.root(TITLE)
        await play.quiet()


@pytest.mark.parametrize("kind", ["record_then_drop", "ratelimited", "http_error"])
async def test_whatever_slack_does_it_is_there_once(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path, config=CONFIG) as play:
        play.slack.faults.add(Fault(kind, method="chat.postMessage", only="root"))
        await play.clock.advance(minutes=2, settle=0.01)
        await play.root(TITLE)
        await settled(play)
        assert len(play.slack.all_messages()) == 1


@pytest.mark.parametrize("kind", ["ratelimited", "http_error"])
async def test_a_look_that_fails_leaves_it_in_doubt(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path, config=CONFIG) as play:
        play.slack.faults.add(Fault("record_then_drop", method="chat.postMessage", only="root"))
        look = play.slack.faults.add(Fault(kind, method="conversations.history"))
        await play.clock.advance(minutes=2, settle=0.01)
        await play.root(TITLE)
        await settled(play)
        assert look.struck == 1
        assert len(play.slack.all_messages()) == 1


async def test_where_the_channel_is_dead_it_goes_by_mail(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        mail: dict[str, Any] = {"smtp_url": smtp.url, "email_from": "plantao@example.com"}
        async with stage(tmp_path, config=CONFIG, email_to="ana@example.com", **mail) as play:
            play.slack.archive("#fraude-plantao")
            await play.clock.advance(minutes=2, settle=0.01)
            await play.play(lambda: bool(smtp.mailbox.messages), step=5)
            await play.clock.advance(minutes=10, settle=0.01)
        [told] = smtp.mailbox.messages
    assert TITLE in str(told.message["Subject"])


async def test_a_week_that_is_long_over_is_not_told(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.jump(days=3)
    async with stage(tmp_path, config=CONFIG, clock=clock) as play:
        await clock.advance(minutes=2)
        assert not play.slack.calls("chat.postMessage")


async def test_by_mail_it_is_a_thread_of_its_own_that_nobody_acts_from(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        sender = "plantao@example.com"
        async with stage(tmp_path, config=BY_MAIL, smtp_url=smtp.url, email_from=sender) as play:
            await week(play)
            await play.play(lambda: len(smtp.mailbox.messages) == 2, step=5)
        message = smtp.mailbox.messages[0].message
    assert message["Subject"].startswith("[Plantão] The week on call: 16 Nov to 23 Nov")
    assert "In-Reply-To" not in message
    parts = (message.get_body((form,)) for form in ("plain", "html"))
    text, html = (part.get_content() for part in parts if part)
    for body in (text, html):
        assert "4 incidents" in body
        assert "Flaky" in body
        assert "/act/" not in body
        assert "receiver leads" in body
    assert "\x00" not in text


async def test_who_takes_no_mail_for_now_is_told_later_and_the_others_once(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        smtp.fail(MailFault.GREYLISTED, recipient="ana@example.com", times=3)
        async with stage(tmp_path, config=BY_MAIL, smtp_url=smtp.url) as play:
            await play.clock.advance(minutes=2, settle=0.01)
            await play.play(lambda: len(smtp.mailbox.messages) == 2, seconds=600, step=10)
            await play.clock.advance(minutes=20, settle=0.01)
        told = [each.recipients[0] for each in smtp.mailbox.messages]
        assert told == ["bia@example.com", "ana@example.com"]
        assert smtp.happened[MailFault.GREYLISTED] == 3


async def test_who_never_takes_it_is_given_up(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        smtp.fail(MailFault.GREYLISTED, recipient="ana@example.com", times=100)
        async with stage(tmp_path, config=BY_MAIL, smtp_url=smtp.url) as play:
            await play.clock.advance(minutes=90, settle=0.01)
        assert [each.recipients[0] for each in smtp.mailbox.messages] == ["bia@example.com"]
        assert smtp.happened[MailFault.GREYLISTED] == 7
