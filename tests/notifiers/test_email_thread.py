"""Threads as mail programs make them, from what really came out of the mail server."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.core.notices import Notice
from app.notifiers.email import EmailNotifier
from app.notifiers.email_thread import thread_index
from app.notifiers.notifier import DETAILS, ROOT, Mark
from app.notifiers.smtp import MailServer
from app.values import parse_smtp_url
from tests.neighbours.smtp import SmtpServer
from tests.notifiers import known
from tests.notifiers.samples import ZONE, alert, every_kind, notice, reported, with_context

TO = "ana@example.com"
SHOWN = [shown for _, shown in every_kind()]
PORTUGUESE = alert(annotations={"summary": "a taxa de erros da cobrança não para de subir há 1 h"})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as server:
        yield server


@pytest.fixture
def mail(server: SmtpServer) -> EmailNotifier:
    where = MailServer(parse_smtp_url(server.url))
    return EmailNotifier(where, sender="plantao@example.com", zone=ZONE)


async def thread(
    mail: EmailNotifier, server: SmtpServer, notices: Sequence[Notice], *, mark: str = "a1"
) -> list[EmailMessage]:
    """The first mail of an incident, what the sources said, and a reply for each notice after."""
    before = len(server.mailbox.messages)
    first = mail.root(notices[0], locale="pt-BR", plain=False)
    root = await mail.post(TO, first, Mark(12, mark, ROOT))
    late = mail.details(with_context(known.full()), locale="pt-BR", plain=False)
    assert late is not None
    await mail.post(TO, late, Mark(12, mark, DETAILS), root=root)
    for number, shown in enumerate(notices[1:], start=1):
        news = mail.reply(shown, shown.entries[-1:], locale="pt-BR", plain=False)
        await mail.post(TO, news, Mark(12, mark, number), root=root)
    return [delivery.message for delivery in server.mailbox.messages[before:]]


def by_references(mails: Sequence[EmailMessage]) -> dict[str, str]:
    """Each mail's parent, as mutt and Thunderbird find it: the last of its References that is
    there, else In-Reply-To (the algorithm of Jamie Zawinski, https://www.jwz.org/doc/threading.html).
    """
    there = {str(each["Message-ID"]) for each in mails}
    parents = {}
    for each in mails:
        named = f"{each['References'] or ''} {each['In-Reply-To'] or ''}".split()
        parents[str(each["Message-ID"])] = next((n for n in reversed(named) if n in there), "")
    return parents


def topic(each: EmailMessage) -> str:
    """The subject as Gmail and Outlook compare it."""
    subject = str(each["Subject"])
    return subject.removeprefix("Re: ")


async def test_all_mails_of_an_incident_are_one_thread(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    mails = await thread(mail, server, SHOWN)
    parents = by_references(mails)
    root = str(mails[0]["Message-ID"])
    assert parents.pop(root) == ""
    assert set(parents.values()) == {root}
    assert len(parents) == len(SHOWN)  # every mail has a name of its own
    assert len({topic(each) for each in mails}) == 1
    assert [str(each["Subject"])[:4] for each in mails[1:]] == ["Re: "] * len(SHOWN)


async def test_the_thread_holds_though_its_first_mail_was_deleted(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    mails = (await thread(mail, server, SHOWN))[1:]
    assert len({str(each["References"]) for each in mails}) == 1
    assert len({str(each["Thread-Index"])[:29] for each in mails}) == 1


async def test_outlook_sees_a_thread_of_replies_to_the_first_mail(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    mails = await thread(mail, server, SHOWN)
    first, *replies = [base64.b64decode(str(each["Thread-Index"])) for each in mails]
    assert len(first) == 22
    assert first[0] == 1
    assert {len(each) for each in replies} == {27}
    assert {each[:22] for each in replies} == {first}
    assert {str(each["Thread-Topic"]) for each in mails} == {topic(mails[0])}


async def test_two_incidents_are_two_threads_whatever_they_are_called(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    one = await thread(mail, server, SHOWN[:2])
    other = await thread(mail, server, SHOWN[:2], mark="b2")
    parents = by_references([*one, *other])
    assert sorted(parents.values()).count("") == 2
    assert str(one[0]["Thread-Index"])[:29] != str(other[0]["Thread-Index"])[:29]


async def test_a_subject_that_has_to_be_folded_and_encoded_stays_the_same(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    mails = await thread(mail, server, [notice(reported(PORTUGUESE)), *SHOWN[1:3]])
    assert {topic(each) for each in mails} == {
        "[Plantão #12] CRÍTICO HighErrorRate: a taxa de erros da cobrança não para de subir há 1 h"
    }


async def test_nobody_answers_a_machine_by_machine(mail: EmailNotifier, server: SmtpServer) -> None:
    for each in await thread(mail, server, SHOWN[:2]):
        assert each["Auto-Submitted"] == "auto-generated"
        assert each["X-Auto-Response-Suppress"] == "All"


@pytest.mark.parametrize("host", ["[127.0.0.1]", "[IPv6:::1]"])
async def test_a_sender_at_a_host_without_a_name(server: SmtpServer, host: str) -> None:
    where = MailServer(parse_smtp_url(server.url))
    mail = EmailNotifier(where, sender=f"plantao@{host}", zone=ZONE)
    first, *_ = await thread(mail, server, SHOWN[:1])
    assert first["From"].addresses[0].addr_spec == f"plantao@{host}"
    assert first["Message-ID"] == f"<plantao.a1.0@{host}>"
    assert first["List-Id"] == "<plantao.localhost>"
    assert not first.defects


@pytest.mark.parametrize("years", [0, 1, 2, 30])
def test_later_replies_have_a_later_place(years: int) -> None:
    """The four bytes after the thread's 22 say how much later, and sort by that."""
    at = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(days=365 * years)
    places = [
        base64.b64decode(thread_index("<a@b>", reply_at=at + timedelta(seconds=seconds)))[22:26]
        for seconds in (0, 2, 60, 86_400)
    ]
    assert places == sorted(set(places))
