"""The connection that a mail is handed in over."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.errors import Ambiguous, DeliveryFailed, DestinationDead, TryLater
from app.notifiers.smtp import Letter, MailServer
from app.values import SmtpServer as Settings
from app.values import parse_smtp_url
from tests.neighbours.certificates import Certificate, make_certificate
from tests.neighbours.smtp import Fault, SmtpServer

SENDER = "plantao@example.com"
A, B, C = LETTERS = [
    Letter(f"{name}@example.com", b"Subject: on call\r\n\r\nIt burns.\r\n") for name in "abc"
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as server:
        yield server


async def send(
    server: SmtpServer, letters: Sequence[Letter] = LETTERS
) -> dict[Letter, DeliveryFailed]:
    return await MailServer(parse_smtp_url(server.url)).send(SENDER, letters)


def taken(server: SmtpServer) -> list[str]:
    """Who was sent something, by the first letter of their address, as often as it was."""
    return [each.recipients[0][0] for each in server.mailbox.messages]


def kinds(refused: dict[Letter, DeliveryFailed]) -> dict[Letter, type[DeliveryFailed]]:
    return {letter: type(error) for letter, error in refused.items()}


# Letters that were taken are not sent again for the sake of the others


async def test_a_server_that_takes_one_mail_over_a_connection_takes_all_over_several(
    server: SmtpServer,
) -> None:
    server.per_connection = 1
    assert await send(server) == {}
    assert taken(server) == ["a", "b", "c"]


async def test_whoever_waits_when_the_server_has_had_enough_is_put_off(server: SmtpServer) -> None:
    server.takes = 1
    refused = await send(server)
    assert kinds(refused) == {B: TryLater, C: TryLater}
    assert {error.code for error in refused.values()} == {"451"}
    server.heal()
    assert await send(server, list(refused)) == {}
    assert taken(server) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.REFUSED, DestinationDead),
        (Fault.GREYLISTED, TryLater),
        (Fault.DROPPED_AT_RCPT, TryLater),
        (Fault.UNAVAILABLE, TryLater),
        (Fault.DROPPED_UNRECORDED, Ambiguous),
    ],
)
@pytest.mark.parametrize("letter", LETTERS)
async def test_what_goes_wrong_with_one_letter_is_nothing_to_the_others(
    server: SmtpServer, letter: Letter, fault: Fault, kind: type[DeliveryFailed]
) -> None:
    server.fail(fault, recipient=letter.recipient, times=10)
    assert kinds(await send(server)) == {letter: kind}
    assert taken(server) == [each.recipient[0] for each in LETTERS if each is not letter]


async def test_an_address_that_cannot_be_written_is_nothing_to_the_others(
    server: SmtpServer,
) -> None:
    strange = Letter("ação@example.com", B.data)
    assert kinds(await send(server, [A, strange, C])) == {strange: DestinationDead}
    assert taken(server) == ["a", "c"]


async def test_where_nobody_takes_it_doubt_weighs_most(server: SmtpServer) -> None:
    server.fail(Fault.REFUSED, recipient=A.recipient)
    server.fail(Fault.DROPPED_AFTER_RECORDING, recipient=B.recipient)
    server.fail(Fault.GREYLISTED, recipient=C.recipient)
    with pytest.raises(Ambiguous):
        await send(server)


# Handing in has a deadline as a whole


async def hurried(server: SmtpServer) -> dict[Letter, DeliveryFailed]:
    """What comes of them within two seconds, with all the time in the world for each answer."""
    mails = MailServer(parse_smtp_url(server.url), timeout=60, deadline=2)
    async with asyncio.timeout(15):
        return await mails.send(SENDER, LETTERS)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.SILENT_AT_RCPT, TryLater), (Fault.SILENT_AFTER_DATA, Ambiguous)],
)
async def test_who_still_waits_at_the_deadline_is_put_off(
    server: SmtpServer, fault: Fault, kind: type[DeliveryFailed]
) -> None:
    server.fail(fault, recipient=B.recipient)
    refused = await hurried(server)
    assert kinds(refused) == {B: kind, C: TryLater}
    assert await send(server, list(refused)) == {}
    assert taken(server) == ["a", "b", "c"]


async def test_a_server_that_says_nothing_is_left_at_the_deadline(server: SmtpServer) -> None:
    server.delay = 60
    with pytest.raises(TryLater):
        await hurried(server)


# Connections


def test_a_server_that_does_not_hang_up_keeps_no_connection(tmp_path: Path) -> None:
    """Over TLS, asyncio waits for the server's goodbye, and a loop that ends first leaves the
    socket to the garbage; the warning about that fails this test."""
    certificate = make_certificate(tmp_path)
    with clinging(certificate) as port:
        settings = Settings("127.0.0.1", port, tls="tls")
        asyncio.run(MailServer(settings, tls_context=certificate.client_context()).check())
    gc.collect()


@contextmanager
def clinging(certificate: Certificate) -> Iterator[int]:
    """A server over TLS, for one connection, which it leaves open; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with context.wrap_socket(raw, server_side=True) as connection:
            connection.sendall(b"220 ready\r\n")
            while not connection.recv(1000).startswith(b"QUIT"):
                connection.sendall(b"250 fine\r\n")
            connection.sendall(b"221 bye\r\n")
            over.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()
