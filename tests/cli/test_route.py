"""`plantao route`: where an alert would go."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell

CONFIG = """
receivers:
  fraud-oncall: {slack: {channel: "#fraude-plantao"}, email: {to: [plantao@example.com]}}
  storage:      {email: {to: [dados@example.com, lake@example.com]}}
  log-only:     {console: true}
routes:
  receiver: log-only
  routes:
    - {matchers: ['component="delta"', 'severity!="critical"'], receiver: storage, group_by: []}
    - matchers: ['severity="critical"']
      receiver: fraud-oncall
      group_by: [alertname, component]
      continue: true
    - {matchers: ['component="serving"'], group_by: ['...']}
reopen_within: 45m
"""


@pytest.fixture
def routes(shell: Shell) -> Shell:
    (shell.directory / "plantao.yml").write_text(CONFIG)
    return shell


def _as_json(shell: Shell, *labels: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(shell.ok("route", "--json", *labels))
    return answer


def test_one_receiver_in_words(routes: Shell) -> None:
    text = routes.ok("route", "component=delta", "severity=warning")
    assert text.startswith("storage\n")
    assert 'routes.routes[0]: component="delta", severity!="critical"' in text
    assert "email:dados@example.com,lake@example.com" in text
    assert "all alerts for storage" in text
    assert "within 45m of its end" in text


def test_several_receivers_and_the_first_decides_the_grouping(routes: Shell) -> None:
    text = routes.ok("route", "component=serving", "severity=critical", "alertname=Slow")
    assert text.index("fraud-oncall\n") < text.index("log-only\n")
    assert "the first decides the grouping" in text
    assert 'alerts for fraud-oncall with alertname="Slow" and component="serving"' in text
    assert "slack:#fraude-plantao; email:plantao@example.com" in text


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a=1"], "come in one group of Alertmanager's"),
        (["severity=critical"], "no alertname and no component"),
        (["component=serving", "a=1"], 'with a="1" and component="serving"'),
    ],
)
def test_what_is_one_incident(routes: Shell, labels: list[str], words: str) -> None:
    assert words in routes.ok("route", *labels)


def test_json(routes: Shell) -> None:
    answer = _as_json(routes, "component=serving", "severity=critical")
    assert answer["receivers"] == ["fraud-oncall", "log-only"]
    assert [route["path"][-1] for route in answer["routes"]] == [
        'routes.routes[1]: severity="critical"',
        'routes.routes[2]: component="serving"',
    ]
    assert answer["group_by"] == ["alertname", "component"]
    assert json.loads(answer["correlation_key"]) == ["fraud-oncall", [["component", "serving"]]]
    assert answer["reopen_within"] == "45m"
    assert {"receiver": "log-only", "destination": "console"} in answer["destinations"]


def test_a_key_that_only_alertmanager_knows_is_null(routes: Shell) -> None:
    assert _as_json(routes, "a=1")["correlation_key"] is None


def test_without_a_file_everything_goes_to_what_is_set_up(shell: Shell) -> None:
    there = shell.at(PLANTAO_SMTP_URL="smtp://localhost", PLANTAO_EMAIL_TO="ana@example.com")
    assert _as_json(there, "a=1")["destinations"] == [
        {"receiver": "default", "destination": "email:ana@example.com"},
        {"receiver": "default", "destination": "console"},
    ]


def test_another_file(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("receivers: {elsewhere: {console: true}}")
    assert shell.ok("route", "a=1", "--config", "other.yml").startswith("elsewhere\n")


def test_a_file_that_cannot_be_used(shell: Shell) -> None:
    (shell.directory / "plantao.yml").write_text("receivers: {a: {console: yes}}\nroutez: {}\n")
    assert "plantao.yml:2" in shell.error("route", "a=1")


def test_a_file_that_is_not_there(shell: Shell) -> None:
    assert "cannot be read" in shell.error("route", "a=1", "--config", "nowhere.yml")


def test_a_value_may_hold_anything(routes: Shell) -> None:
    text = routes.ok("route", "severity=critical", "component=a=b\x1b[2J")
    assert "\x1b" not in text
    assert 'component="a=b' in text
