"""`plantao send-test`: an alert that comes and goes."""

import json

from app.alertmanager.webhook import read
from app.core.alerts import AlertStatus, fingerprint
from tests.cli.conftest import Beside
from tests.neighbours.recorder import Recorder


def test_it_opens_an_incident_and_its_end_resolves_it(service: Beside) -> None:
    told = service.shell.ok("send-test", "--alertname", "ComesAndGoes")
    assert "ComesAndGoes fires" in told
    assert "plantao send-test --resolve --alertname ComesAndGoes" in told
    opened = service.incident("ComesAndGoes", "triggered")
    assert opened["severity"] == "critical"

    told = service.shell.ok("send-test", "--alertname", "ComesAndGoes", "--resolve")
    assert "ComesAndGoes is resolved" in told
    ended = service.incident("ComesAndGoes", "resolved")
    assert ended["id"] == opened["id"]
    (alert,) = ended["alerts"]
    assert alert["starts_at"] == opened["alerts"][0]["starts_at"]
    assert alert["starts_at"] < alert["ends_at"]


def test_its_end_needs_no_token_of_the_api(service: Beside) -> None:
    service.open_incident("EndsWithoutToken")
    stranger = service.shell.at(PLANTAO_API_TOKENS="")
    stranger.ok("send-test", "--alertname", "EndsWithoutToken", "--resolve")
    service.incident("EndsWithoutToken", "resolved")


def test_again_after_its_end_it_fires_anew(service: Beside) -> None:
    number = service.open_incident("FiresAgain")
    service.shell.ok("send-test", "--alertname", "FiresAgain", "--resolve")
    service.incident("FiresAgain", "resolved")
    service.shell.ok("send-test", "--alertname", "FiresAgain")
    assert service.incident("FiresAgain", "triggered")["id"] == number


def test_labels_are_set_and_taken_away(service: Beside) -> None:
    given = ["--label", "component=kafka", "--label", "model=", "--severity", "info"]
    told = service.shell.ok("send-test", "--alertname", "Labelled", *given)
    assert "--label component=kafka --label model=" in told
    labels = service.incident("Labelled")["labels"]
    assert labels["component"] == "kafka"
    assert labels["severity"] == "info"
    assert "model" not in labels


def test_a_wrong_token(service: Beside) -> None:
    assert "PLANTAO_WEBHOOK_TOKEN" in service.shell.error("send-test", "--token", "wrong")


def test_it_prints_the_receipt(service: Beside) -> None:
    told = service.shell.ok("send-test", "--alertname", "WithReceipt")
    number = told.split()[1]
    body = json.loads(service.shell.ok("receipts", "show", number, "--body"))
    assert body["version"] == "4"
    assert body["groupLabels"] == {"alertname": "WithReceipt", "component": "serving"}


def test_what_is_not_plantao_is_told_so(service: Beside) -> None:
    with Recorder() as stranger:
        line = service.shell.error("send-test", "--url", stranger.url)
        body = stranger.requests[0].body
    assert "does not answer as Plantão does" in line
    (alert,) = read(body).alerts
    assert alert.fingerprint == fingerprint(alert.labels)
    assert alert.status is AlertStatus.FIRING
