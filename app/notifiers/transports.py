"""The transports that are set up, by the name that destinations know them by."""

from __future__ import annotations

from collections.abc import Callable

from app.core.postings import CONSOLE, EMAIL, SLACK
from app.notifiers.console import ConsoleNotifier
from app.notifiers.email import EmailNotifier
from app.notifiers.notifier import Notifier
from app.notifiers.smtp import MailServer
from app.settings import Settings


def make_notifiers(
    settings: Settings, *, act_link: Callable[[int, str], str] | None = None
) -> dict[str, Notifier]:
    """Every transport that is set up; the console always is. `act_link` is as in EmailNotifier."""
    notifiers: dict[str, Notifier] = {CONSOLE: ConsoleNotifier(zone=settings.timezone)}
    if settings.slack_bot_token:
        # Imported only where Slack is set up: it costs 15 MB and a tenth of a second.
        from app.notifiers.slack import SlackNotifier  # noqa: PLC0415

        notifiers[SLACK] = SlackNotifier(
            settings.slack_bot_token.get_secret_value(),
            api_url=settings.slack_api_url,
            zone=settings.timezone,
            buttons=settings.hears_slack,
        )
    if settings.smtp is not None:
        notifiers[EMAIL] = EmailNotifier(
            MailServer(settings.smtp),
            sender=settings.sender,
            zone=settings.timezone,
            act_link=act_link,
        )
    return notifiers
