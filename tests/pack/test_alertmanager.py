"""The shipped Alertmanager: where an alert goes, what a cause mutes, and that both arrive."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.core.matchers import parse_matchers
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.processes import eventually, find_program
from tests.neighbours.recorder import Recorder
from tests.neighbours.smtp import SmtpServer
from tests.pack.shipped import ROOT, alert_rules, document

SHIPPED = ROOT / "alertmanager" / "alertmanager.yml"
RULES = {rule.name: rule for rule in alert_rules()}


def amtool(*arguments: str | Path) -> str:
    command = [find_program("amtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alertmanager_takes_it() -> None:
    assert "1 templates" in amtool("check-config", SHIPPED)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("alertname=KafkaBrokerDown severity=critical component=kafka", "plantao"),
        ("alertname=DeltaSmallFiles severity=info component=delta", "plantao"),
        ("alertname=SomebodyElses", "plantao"),
        ("alertname=Watchdog severity=info", "dead-mans-switch"),
        ("alertname=AlertUnheard severity=critical alert=KafkaBrokerDown", "direct"),
        ("alertname=PlantaoDown severity=critical", "direct,plantao"),
        ("alertname=PlantaoReceiptsRefused severity=critical", "direct,plantao"),
        (
            "alertname=AlertmanagerNotificationsFailing severity=critical integration=webhook",
            "direct,plantao",
        ),
    ],
)
def test_an_alert_goes_where_it_should(labels: str, receivers: str) -> None:
    shown = amtool("config", "routes", "test", f"--config.file={SHIPPED}", *labels.split())
    assert shown.strip() == receivers


def _named(matchers: list[str]) -> set[str]:
    """The alerts that these matchers may concern, by name."""
    names = [each for text in matchers for each in parse_matchers(text) if each.name == "alertname"]
    return {rule for rule in RULES if all(each.matches({"alertname": rule}) for each in names)}


def test_every_name_in_it_is_an_alert_of_ours() -> None:
    text = SHIPPED.read_text("utf-8")
    for names in re.findall(r'alertname=~?"([^"*]+)"', text):
        assert set(names.split("|")) <= set(RULES), names


def test_a_cause_mutes_others_and_never_itself() -> None:
    for rule in document(SHIPPED)["inhibit_rules"]:
        causes, muted = _named(rule["source_matchers"]), _named(rule["target_matchers"])
        assert causes
        assert muted
        assert not causes & muted, rule


def _here(directory: Path, webhook: str, mail: SmtpServer) -> dict[str, Any]:
    """The shipped configuration with the addresses of this machine, and no waiting."""
    secret = directory / "webhook-token"
    secret.write_text("s3cret")
    shutil.copytree(SHIPPED.parent / "templates", directory / "templates")
    config: dict[str, Any] = document(SHIPPED)
    config["templates"] = [str(directory / "templates" / "*.tmpl")]
    config["global"] = {
        "smtp_smarthost": f"127.0.0.1:{mail.port}",
        "smtp_from": "alertmanager@example.com",
        "smtp_require_tls": False,
    }
    hook = config["receivers"][0]["webhook_configs"][0]
    hook["url"] = webhook
    hook["http_config"]["authorization"]["credentials_file"] = str(secret)
    for route in (config["route"], *config["route"]["routes"]):
        route["group_wait"] = "200ms"
    return config


def _alert(name: str, **labels: str) -> Mapping[str, Any]:
    annotations = {"summary": f"{name} <happens>", "runbook_url": f"https://example.com/{name}"}
    of_rule = {key: text for key, text in RULES[name].labels.items() if "{{" not in text}
    return {"labels": {"alertname": name, **of_rule, **labels}, "annotations": annotations}


@pytest.mark.neighbour
def test_a_dead_broker_mutes_the_lag_it_causes_and_plantao_hears_of_the_broker(
    tmp_path: Path,
) -> None:
    with (
        Recorder() as plantao,
        SmtpServer(tmp_path) as mail,
        Alertmanager(tmp_path, _here(tmp_path, plantao.url, mail)) as alertmanager,
    ):
        alertmanager.post_alerts(
            [
                _alert("KafkaBrokerDown", instance="kafka-1:9404"),
                _alert("KafkaConsumerLate", consumergroup="scoring", topic="pix"),
                _alert("SparkDriverDown", instance="spark:4040"),
                _alert("SparkQueryGone", query="pix_features"),
                _alert("DeltaFilesMissing", table="transactions"),
                _alert("DeltaReadFailing", table="transactions"),
                _alert("DeltaReadFailing", table="features"),
                _alert("PlantaoDown", instance="plantao:8080"),
            ]
        )
        told = eventually(lambda: _told(plantao, 5), what="webhooks")
        assert told == {
            ("KafkaBrokerDown", ""),
            ("SparkDriverDown", ""),
            ("DeltaFilesMissing", "transactions"),
            ("DeltaReadFailing", "features"),
            ("PlantaoDown", ""),
        }
        suppressed = {
            each["labels"]["alertname"]
            for each in alertmanager.alerts()
            if each["status"]["state"] == "suppressed"
        }
        assert suppressed == {"KafkaConsumerLate", "SparkQueryGone", "DeltaReadFailing"}
        assert {each.headers["Authorization"] for each in plantao.requests} == {"Bearer s3cret"}

        delivered = mail.mailbox.wait_for()[0]
        assert delivered.recipients == ("plantao@example.com",)
        assert delivered.message["Subject"] == "[FIRING] PlantaoDown (critical)"
        html = delivered.message.get_body(("html",))
        assert html is not None
        assert "PlantaoDown &lt;happens&gt;" in html.get_content()


def _told(plantao: Recorder, count: int) -> set[tuple[str, str]]:
    """Which alerts, with their table; nothing until there are `count`."""
    told = {
        (alert["labels"]["alertname"], alert["labels"].get("table", ""))
        for body in plantao.bodies
        for alert in body["alerts"]
    }
    return told if len(told) >= count else set()
