"""Handing mails in: one connection, one mail for each recipient, and what can go wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import aiosmtplib
import structlog
from aiosmtplib import SMTP

from app.core.postings import MAIL_DEADLINE
from app.errors import Ambiguous, ContentRefused, DeliveryFailed, DestinationDead, TryLater
from app.notifiers.text import cut, one_line
from app.values import SmtpServer

_PERMANENT = 500  # SMTP replies from here on are final

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, as bytes, for one recipient."""

    recipient: str
    data: bytes


@dataclass(slots=True)
class _Tally:
    """What became of the letters: who waits, how many were taken, and who was refused and why.

    At `end`, by the event loop's clock, nobody is waited for any more.
    """

    waiting: list[Letter]
    end: float
    taken: int = 0
    refused: dict[Letter, DeliveryFailed] = field(default_factory=dict)

    def put_off(self, error: DeliveryFailed) -> None:
        """The server takes no more from us. If it took some just now, that is for a while only."""
        if self.taken:
            error = TryLater(str(error), code=error.code)
        self.refused |= dict.fromkeys(self.waiting, error)
        self.waiting.clear()


class _Connection(SMTP):
    def close(self) -> None:
        """At once. Over TLS, asyncio would keep the socket until the server says goodbye too, for
        up to 30 s; what there was to say to it was said with QUIT."""
        transport = self.transport
        super().close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


class MailServer:
    """Where mail is handed in. Every method raises DeliveryFailed and nothing else.

    `tls_context` is for a server whose certificate the system does not trust. `timeout` is in
    seconds, for each answer: servers may look long at what they are given. `deadline` is in
    seconds too, for one call as a whole, whatever the number of letters.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        tls_context: ssl.SSLContext | None = None,
        timeout: float = 20.0,
        deadline: float = MAIL_DEADLINE.total_seconds(),
    ) -> None:
        self._server = server
        self._tls_context = tls_context
        self._timeout = timeout
        self._deadline = deadline

    async def check(self) -> str:
        """That the server takes us, in a line. Nothing is sent."""
        end = self._end()
        with _mapped():
            async with self._session(end) as smtp, asyncio.timeout_at(end):
                await smtp.noop()
        who = f" as {self._server.user}" if self._server.user else ""
        return f"{self._server.host}:{self._server.port}{who} ({self._server.tls})"

    async def send(self, sender: str, letters: Sequence[Letter]) -> dict[Letter, DeliveryFailed]:
        """Hand them in; returns those that were not taken by the deadline, and why.

        One recipient who is taken is enough: to raise for the others would repeat it for all.
        Each connection settles one letter at least, so there are no more of them than letters.
        """
        tally = _Tally(list(letters), self._end())
        while tally.waiting:
            try:
                with _mapped():
                    async with self._session(tally.end) as smtp:
                        await self._send_many(smtp, sender, tally)
            except DeliveryFailed as error:
                tally.put_off(error)
        if not tally.taken:
            raise _most_hopeful(list(tally.refused.values()))
        for why in tally.refused.values():
            log.warning("a mail reaches some of its recipients only", code=why.code)
        return tally.refused

    async def _send_many(self, smtp: SMTP, sender: str, tally: _Tally) -> None:
        """All that wait, or up to the first that is refused: servers hang up after that.

        Raises where the server takes no mail at all over this connection. One that took some
        may have a limit for each connection: the next letter begins a new one.
        """
        fresh = True
        while tally.waiting:
            try:
                async with asyncio.timeout_at(tally.end):
                    await smtp.mail(sender)
            except (aiosmtplib.SMTPException, OSError):
                if fresh:
                    raise
                return
            fresh = False
            letter = tally.waiting.pop(0)
            try:
                await _hand_in(smtp, letter, tally.end)
            except DeliveryFailed as error:
                tally.refused[letter] = error
                return
            tally.taken += 1

    def _end(self) -> float:
        """The deadline of a call that begins now, by the event loop's clock."""
        return asyncio.get_running_loop().time() + self._deadline

    @asynccontextmanager
    async def _session(self, end: float) -> AsyncIterator[SMTP]:
        """A connection that is greeted, encrypted and authenticated as the settings say."""
        smtp = _Connection(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user,
            password=self._server.password,
            use_tls=self._server.tls == "tls",
            start_tls=self._server.tls == "starttls",
            tls_context=self._tls_context if self._server.tls != "none" else None,
            timeout=self._timeout,
        )
        try:
            async with asyncio.timeout_at(end):
                await smtp.connect()
            yield smtp
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit(timeout=1.0)
        finally:
            smtp.close()


def _most_hopeful(refusals: Sequence[DeliveryFailed]) -> DeliveryFailed:
    """What may be taken later, or in plainer words, is worth more than what never will be; and
    that it may have been taken, most."""
    order = (Ambiguous, TryLater, ContentRefused, DestinationDead)
    ranked = sorted(refusals, key=lambda error: order.index(type(error)))
    return next(iter(ranked), DestinationDead("There is no recipient.", code="no_recipient"))


async def _hand_in(smtp: SMTP, letter: Letter, end: float) -> None:
    """One letter; it is its own recipient, or its own content, that is at fault."""
    with _mapped():
        try:
            async with asyncio.timeout_at(end):
                await smtp.rcpt(letter.recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            raise _refused("the recipient", error) from None
    await _hand_over(smtp, letter.data, end)


async def _hand_over(smtp: SMTP, data: bytes, end: float) -> None:
    """From here on, silence leaves it open whether the mail was taken."""
    try:
        async with asyncio.timeout_at(end):
            await smtp.data(data)
    except aiosmtplib.SMTPDataError as error:
        if error.code < _PERMANENT:
            raise _refused("the mail", error) from None
        raise ContentRefused(_says("the mail", error), code=str(error.code)) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        kind = type(error).__name__
        raise Ambiguous(f"The mail server did not say whether it took the mail ({kind}).") from None


@contextmanager
def _mapped() -> Iterator[None]:
    """Everything that can go wrong before the mail is handed over: nothing was shown."""
    try:
        yield
    except aiosmtplib.SMTPAuthenticationError as error:
        raise _refused("our user or password", error) from None
    except aiosmtplib.SMTPResponseException as error:
        raise _refused("us", error) from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _before_handing_over(error) from None


def _before_handing_over(error: Exception) -> DeliveryFailed:
    """What the settings cause needs a person; the rest may be better later."""
    if isinstance(error, ssl.SSLCertVerificationError) or isinstance(
        error.__cause__, ssl.SSLCertVerificationError
    ):
        return DestinationDead("The mail server's certificate is not trusted.", code="certificate")
    says = f"The mail server cannot be used ({type(error).__name__})."
    # Of aiosmtplib's errors, the bare one stands for what a server does not offer: TLS, a login.
    if type(error) is aiosmtplib.SMTPException:
        offered = cut(one_line(error.message), 120)
        return DestinationDead(f"The mail server cannot be used: {offered}", code="unsupported")
    if isinstance(error, OSError | aiosmtplib.SMTPException):
        return TryLater(says, code="unreachable")
    return DestinationDead(says, code="unusable")


def _refused(what: str, error: aiosmtplib.SMTPResponseException) -> DeliveryFailed:
    kind = TryLater if error.code < _PERMANENT else DestinationDead
    return kind(_says(what, error), code=str(error.code))


def _says(what: str, error: aiosmtplib.SMTPResponseException) -> str:
    answer = cut(one_line(error.message), 120)
    return f"The mail server refused {what}: {error.code} {answer}"
