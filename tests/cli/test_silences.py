"""`plantao incidents silence` and `unsilence`, with a real service and a real Alertmanager."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Beside
from tests.neighbours.alertmanager import Alertmanager

pytestmark = pytest.mark.neighbour

QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path_factory.mktemp("alertmanager"), QUIET) as alertmanager:
        yield alertmanager


@pytest.fixture(scope="module")
def beside(
    tmp_path_factory: pytest.TempPathFactory, alertmanager: Alertmanager
) -> Iterator[Beside]:
    # Verify asks so rarely that the test's alerts, unknown to Alertmanager, stay.
    directory = tmp_path_factory.mktemp("service")
    (directory / "plantao.yml").write_text("verify: {orphan_after: 10h}\n")
    with Beside(directory, PLANTAO_ALERTMANAGER_URL=alertmanager.url) as service:
        yield service


def active(alertmanager: Alertmanager, alertname: str) -> list[str]:
    return [
        each["id"]
        for each in alertmanager.silences()
        if each["status"]["state"] == "active"
        and any(matcher["value"] == alertname for matcher in each["matchers"])
    ]


def test_silence_and_unsilence(beside: Beside, alertmanager: Alertmanager) -> None:
    shell, number = beside.shell, str(beside.open_incident("WholeSilence"))
    line = shell.ok("incidents", "silence", number, "2h", "--comment", "olha isso")
    assert line.startswith("Silence ")
    assert "by maria" in line
    assert 'alertname="WholeSilence"' in line
    (reference,) = active(alertmanager, "WholeSilence")
    shown = shell.ok("incidents", "show", number)
    assert f"#/silences/{reference}" in shown
    assert "olha isso" in shown.partition("Silences")[2].splitlines()[1]
    over = shell.ok("incidents", "unsilence", number, "--by", "joão")
    assert "by joão" in over
    assert active(alertmanager, "WholeSilence") == []
    assert "no silence in force" in shell.error("incidents", "unsilence", number)


def test_of_several_one_is_named(beside: Beside, alertmanager: Alertmanager) -> None:
    shell, number = beside.shell, str(beside.open_incident("Several"))
    made = [
        json.loads(shell.ok("incidents", "silence", number, length, "--json"))["id"]
        for length in ("2h", "4h")
    ]
    assert f"2 silences ({made[0]}, {made[1]}): say which" in shell.error(
        "incidents", "unsilence", number
    )
    over = json.loads(shell.ok("incidents", "unsilence", number, str(made[0]), "--json"))
    assert over["state"] == "ended"
    assert len(active(alertmanager, "Several")) == 1


def test_a_dry_run(beside: Beside, alertmanager: Alertmanager) -> None:
    shell, number = beside.shell, str(beside.open_incident("DryRun"))
    done = shell.run("incidents", "silence", number, "2h", "--dry-run")
    matchers, alert = done.stdout.splitlines()
    assert matchers.startswith('alertname="DryRun"')
    assert "alertname=DryRun" in alert
    assert "Mutes 1 of 1 firing alerts." in done.stderr
    given = ["--matcher", 'alertname=~"Dry.*"', "--dry-run", "--json"]
    preview = json.loads(shell.ok("incidents", "silence", number, "2h", *given))
    assert preview["matchers"] == ['alertname=~"Dry.*"']
    assert active(alertmanager, "DryRun") == []


def test_matchers_and_alerts_of_ones_choice(beside: Beside, alertmanager: Alertmanager) -> None:
    shell, number = beside.shell, beside.open_incident("Chosen")
    (alert,) = json.loads(shell.ok("incidents", "show", str(number), "--json"))["alerts"]
    for given in (
        ["--matcher", 'alertname="Chosen"'],
        ["--alert", alert["fingerprint"], "--by", "ana"],
    ):
        shell.ok("incidents", "silence", str(number), "1h", *given)
    assert len(active(alertmanager, "Chosen")) == 2
    wrong = ["incidents", "silence", str(number), "1h", "--matcher", 'alertname=~".+"']
    assert "every kind" in shell.error(*wrong, code=2)
    assert "expected a duration" in shell.error("incidents", "silence", str(number), "soon", code=2)


def test_alertmanager_is_down(beside: Beside, alertmanager: Alertmanager) -> None:
    shell, number = beside.shell, str(beside.open_incident("Down"))
    alertmanager.stop()
    try:
        assert "cannot be reached" in shell.error("incidents", "silence", number, "1h")
        waiting = shell.ok("incidents", "silence", number, "1h", "--retry")
        assert " waiting until " in waiting
        assert "ended" in shell.ok("incidents", "unsilence", number)
    finally:
        alertmanager.start()
