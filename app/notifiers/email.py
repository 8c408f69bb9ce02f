"""Email: one incident, one thread; what was sent cannot be changed, so replies tell the rest."""

from __future__ import annotations

import email.policy
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import structlog

from app.core.chart import Chart, draw
from app.core.digest import Digest
from app.core.incidents import Entry
from app.core.notices import Notice
from app.errors import ContentRefused, DeliveryFailed
from app.notifiers import digest_wording, email_body, email_thread
from app.notifiers.background import worth_telling
from app.notifiers.charting import chart_of
from app.notifiers.email_left import Leftovers
from app.notifiers.notifier import Mark, Message, Shown, Sought, Unreached
from app.notifiers.picture import PictureFailed, render
from app.notifiers.smtp import Letter, MailServer
from app.notifiers.wording import words

_POLICY = email.policy.SMTP.clone(cte_type="7bit")
_UNMANAGED = "localhost"  # what RFC 2919 has for a list whose host has no name

ActLink = Callable[[int, str], str]
"""The address of the page where a recipient may act on the incident of that number."""

log = structlog.get_logger()


class EmailNotifier:
    """Sends to the addresses of a destination, which are separated by commas; all are in To.

    Each recipient gets a mail of their own, with the link by which they, and nobody else, may
    act; without `act_link` there is none. A reference is what `email_thread.reference` makes.
    `zone` is an IANA name.
    """

    edits = False
    interval = 0.0
    burst = 1
    edit_interval = 0.0
    edit_burst = 1

    def __init__(
        self, server: MailServer, *, sender: str, zone: str, act_link: ActLink | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._domain = sender.rpartition("@")[2].strip("> ")
        self._zone = zone
        self._act_link = act_link
        self._left = Leftovers()

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

    def digest(self, digest: Digest, *, receiver: str, locale: str) -> Message:
        return Message(digest_wording.email(words(locale, self._zone), digest, receiver=receiver))

    async def post(
        self, address: str, message: Message, mark: Mark, *, root: str | None = None
    ) -> str:
        recipients = [one.strip() for one in address.split(",") if one.strip()]
        picture = await _picture(message.chart)
        subject = message.payload["subject"]
        mail_id = email_thread.message_id(mark, self._domain)
        thread = email_thread.headers(mail_id, subject, root=root, at=datetime.now(UTC))
        try:
            letters = [
                Letter(to, self._mail(recipients, thread, self._own(message, mark, to), picture))
                for to in recipients
            ]
        except (ValueError, UnicodeError, LookupError) as error:
            raise ContentRefused(f"No mail can be made of it ({type(error).__name__}).") from None
        refused = await self._server.send(self._sender, letters)
        reference = mail_id if root else email_thread.reference(mail_id, thread["Subject"])
        self._left.add(root or reference, refused)
        return reference

    def unreached(self, root: str) -> Unreached | None:
        """Who lacks a mail of this thread that others have; None where nobody does."""
        return self._left.unreached(root)

    async def catch_up(self, root: str) -> None:
        """Send again what was refused for now, to those who refused it."""
        letters = self._left.due(root)
        if not letters:
            return
        try:
            refused = await self._server.send(self._sender, letters)
        except DeliveryFailed as error:
            refused = dict.fromkeys(letters, error)
        self._left.tried(root, refused)

    async def edit(self, address: str, reference: str, message: Message, mark: Mark) -> None:
        """Nothing: a mail that was sent stays as it is."""

    async def survey(self, sought: Sought) -> Shown | None:  # noqa: ARG002
        """None: nobody can look; the same Message-ID makes a repeat harmless."""
        return None

    async def check(self) -> str:
        """That the server takes us, in a line; raises DeliveryFailed. Nothing is sent."""
        return await self._server.check()

    async def close(self) -> None:
        """Nothing: each mail has its own connection."""

    def _own(self, message: Message, mark: Mark, recipient: str) -> Mapping[str, Any]:
        """What one recipient reads."""
        link = self._act_link(mark.incident, recipient) if self._act_link else None
        return email_body.addressed(message.payload, link)

    def _mail(
        self,
        recipients: Sequence[str],
        thread: Mapping[str, str],
        payload: Mapping[str, Any],
        picture: bytes | None,
    ) -> bytes:
        """The whole mail; raises ValueError where a header cannot be written."""
        mail = EmailMessage(_POLICY)
        mail["From"] = Address("Plantão", addr_spec=self._sender)
        mail["To"] = ", ".join(recipients)
        mail["Date"] = format_datetime(datetime.now(UTC))
        for name, value in thread.items():
            mail[name] = value
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"  # Exchange's: no "I am on holiday" to us
        named = _UNMANAGED if self._domain.startswith("[") else self._domain
        mail["List-Id"] = f"<plantao.{named}>"
        _set_content(mail, payload, picture)
        return mail.as_bytes()


async def _picture(chart: Chart | None) -> bytes | None:
    """The chart as a PNG; a mail without it is better than none."""
    if chart is None:
        return None
    try:
        return await render(draw(chart))
    except PictureFailed as error:
        log.warning("a mail goes without its chart", why=str(error))
        return None


def _set_content(mail: EmailMessage, payload: Mapping[str, Any], picture: bytes | None) -> None:
    """Text, HTML beside it, and the picture with the HTML: nothing is fetched from elsewhere."""
    mail.set_content(payload["text"])
    if "html" not in payload:
        return
    html = payload["html"]
    cid = f"chart.{mail['Message-ID'].strip('<>')}"
    if picture:
        html = email_body.with_picture(html, cid, payload["alt"])
    mail.add_alternative(html, subtype="html")
    page = mail.get_body(("html",))
    if picture and page is not None:
        page.add_related(
            picture, "image", "png", cid=f"<{cid}>", filename="chart.png", disposition="inline"
        )
