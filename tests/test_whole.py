"""The whole way: a rule fires, and people see it in Slack and by email until it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.neighbours.alertmanager import Alertmanager, webhook_config
from tests.neighbours.exporter import Exporter
from tests.neighbours.processes import eventually
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.slack import BOT_TOKEN, DEFAULT_CHANNEL, SlackServer, Workspace
from tests.neighbours.smtp import Delivery, SmtpServer
from tests.service import Service

pytestmark = pytest.mark.neighbour

GREEN = "1a7f37"
CONFIG = f"""
receivers:
  oncall:
    slack: {{channel: "#{DEFAULT_CHANNEL}"}}
    email: {{to: [ana@example.com]}}
routes: {{receiver: oncall}}
verify: {{every: 1s}}
"""
RULES = {
    "groups": [
        {
            "name": "serving",
            "rules": [
                {
                    "alert": "ErrorRatioHigh",
                    "expr": "http_error_ratio > 0.05",
                    "labels": {"severity": "critical"},
                    "annotations": {
                        "summary": "too many errors",
                        "description": "{{ $labels.service }} fails {{ $value }} of the time",
                    },
                }
            ],
        }
    ]
}


@dataclass
class Stage:
    exporter: Exporter
    slack: Workspace
    smtp: SmtpServer
    service: Service

    def fails(self, service: str, ratio: float) -> None:
        self.exporter.set("http_error_ratio", ratio, service=service)

    def mail(self, count: int) -> Delivery:
        """Wait for the message of that number; it, the newest."""
        found = self.smtp.mailbox.wait_for(count, within=60)
        assert len(found) == count, [each.message["Subject"] for each in found]
        return found[-1]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        exporter = stack.enter_context(Exporter())
        slack = stack.enter_context(SlackServer())
        smtp = stack.enter_context(SmtpServer(tmp_path))
        alertmanager = Alertmanager(tmp_path, {})
        prometheus = Prometheus(
            tmp_path,
            targets={"serving": [exporter.address]},
            rules=RULES,
            alertmanagers=[alertmanager.url],
        )
        service = Service(
            tmp_path,
            config=CONFIG,
            env={
                "PLANTAO_ALERTMANAGER_URL": alertmanager.url,
                "PLANTAO_PROMETHEUS_URL": prometheus.url,
                "PLANTAO_WEBHOOK_TOKEN": "s3cret",
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "PLANTAO_SLACK_API_URL": slack.api_url,
                "PLANTAO_SMTP_URL": smtp.url,
                "PLANTAO_EMAIL_FROM": "plantao@example.com",
            },
        )
        hook = f"{service.url}/webhooks/alertmanager"
        alertmanager.config = webhook_config(hook, token="s3cret", repeat_interval="1s")
        stack.enter_context(alertmanager)
        stack.enter_context(prometheus)
        service.start()
        stack.callback(service.process.stop)
        yield Stage(exporter, slack.workspace, smtp, service)


def test_from_the_rule_to_the_thread_and_the_mailbox_and_back_to_green(stage: Stage) -> None:
    stage.fails("checkout", 0.42)
    root = stage.slack.expect_message(containing=["ErrorRatioHigh", "0.42"], within=60)
    assert GREEN not in root.colors
    stage.slack.allow(thread_of=root, matching=lambda message: bool(message.files))  # the chart
    stage.slack.expect_message(thread_of=root, containing="service=checkout", within=60)
    first = stage.mail(1)
    assert "ErrorRatioHigh" in first.message["Subject"]
    context = stage.mail(2)  # what Prometheus said, once it had
    assert "0.05" in str(context.message.get_body(("plain",)))

    stage.fails("checkout", 0.91)  # shown as an edit: no reply, no mail
    stage.slack.expect_shown(root, "0.91", without="0.42", within=60)

    stage.fails("payments", 0.3)
    joined = stage.slack.expect_message(thread_of=root, containing="1 more alert", within=60)
    stage.slack.expect_shown(root, "2 firing", within=60)
    assert "payments" in joined
    second = stage.mail(3)

    stage.exporter.remove("http_error_ratio")  # both at once
    stage.slack.expect_message(thread_of=root, containing="Resolved", within=60)
    stage.slack.expect_shown(root, ["Resolved", "2 resolved"], within=60)
    third = stage.mail(4)
    eventually(lambda: all_shown(stage.service), within=60, what="everything shown")

    assert root.colors == [GREEN]
    assert stage.slack.roots() == [root]
    stage.slack.assert_nothing_unexpected()
    assert "Resolved" in str(third.message.get_body(("plain",)))
    for reply in (context, second, third):
        assert reply.message["In-Reply-To"] == first.message["Message-ID"]
    (incident,) = stage.service.incidents()
    assert (incident["status"], incident["resolution"]) == ("resolved", "resolved")


def all_shown(service: Service) -> bool:
    (incident,) = service.incidents()
    revision = incident["revision"]
    return all(each["shown_revision"] == revision for each in incident["postings"])
