"""Email: one incident, one thread; what was sent cannot be changed, so replies tell the rest."""

from __future__ import annotations

import asyncio
import email.policy
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
import structlog
from aiosmtplib import SMTP

from app.core.chart import Chart, draw
from app.core.incidents import Entry
from app.core.notices import Notice
from app.errors import Ambiguous, ContentRefused, DeliveryFailed, DestinationDead, TryLater
from app.notifiers import email_body
from app.notifiers.background import worth_telling
from app.notifiers.charting import chart_of
from app.notifiers.email_body import with_picture
from app.notifiers.notifier import Mark, Message, Shown, Sought
from app.notifiers.picture import PictureFailed, render
from app.notifiers.text import cut, one_line
from app.notifiers.wording import words
from app.settings import SmtpServer

_STEPS = 3  # so many timeouts are there for all that comes before the mail itself
_PERMANENT = 500  # SMTP replies from here on are final
_POLICY = email.policy.SMTP.clone(cte_type="7bit")

log = structlog.get_logger()


class EmailNotifier:
    """Sends to the addresses of a destination, which are separated by commas; all are in To.

    A reference is the Message-ID, and for a root also its subject, after a space: replies
    repeat it, since mail programs tell threads apart by it too. `zone` is an IANA name;
    `tls_context` is for a server whose certificate the system does not trust. `timeout` is in
    seconds, for each step: servers may look long at what they are given.
    """

    edits = False
    interval = 0.0
    burst = 1
    edit_interval = 0.0
    edit_burst = 1

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        zone: str,
        tls_context: ssl.SSLContext | None = None,
        timeout: float = 20.0,
    ) -> None:
        self._server = server
        self._tls_context = tls_context
        self._timeout = timeout
        self._sender = sender
        self._domain = sender.rpartition("@")[2].strip("> ")
        self._zone = zone

    def root(self, notice: Notice, *, locale: str, plain: bool) -> Message:
        speech = words(locale, self._zone)
        payload = email_body.root(speech, notice, plain=plain)
        known = worth_telling(notice.context)
        return Message(payload, chart=None if plain else chart_of(speech, notice), whole=known)

    def details(self, notice: Notice, *, locale: str, plain: bool) -> Message | None:
        """What the sources said, if that is worth a mail and not too late to help."""
        if not notice.incident.open or not worth_telling(notice.context):
            return None
        speech = words(locale, self._zone)
        payload = email_body.context(speech, notice, plain=plain)
        return Message(payload, chart=None if plain else chart_of(speech, notice))

    def reply(
        self, notice: Notice, entries: Sequence[Entry], *, locale: str, plain: bool
    ) -> Message:
        return Message(email_body.reply(words(locale, self._zone), notice, entries, plain=plain))

    async def post(
        self, address: str, message: Message, mark: Mark, *, root: str | None = None
    ) -> str:
        recipients = [one.strip() for one in address.split(",") if one.strip()]
        picture = await _picture(message.chart)
        try:
            mail = self._compose(recipients, message, mark, root)
            _set_content(mail, message, picture)
            data = mail.as_bytes()
        except (ValueError, UnicodeError, LookupError) as error:
            raise ContentRefused(f"No mail can be made of it ({type(error).__name__}).") from None
        await self._send(recipients, data)
        reference = str(mail["Message-ID"])
        return reference if root else f"{reference} {mail['Subject']}"

    async def edit(self, address: str, reference: str, message: Message, mark: Mark) -> None:
        """Nothing: a mail that was sent stays as it is."""

    async def survey(self, sought: Sought) -> Shown | None:  # noqa: ARG002
        """None: nobody can look; the same Message-ID makes a repeat harmless."""
        return None

    async def check(self) -> str:
        """That the server takes us, in a line; raises DeliveryFailed. Nothing is sent."""
        with _mapped():
            async with self._session() as smtp:
                await smtp.noop()
        who = f" as {self._server.user}" if self._server.user else ""
        return f"{self._server.host}:{self._server.port}{who} ({self._server.tls})"

    async def close(self) -> None:
        """Nothing: each mail has its own connection."""

    def _compose(
        self, recipients: Sequence[str], message: Message, mark: Mark, root: str | None
    ) -> EmailMessage:
        """The mail with its headers; raises ValueError where a header cannot be written."""
        first, _, subject = (root or "").partition(" ")
        mail = EmailMessage(_POLICY)
        subject = subject or message.payload["subject"]
        mail["Subject"] = one_line(f"Re: {subject}" if root else subject)
        mail["From"] = Address("Plantão", addr_spec=self._sender)
        mail["To"] = ", ".join(recipients)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<plantao.{mark.token}.{mark.entry}@{self._domain}>"
        if root:
            mail["In-Reply-To"] = mail["References"] = first
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Id"] = f"<plantao.{self._domain}>"
        return mail

    async def _send(self, recipients: Sequence[str], data: bytes) -> None:
        with _mapped():
            async with self._session() as smtp:
                async with asyncio.timeout(_STEPS * self._timeout):
                    await smtp.mail(self._sender)
                    await _address(smtp, recipients)
                await _hand_over(smtp, data)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[SMTP]:
        """A connection that is greeted, encrypted and authenticated as the settings say."""
        smtp = SMTP(
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
            async with asyncio.timeout(_STEPS * self._timeout):
                await smtp.connect()
            yield smtp
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit(timeout=1.0)
        finally:
            smtp.close()


async def _picture(chart: Chart | None) -> bytes | None:
    """The chart as a PNG; a mail without it is better than none."""
    if chart is None:
        return None
    try:
        return await render(draw(chart))
    except PictureFailed as error:
        log.warning("a mail goes without its chart", why=str(error))
        return None


def _set_content(mail: EmailMessage, message: Message, picture: bytes | None) -> None:
    """Text, HTML beside it, and the picture with the HTML: nothing is fetched from elsewhere."""
    payload = message.payload
    mail.set_content(payload["text"])
    if "html" not in payload:
        return
    cid = f"chart.{mail['Message-ID'].strip('<>')}"
    html = with_picture(payload["html"], cid, payload["alt"]) if picture else payload["html"]
    mail.add_alternative(html, subtype="html")
    page = mail.get_body(("html",))
    if picture and page is not None:
        page.add_related(
            picture, "image", "png", cid=f"<{cid}>", filename="chart.png", disposition="inline"
        )


async def _address(smtp: SMTP, recipients: Sequence[str]) -> None:
    """Name the recipients. One who is taken is enough: the others cannot be helped by a repeat."""
    refusals: list[aiosmtplib.SMTPRecipientRefused] = []
    for recipient in recipients:
        try:
            await smtp.rcpt(recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            refusals.append(error)
    if len(refusals) == len(recipients):
        for_now = [error for error in refusals if error.code < _PERMANENT]
        raise (
            _refused("every recipient", (for_now or refusals)[0])
            if refusals
            else DestinationDead("There is no recipient.", code="no_recipient")
        )


async def _hand_over(smtp: SMTP, data: bytes) -> None:
    """From here on, silence leaves it open whether the mail was taken."""
    try:
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
