"""The SMTP neighbour receives as a mail server does and fails as one."""

import ssl
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from tests.neighbours.smtp import Fault, SmtpServer, Tls

pytestmark = pytest.mark.neighbour


def _message(subject: str = "Incidente 7: latência alta") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "plantao@example.com"
    message["To"] = "ana@example.com, bia@example.com"
    message["Subject"] = subject
    message.set_content("Olá.\n.\n..uma linha com pontos\n")
    return message


async def _send(
    server: SmtpServer,
    message: EmailMessage | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
    trust: ssl.SSLContext | None = None,
    patience: float = 10,
) -> dict[str, aiosmtplib.SMTPResponse]:
    own = server.certificate.client_context() if server.certificate else None
    refused, _ = await aiosmtplib.send(
        message or _message(),
        hostname="127.0.0.1",
        port=server.port,
        username=user,
        password=password,
        use_tls=server.tls == "implicit",
        start_tls=server.tls == "starttls",
        tls_context=trust or own,
        timeout=patience,
    )
    return refused


async def test_a_message_arrives_parsed_with_its_envelope(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as server:
        assert await _send(server) == {}
        (delivery,) = server.mailbox.wait_for(1)
    assert delivery.message["Subject"] == "Incidente 7: latência alta"
    assert delivery.message.get_content() == "Olá.\n.\n..uma linha com pontos\n"
    assert delivery.sender == "plantao@example.com"
    assert delivery.recipients == ("ana@example.com", "bia@example.com")
    assert (delivery.encrypted, delivery.authenticated_as) == (False, None)
    assert server.url == f"smtp://127.0.0.1:{server.port}"


async def test_one_recipient_is_refused_and_the_other_is_not(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as server:
        server.fail(Fault.REFUSED, recipient="ana@example.com")
        refused = await _send(server)
        assert {address: reply[0] for address, reply in refused.items()} == {"ana@example.com": 550}
        assert server.mailbox.messages[0].recipients == ("bia@example.com",)
        assert server.happened == {Fault.REFUSED: 1}


async def test_greylisting_ends(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as server:
        server.fail(Fault.GREYLISTED, times=2)
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refusal:
            await _send(server)
        assert {reply.code for reply in refusal.value.recipients} == {451}
        assert server.mailbox.messages == []
        assert await _send(server) == {}
        assert len(server.mailbox.messages) == 1


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize(
    ("fault", "kept"), [(Fault.DROPPED_AFTER_RECORDING, 1), (Fault.DROPPED_UNRECORDED, 0)]
)
async def test_a_dropped_connection_says_nothing_of_the_message(
    tmp_path: Path, fault: Fault, kept: int, tls: Tls
) -> None:
    with SmtpServer(tmp_path, tls=tls) as server:
        server.fail(fault)
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await _send(server)
        assert len(server.mailbox.messages) == kept
        await _send(server)
        assert len(server.mailbox.messages) == kept + 1


async def test_a_full_server_keeps_nothing(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as server:
        server.fail(Fault.UNAVAILABLE, times=5)
        with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
            await _send(server)
        assert refusal.value.code == 452
        assert server.mailbox.messages == []
        server.heal()
        await _send(server)
        assert len(server.mailbox.messages) == 1


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_a_login_is_asked_for(tmp_path: Path, tls: Tls) -> None:
    with SmtpServer(tmp_path, user="plantão", password="p@ss:wörd", tls=tls) as server:
        with pytest.raises(aiosmtplib.SMTPException):
            await _send(server)
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await _send(server, user="plantão", password="wrong")
        assert server.mailbox.messages == []
        await _send(server, user="plantão", password="p@ss:wörd")
        (delivery,) = server.mailbox.messages
    assert delivery.authenticated_as == "plantão"
    assert delivery.encrypted == (tls != "none")
    assert "plant%C3%A3o:p%40ss%3Aw%C3%B6rd@127.0.0.1" in server.url


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_its_certificate_is_nobody_elses(tmp_path: Path, tls: Tls) -> None:
    with (
        SmtpServer(tmp_path, tls=tls) as server,
        pytest.raises((aiosmtplib.SMTPConnectError, ssl.SSLError), match="certificate verify"),
    ):
        await _send(server, trust=ssl.create_default_context())


async def test_a_slow_server_outlasts_a_short_patience(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as server:
        server.delay = 30
        with pytest.raises(aiosmtplib.SMTPConnectTimeoutError):
            await _send(server, patience=0.3)
        server.heal()
        await _send(server)
    assert len(server.mailbox.messages) == 1
