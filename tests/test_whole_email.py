"""An incident worked in email alone: nobody opens Slack, a console or Alertmanager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.forms import Page, opened
from tests.neighbours.alertmanager import Alertmanager, webhook_config
from tests.neighbours.processes import eventually
from tests.neighbours.smtp import SmtpServer
from tests.service import Service

pytestmark = pytest.mark.neighbour

CONFIG = """
receivers:
  oncall: {{email: {{to: [ana@example.com]}}, locale: {locale}}}
routes: {{receiver: oncall}}
verify: {{every: 1s}}
"""
LABELS = {"alertname": "KafkaLag", "severity": "critical", "component": "kafka"}


@dataclass
class Stage:
    alertmanager: Alertmanager
    smtp: SmtpServer
    service: Service
    read: int = 0

    def alert(self, *, over: bool = False) -> None:
        now = datetime.now(UTC)
        # Alertmanager makes one occurrence of two that overlap.
        times: dict[str, Any] = {"startsAt": now.isoformat()}
        if over:
            ended = now - timedelta(milliseconds=1)
            times = {
                "startsAt": (ended - timedelta(seconds=1)).isoformat(),
                "endsAt": ended.isoformat(),
            }
        notes = {"summary": "182,340 messages behind"}
        self.alertmanager.post_alerts([{"labels": LABELS, "annotations": notes, **times}])

    def mail(self, saying: str) -> EmailMessage:
        """The next mail, which must say this."""
        found = self.smtp.mailbox.wait_for(self.read + 1, within=60)[self.read].message
        self.read += 1
        assert saying in text_of(found), text_of(found)
        return found

    def suppressed(self) -> bool:
        return [each["status"]["state"] for each in self.alertmanager.alerts()] == ["suppressed"]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def follow(mail: EmailMessage) -> Page:
    """Open the link that a mail offers."""
    (link,) = re.findall(r"http\S+/act/\S+", text_of(mail))
    return opened(link)


@pytest.fixture
def locale() -> str:
    return "en"


@pytest.fixture
def stage(tmp_path: Path, locale: str) -> Iterator[Stage]:
    with ExitStack() as stack:
        smtp = stack.enter_context(SmtpServer(tmp_path))
        alertmanager = Alertmanager(tmp_path, {})
        service = Service(
            tmp_path,
            config=CONFIG.format(locale=locale),
            env={
                "PLANTAO_ALERTMANAGER_URL": alertmanager.url,
                "PLANTAO_SMTP_URL": smtp.url,
                "PLANTAO_EMAIL_FROM": "plantao@example.com",
                "PLANTAO_API_TOKENS": "one",
            },
        )
        alertmanager.config = webhook_config(f"{service.url}/webhooks/alertmanager")
        stack.enter_context(alertmanager)
        service.start()
        stack.callback(service.process.stop)
        yield Stage(alertmanager, smtp, service)


def test_from_firing_to_reopened_in_email_alone(stage: Stage) -> None:
    stage.alert()
    first = stage.mail("KafkaLag")

    page = follow(first).press("Acknowledge")
    assert "Acknowledged by ana@example.com" in page.text
    taken = stage.mail("Acknowledged by ana@example.com")

    follow(taken).press("Add a note", text="a consumer hangs; restarting it")
    noted = stage.mail("Note by ana@example.com: a consumer hangs; restarting it")

    page = follow(noted).press("Silence alerts", length="2h", reason="restarting")
    assert page.offers("End this silence")
    silenced = stage.mail("1 firing alert silenced until")
    assert "restarting" in text_of(silenced)
    eventually(stage.suppressed, within=30, what="the alert suppressed in Alertmanager")

    page = follow(silenced).press("End this silence")
    assert not page.offers("End this silence")
    ended = stage.mail("Silence ended by ana@example.com")
    eventually(lambda: not stage.suppressed(), within=30, what="the alert active again")

    page = follow(ended).press("Resolve")
    assert page.status == 409
    assert "1 alert still fires" in page.text
    page = page.press("Resolve all the same")
    assert "Resolved by ana@example.com" in page.text
    over = stage.mail("Resolved by ana@example.com")
    assert "Acknowledged by ana@example.com" in text_of(over)
    assert not follow(over).offers("Acknowledge")

    stage.alert(over=True)
    eventually(lambda: stage.alertmanager.alerts() == [], within=30, what="the alert over")
    stage.alert()
    again = stage.mail("Reopened: firing again")
    story = follow(again).text
    told = ["Opened", "Acknowledged", "restarting it", "silenced until", "Silence ended"]
    places = [story.rindex(words) for words in (*told, "Resolved by", "Reopened")]
    assert places == sorted(places)
    for reply in (taken, noted, silenced, ended, over, again):
        assert reply["References"] == first["Message-ID"]


@pytest.mark.parametrize("locale", ["pt-BR"])
def test_an_alertmanager_that_does_not_answer_is_told_and_asked_later(stage: Stage) -> None:
    stage.alert()
    page = follow(stage.mail("KafkaLag"))
    stage.alertmanager.stop()
    page = page.press("Silenciar alertas", reason="troca de disco")
    assert page.status == 503
    assert "O Alertmanager não responde" in page.text
    page = page.press("Silenciar assim que o Alertmanager responder")
    assert page.status == 200
    stage.mail("A silenciar até")
    stage.alertmanager.start()
    made = stage.mail("1 alerta disparado silenciado até")
    assert "troca de disco" in text_of(made)
