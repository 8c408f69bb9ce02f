from __future__ import annotations

import asyncio
import email
import email.policy
import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.core.events import Acknowledged
from app.core.notices import Notice
from app.core.person import Person
from app.errors import Ambiguous, ContentRefused, DeliveryFailed, DestinationDead, TryLater
from app.notifiers.email import EmailNotifier
from app.notifiers.notifier import DETAILS, ROOT, Mark
from app.notifiers.smtp import MailServer
from app.values import SmtpServer as Settings
from app.values import parse_smtp_url
from tests.neighbours.smtp import Delivery, Fault, SmtpServer
from tests.notifiers import known
from tests.notifiers.samples import (
    LOCALES,
    MINUTE,
    START,
    ZONE,
    alert,
    enormous,
    every_kind,
    hostile,
    notice,
    reported,
)

SENDER = "plantao@example.com"
ADDRESS = "ana@example.com"
BOTH = "ana@example.com, bruno@example.com"
NOTICES = {**dict(every_kind()), "hostile": hostile(), "enormous": enormous()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as server:
        yield server


@pytest.fixture
def mail(server: SmtpServer) -> EmailNotifier:
    return notifier(server.url)


def act_link(incident: int, recipient: str) -> str:
    return f"https://plantao.example.com/act/{incident}.{recipient.partition('@')[0]}"


def notifier(url: str) -> EmailNotifier:
    return EmailNotifier(
        MailServer(parse_smtp_url(url)), sender=SENDER, zone=ZONE, act_link=act_link
    )


async def send(mail: EmailNotifier, shown: Notice, locale: str = "en", *, to: str = ADDRESS) -> str:
    message = mail.root(shown, locale=locale, plain=False)
    return await mail.post(to, message, Mark(12, "a1b2c3", ROOT))


async def answer(mail: EmailNotifier, shown: Notice, root: str) -> str:
    message = mail.reply(shown, shown.entries[-1:], locale="en", plain=False)
    number = shown.entries[-1].number
    return await mail.post(ADDRESS, message, Mark(12, "a1b2c3", number), root=root)


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    return text.get_content(), html.get_content()


async def sent(mail: EmailNotifier, server: SmtpServer, shown: Notice) -> Delivery:
    await send(mail, shown)
    return server.mailbox.messages[-1]


# What is sent


async def test_a_mail(mail: EmailNotifier, server: SmtpServer) -> None:
    delivery = await sent(mail, server, NOTICES["triggered"])
    message = delivery.message
    assert delivery.sender == SENDER
    assert delivery.recipients == ("ana@example.com",)
    assert message["Subject"] == "[Plantão #12] CRITICAL HighErrorRate: checkout is failing"
    assert message["To"] == ADDRESS
    assert message["From"] == f"Plantão <{SENDER}>"
    assert message["Message-ID"] == "<plantao.a1b2c3.0@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<plantao.example.com>"
    assert message["Date"]
    assert message["In-Reply-To"] is None
    for part in parts(message):
        assert "Look at the model server first." in part
        assert "2 firing" in part
        assert "instance=a" in part
        assert "https://runbooks.example.com/HighErrorRate" in part


async def test_a_thread_keeps_its_subject_whatever_becomes_of_the_incident(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    root = await send(mail, NOTICES["triggered"])
    labels = {"alertname": "Another", "severity": "info"}
    other = alert(labels=labels, annotations={"summary": "something else"})
    changed = notice(reported(alert()), reported(other), Acknowledged(Person("Ana")))
    await answer(mail, changed, root)
    first, reply = (delivery.message for delivery in server.mailbox.messages)
    assert reply["Subject"] == f"Re: {first['Subject']}"
    assert reply["In-Reply-To"] == reply["References"] == first["Message-ID"]
    assert reply["Message-ID"] == "<plantao.a1b2c3.3@example.com>"
    for part in parts(reply):
        assert "Acknowledged by Ana" in part


async def test_a_repeat_is_the_same_message(mail: EmailNotifier, server: SmtpServer) -> None:
    assert await send(mail, NOTICES["triggered"]) == await send(mail, NOTICES["triggered"])
    one, two = (delivery.message["Message-ID"] for delivery in server.mailbox.messages)
    assert one == two


async def test_plain_is_text_alone(mail: EmailNotifier, server: SmtpServer) -> None:
    message = mail.root(NOTICES["triggered"], locale="en", plain=True)
    await mail.post(ADDRESS, message, Mark(12, "a1b2c3", ROOT))
    assert server.mailbox.messages[0].message.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("name", "shown", "not_shown"),
    [
        ("triggered", ["acknowledge", "silence", "note", "resolve"], []),
        ("acknowledged", ["silence", "note", "resolve"], ["acknowledge"]),
        ("resolved", ["note"], ["acknowledge", "silence", "resolve"]),
    ],
)
async def test_what_can_be_done_from_a_mail(
    mail: EmailNotifier, server: SmtpServer, name: str, shown: list[str], not_shown: list[str]
) -> None:
    text, html = parts((await sent(mail, server, NOTICES[name])).message)
    assert [f"#{each}" in html for each in (*shown, *not_shown)] == [
        *(True for _ in shown),
        *(False for _ in not_shown),
    ]
    assert text.count("https://plantao.example.com/act/12.ana") == 1


async def test_without_links_nothing_is_offered(server: SmtpServer) -> None:
    mail = EmailNotifier(MailServer(parse_smtp_url(server.url)), sender=SENDER, zone=ZONE)
    for part in parts((await sent(mail, server, NOTICES["triggered"])).message):
        assert "Acknowledge" not in part
        assert "act" not in re.findall(r"\w+", part)


class _Html(HTMLParser):
    """What a mail's HTML holds: tags, and where links and pictures lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.leads: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.leads += [value or "" for name, value in attrs if name in {"href", "src"}]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NOTICES)
async def test_no_content_breaks_out(
    mail: EmailNotifier, server: SmtpServer, name: str, locale: str
) -> None:
    await send(mail, NOTICES[name], locale)
    raw = server.mailbox.messages[0].raw
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message["Bcc"] is None
    assert len(message.get_all("Subject", [])) == 1
    assert not message.defects
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    text, html = parts(message)
    page = _Html(html)
    assert not page.tags & {"script", "iframe", "b", "link"}
    assert all(re.match("https?://|cid:chart.plantao.", address) for address in page.leads)
    assert "javascript:" not in " ".join(page.leads)
    for shown in (text, html, str(message["Subject"])):
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(html.encode()) < 102_000  # Gmail hides the rest of a longer one


# Context


async def test_the_chart_is_in_the_mail_itself(mail: EmailNotifier, server: SmtpServer) -> None:
    message = (await sent(mail, server, NOTICES["known"])).message
    assert message.get_content_type() == "multipart/alternative"
    text, related = message.iter_parts()
    assert [text.get_content_type(), related.get_content_type()] == [
        "text/plain",
        "multipart/related",
    ]
    assert isinstance(related, EmailMessage)
    page, picture = related.iter_parts()
    assert isinstance(page, EmailMessage)
    assert isinstance(picture, EmailMessage)
    assert page.get_content_type() == "text/html"
    assert picture.get_content_type() == "image/png"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content()[:8] == b"\x89PNG\r\n\x1a\n"
    shown = page.get_content()
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in shown
    assert shown.count("<img") == 1
    assert 'alt="Chart of ScoringLatencyHigh: 830 ms, above 500 ms' in shown


async def test_text_tells_what_html_does(mail: EmailNotifier, server: SmtpServer) -> None:
    message = (await sent(mail, server, NOTICES["known"])).message
    page = parts(message)
    shown = [page[0], unescape(re.sub(r"<[^>]+>", "", page[1]))]
    for line in (
        "830 ms, above 500 ms for 4 min",
        "Serving pix-fraud v3 (champion for 4 min, before: v2)",
        "pix-fraud: champion 2 → 3, 4 min before",
        "last time #17: “restarted the scorer”",
        "Now: 762 ms (03:22)",
        "Likely affects #14 PixDecisionsLate",
        "2. If it began with a promotion",
        known.EXPRESSION,
    ):
        assert all(line in each for each in shown), line
    for each in page:
        assert "https://plantao.example.com/console/incidents/17" in each
        assert "https://ci.example.com/881" in each


async def test_context_that_was_late_is_a_mail_of_its_own(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    root = await send(mail, NOTICES["triggered"])
    late = mail.details(NOTICES["known"], locale="en", plain=False)
    assert late is not None
    await mail.post(ADDRESS, late, Mark(12, "a1b2c3", DETAILS), root=root)
    first, second = (delivery.message for delivery in server.mailbox.messages)
    assert second["In-Reply-To"] == first["Message-ID"] != second["Message-ID"]
    for part in parts(second):
        assert "champion for 4 min" in part
    assert "image/png" in {part.get_content_type() for part in second.walk()}


def test_context_is_sent_once_and_only_while_it_helps() -> None:
    mail = notifier("smtp://localhost")
    late = {name: mail.details(NOTICES[name], locale="en", plain=False) for name in NOTICES}
    assert late["known"] is not None
    assert late["known, over"] is None
    assert late["triggered"] is late["nobody knows"] is late["first time"] is None
    roots = {name: mail.root(NOTICES[name], locale="en", plain=False) for name in NOTICES}
    assert roots["known"].whole
    assert not roots["triggered"].whole


async def test_plain_has_no_picture(mail: EmailNotifier, server: SmtpServer) -> None:
    message = mail.root(NOTICES["known"], locale="en", plain=True)
    await mail.post(ADDRESS, message, Mark(12, "a1b2c3", ROOT))
    assert server.mailbox.messages[0].message.get_content_type() == "text/plain"


def test_the_root_says_how_it_ended() -> None:
    shown = notice(reported(alert()), reported(alert(ends=START + MINUTE)))
    mail = notifier("smtp://localhost")
    payload = mail.root(shown, locale="pt-BR", plain=False).payload
    assert payload["subject"] == "[Plantão #12] Resolvido · HighErrorRate: checkout is failing"
    assert "Durou 1 min" in payload["text"]
    assert mail.details(shown, locale="pt-BR", plain=False) is None


# Failures


async def failure(mail: EmailNotifier, to: str = ADDRESS) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await send(mail, NOTICES["triggered"], to=to)
    assert "geheim" not in f"{caught.value!r}"
    return caught.value


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.REFUSED, DestinationDead),
        (Fault.GREYLISTED, TryLater),
        (Fault.UNAVAILABLE, TryLater),
        (Fault.DROPPED_UNRECORDED, Ambiguous),
        (Fault.DROPPED_AFTER_RECORDING, Ambiguous),
    ],
)
async def test_a_mail_that_goes_wrong(
    mail: EmailNotifier, server: SmtpServer, fault: Fault, kind: type[DeliveryFailed]
) -> None:
    server.fail(fault)
    assert type(await failure(mail)) is kind
    kept = int(fault is Fault.DROPPED_AFTER_RECORDING)
    assert len(server.mailbox.messages) == kept
    await send(mail, NOTICES["triggered"])
    assert len(server.mailbox.messages) == kept + 1


async def test_a_server_that_takes_too_long(server: SmtpServer) -> None:
    server.delay = 60.0
    settings = parse_smtp_url(server.url)
    slow = EmailNotifier(MailServer(settings, timeout=0.1), sender=SENDER, zone=ZONE)
    assert type(await failure(slow)) is TryLater


async def test_each_recipient_has_a_link_of_their_own(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    await send(mail, NOTICES["triggered"], to=BOTH)
    for delivery, name in zip(server.mailbox.messages, ("ana", "bruno"), strict=True):
        assert delivery.recipients == (f"{name}@example.com",)
        assert delivery.message["To"] == BOTH
        for part in parts(delivery.message):
            found = re.findall(r"https://plantao.example.com/act/([\w.]+)", part)
            assert set(found) == {f"12.{name}"}
    one, two = (delivery.message for delivery in server.mailbox.messages)
    for header in ("Message-ID", "Subject", "Thread-Index"):
        assert one[header] == two[header]


async def test_one_recipient_is_enough(mail: EmailNotifier, server: SmtpServer) -> None:
    server.fail(Fault.REFUSED, recipient="ana@example.com")
    await send(mail, NOTICES["triggered"], to=BOTH)
    (delivery,) = server.mailbox.messages
    assert delivery.recipients == ("bruno@example.com",)


async def test_a_recipient_who_may_be_taken_later_is_worth_a_repeat(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    server.fail(Fault.REFUSED, recipient="ana@example.com")
    server.fail(Fault.GREYLISTED, recipient="bruno@example.com")
    assert type(await failure(mail, BOTH)) is TryLater


async def test_who_perhaps_has_it_gets_it_again_and_nobody_else_does(
    mail: EmailNotifier, server: SmtpServer
) -> None:
    server.fail(Fault.DROPPED_AFTER_RECORDING, recipient=ADDRESS)
    root = await send(mail, NOTICES["triggered"], to=BOTH)
    left = mail.unreached(root)
    assert left is not None
    assert left.why.startswith(ADDRESS)
    await mail.catch_up(root)
    assert mail.unreached(root) is None
    recipients = [each.recipients[0] for each in server.mailbox.messages]
    assert recipients == [ADDRESS, "bruno@example.com", ADDRESS]
    assert len({each.message["Message-ID"] for each in server.mailbox.messages}) == 1


async def test_nobody_to_send_to(mail: EmailNotifier) -> None:
    assert type(await failure(mail, " , ")) is DestinationDead


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert type(await failure(notifier(f"smtp://127.0.0.1:{port}"))) is TryLater


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        (["554 no service here"], DestinationDead),
        (["421 busy"], TryLater),
        (["220 hi", "250 hi", "250 ok", "250 ok", "554 spam"], ContentRefused),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "554 no"], ContentRefused),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "451 no"], TryLater),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go"], Ambiguous),
        (["220 hi", "250 hi", "250 ok"], TryLater),
        (["220 hi", "250 hi", "550 not you"], DestinationDead),
        (["220 hi", "nonsense"], TryLater),
        ([], TryLater),
    ],
)
async def test_what_servers_say(replies: list[str], kind: type[DeliveryFailed]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, reply in enumerate(replies):
            if number:
                await reader.readuntil(b"\r\n.\r\n" if replies[number - 1][:3] == "354" else b"\n")
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
        if replies and replies[-1][:3] == "354":
            await reader.readuntil(b"\r\n.\r\n")
        writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    assert type(await failure(notifier(f"smtp://127.0.0.1:{port}"))) is kind
    listener.close()
    await listener.wait_closed()


# Who we are to the server


async def test_user_and_password(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, user="ana", password="geheim") as server:
        mail = notifier(server.url)
        await send(mail, NOTICES["triggered"])
        assert server.mailbox.messages[0].authenticated_as == "ana"
        assert await mail.check() == f"127.0.0.1:{server.port} as ana (none)"
        wrong = notifier(server.url.replace("geheim", "geheimnis"))
        assert type(await failure(wrong)) is DestinationDead
        with pytest.raises(DestinationDead, match="user or password"):
            await wrong.check()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_encrypted(tmp_path: Path, tls: str) -> None:
    with SmtpServer(tmp_path, tls="starttls" if tls == "starttls" else "implicit") as server:
        assert server.certificate is not None
        settings = parse_smtp_url(server.url)
        trust = server.certificate.client_context()
        mail = EmailNotifier(MailServer(settings, tls_context=trust), sender=SENDER, zone=ZONE)
        await send(mail, NOTICES["triggered"])
        assert server.mailbox.messages[0].encrypted
        error = await failure(EmailNotifier(MailServer(settings), sender=SENDER, zone=ZONE))
        assert type(error) is DestinationDead
        assert error.code == "certificate"


async def test_starttls_that_is_not_offered_sends_nothing(server: SmtpServer) -> None:
    settings = Settings("127.0.0.1", server.port, tls="starttls")
    error = await failure(EmailNotifier(MailServer(settings), sender=SENDER, zone=ZONE))
    assert type(error) is DestinationDead
    assert not server.mailbox.messages


@pytest.mark.parametrize("address", ["", " , ", "ação@example.com", "a\r\nBcc: x@y"])
async def test_an_address_that_cannot_be_used(mail: EmailNotifier, address: str) -> None:
    message = mail.root(NOTICES["triggered"], locale="en", plain=False)
    with pytest.raises(DeliveryFailed):
        await mail.post(address, message, Mark(12, "a1b2c3", ROOT))
