"""A real SMTP server on loopback, with a mailbox and with faults on demand."""

import asyncio
import email
import email.policy
import socket
import ssl
import threading
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from enum import Enum
from pathlib import Path
from typing import Any, AnyStr, Literal, Self
from urllib.parse import quote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.neighbours.certificates import Certificate, make_certificate
from tests.neighbours.processes import eventually

Tls = Literal["none", "starttls", "implicit"]


class Fault(Enum):
    """What can go wrong on demand."""

    REFUSED = "550 5.1.1 no such mailbox here"  # at RCPT; final
    GREYLISTED = "451 4.7.1 greylisted, try again later"  # at RCPT; a later try may succeed
    DROPPED_AT_RCPT = "drop: rcpt"  # instead of an answer to RCPT
    SILENT_AT_RCPT = "silence: rcpt"  # no answer to RCPT, and the connection stays
    UNAVAILABLE = "452 4.3.1 insufficient system storage"  # the answer to DATA; nothing is kept
    DROPPED_AFTER_RECORDING = "drop: kept"  # after DATA: in the mailbox, and no answer
    DROPPED_UNRECORDED = "drop: lost"  # after DATA: not in the mailbox, and no answer
    SILENT_AFTER_DATA = "silence: data"  # not in the mailbox, no answer, and the connection stays


_AT_RCPT = (Fault.REFUSED, Fault.GREYLISTED, Fault.DROPPED_AT_RCPT, Fault.SILENT_AT_RCPT)
_AFTER_DATA = (
    Fault.UNAVAILABLE,
    Fault.DROPPED_UNRECORDED,
    Fault.DROPPED_AFTER_RECORDING,
    Fault.SILENT_AFTER_DATA,
)
_DROPPED = (Fault.DROPPED_AT_RCPT, Fault.DROPPED_UNRECORDED, Fault.DROPPED_AFTER_RECORDING)
_SILENT = (Fault.SILENT_AT_RCPT, Fault.SILENT_AFTER_DATA)


@dataclass(frozen=True)
class Delivery:
    """One message as it was delivered, with its envelope. The lines of `raw` end in CR LF as they
    came, those of `message` in LF as Python has them."""

    message: EmailMessage
    raw: bytes
    sender: str
    recipients: tuple[str, ...]
    encrypted: bool
    authenticated_as: str | None


class Mailbox:
    """Every message that was received, whatever the client was told; oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: list[Delivery] = []

    @property
    def messages(self) -> list[Delivery]:
        with self._lock:
            return list(self._messages)

    def wait_for(self, count: int = 1, *, within: float = 30.0) -> list[Delivery]:
        """Wait for at least `count` messages; all that are there then."""
        eventually(
            lambda: len(self.messages) >= count, within=within, what=f"{count} messages by email"
        )
        return self.messages

    def clear(self) -> None:
        with self._lock:
            self._messages.clear()

    def add(self, delivery: Delivery) -> None:
        with self._lock:
            self._messages.append(delivery)


class SmtpServer:
    """A context manager. With `user` and `password` it accepts nothing without them; with `tls`
    it has a certificate, `server.certificate`, that a client must be told to trust.

    `delay` is the seconds it waits before each answer, and may be changed at any time. So may
    `takes`, how many mails it takes before it answers MAIL with 451, and `per_connection`, how
    many it takes over one connection before it answers MAIL with 421; None is no limit.
    """

    def __init__(
        self,
        directory: Path,
        *,
        user: str | None = None,
        password: str = "",
        tls: Tls = "none",
    ) -> None:
        self.mailbox = Mailbox()
        self.delay = 0.0
        self.takes: int | None = None
        self.per_connection: int | None = None
        self.happened: Counter[Fault] = Counter()
        self.tls = tls
        self.certificate = make_certificate(directory) if tls != "none" else None
        self._credentials = None if user is None else (user, password)
        self._planned: Counter[tuple[Fault, str | None]] = Counter()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._controller = _Controller(self, self._socket)

    @property
    def url(self) -> str:
        """As in PLANTAO_SMTP_URL, credentials included."""
        login = ":".join(quote(part, safe="") for part in self._credentials or ())
        scheme = "smtps" if self.tls == "implicit" else "smtp"
        option = "?tls=starttls" if self.tls == "starttls" else ""
        return f"{scheme}://{login}{'@' if login else ''}127.0.0.1:{self.port}{option}"

    def fail(self, fault: Fault, *, times: int = 1, recipient: str | None = None) -> None:
        """Let `fault` happen the next `times` times it can, perhaps to one `recipient` only.
        `happened[fault]` counts what has happened."""
        with self._lock:
            self._planned[(fault, recipient)] += times

    def heal(self) -> None:
        """Forget every fault that has not happened yet, any delay and any limit."""
        self.delay = 0.0
        self.takes = self.per_connection = None
        with self._lock:
            self._planned.clear()

    def take(self, faults: tuple[Fault, ...], recipient: str | None = None) -> Fault | None:
        """The first of `faults` that is planned, counted as happened. For the server's thread."""
        with self._lock:
            for fault in faults:
                for key in {(fault, None), (fault, recipient)}:
                    if self._planned[key] > 0:
                        self._planned[key] -= 1
                        self.happened[fault] += 1
                        return fault
        return None

    def accepts(self, login: LoginPassword) -> bool:
        if self._credentials is None:
            return False
        user, password = self._credentials
        return login == LoginPassword(user.encode(), password.encode())

    @property
    def needs_login(self) -> bool:
        return self._credentials is not None

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


class _Connection(SMTP):
    """One connection: slow if it has to be, and asking for a login without asking for TLS."""

    def __init__(self, owner: SmtpServer, **options: Any) -> None:
        super().__init__(_Handler(owner), **options)
        self.outermost: asyncio.WriteTransport | None = None
        self._owner = owner
        # Not by its parameter, which warns when a login is asked for without TLS.
        self._auth_required = owner.needs_login

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Called again, with a transport inside this one, after STARTTLS.
        if self.outermost is None and isinstance(transport, asyncio.WriteTransport):
            self.outermost = transport
        super().connection_made(transport)

    async def push(self, status: AnyStr) -> None:
        if self._owner.delay:
            await asyncio.sleep(self._owner.delay)
        await super().push(status)

    @property
    def encrypted(self) -> bool:
        """Through STARTTLS or from the start; the session knows of STARTTLS only."""
        return bool(self.transport and self.transport.get_extra_info("cipher"))

    def drop(self) -> None:
        """Close without an answer. Cancelling is how aiosmtpd ends a lost connection quietly."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        raise asyncio.CancelledError


class _Handler:
    """aiosmtpd's hooks; their names and parameters are its own."""

    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner
        self._mails = 0  # over this connection

    async def handle_MAIL(  # noqa: N802
        self,
        _server: _Connection,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self._mails == self._owner.per_connection:
            return "421 4.7.0 too many mails over this connection"
        if self._owner.takes == 0:
            return "451 4.3.2 too many mails, try again later"
        self._mails += 1
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: _Connection,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if fault := self._owner.take(_AT_RCPT, address):
            return await _failing(server, fault)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: _Connection, session: Session, envelope: Envelope
    ) -> str:
        fault = self._owner.take(_AFTER_DATA, envelope.rcpt_tos[0])
        if fault in {None, Fault.DROPPED_AFTER_RECORDING}:
            self._owner.mailbox.add(_delivery(session, envelope, encrypted=server.encrypted))
        if fault is not None:
            return await _failing(server, fault)
        if self._owner.takes:
            self._owner.takes -= 1
        return "250 OK"


async def _failing(server: _Connection, fault: Fault) -> str:
    """What the server answers, if it does."""
    if fault in _DROPPED:
        server.drop()
    if fault in _SILENT:
        await asyncio.Event().wait()
    return str(fault.value)


def _delivery(session: Session, envelope: Envelope, *, encrypted: bool) -> Delivery:
    raw = envelope.original_content or b""
    return Delivery(
        message=email.message_from_bytes(raw.replace(b"\r\n", b"\n"), policy=email.policy.default),
        raw=raw,
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        encrypted=encrypted,
        authenticated_as=_user(session.auth_data),
    )


def _user(login: object) -> str | None:
    return login.login.decode() if isinstance(login, LoginPassword) else None


class _Controller(Controller):
    """aiosmtpd's thread, listening on a socket that is bound already, and leaving no connection
    open when it ends."""

    def __init__(self, owner: SmtpServer, listening: socket.socket) -> None:
        self._owner = owner
        self._listening = listening
        self._connections: list[_Connection] = []
        certificate = owner.certificate
        self._context = _server_context(certificate) if certificate else None
        super().__init__(
            None,
            hostname="127.0.0.1",
            port=listening.getsockname()[1],
            ssl_context=self._context if owner.tls == "implicit" else None,
        )

    def factory(self) -> _Connection:
        starttls = self._owner.tls == "starttls"
        connection = _Connection(
            self._owner,
            hostname="127.0.0.1",  # else it asks the name server who it is
            enable_SMTPUTF8=True,
            loop=self.loop,
            tls_context=self._context if starttls else None,
            auth_require_tls=starttls,
            authenticator=self._authenticate,
        )
        self._connections.append(connection)
        return connection

    def _authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        login: object,
    ) -> AuthResult:
        accepted = isinstance(login, LoginPassword) and self._owner.accepts(login)
        return AuthResult(success=accepted, handled=False, auth_data=login)

    async def _create_server(self) -> asyncio.AbstractServer:
        return await self.loop.create_server(
            self._factory_invoker, sock=self._listening, ssl=self.ssl_context
        )

    def stop(self, no_assert: bool = False) -> None:
        closing = asyncio.run_coroutine_threadsafe(self._close_connections(), self.loop)
        closing.result(timeout=10)
        super().stop(no_assert)

    async def _close_connections(self) -> None:
        for connection in self._connections:
            if connection.outermost is not None:
                connection.outermost.abort()
        for _ in range(3):  # an aborted transport closes its socket in the loop's next turns
            await asyncio.sleep(0)


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    return context
