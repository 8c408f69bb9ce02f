"""The pipeline test's short waiting: what it makes of durations, and of the shipped rules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.neighbours.processes import find_program
from tests.pipeline import overlay
from tests.pipeline.neighbours.prometheus import SHIPPED, SHIPPED_ALERTMANAGER, THRESHOLDS


@pytest.mark.parametrize(
    ("written", "meant"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1w", 604_800), ("1d", 86_400)],
)
def test_durations_are_read(written: str, meant: float) -> None:
    assert overlay.seconds(written) == meant


@pytest.mark.parametrize("shorten", [overlay.window, overlay.patience, overlay.age])
def test_what_is_longer_stays_longer(shorten: overlay.Shorten) -> None:
    lengths = [300, 600, 1_800, 3_600, 21_600, 86_400, 259_200, 604_800]
    short = [shorten(length) for length in lengths]
    assert short == sorted(set(short))
    assert all(after < before for after, before in zip(short, lengths, strict=True))


def test_a_rule_waits_less_and_says_the_same() -> None:
    rule = {
        "alert": "Late",
        "expr": "rate(x[5m]) / max_over_time(y[1d] offset 1w) > 5",
        "for": "5m",
        "labels": {"severity": "critical"},
    }
    [group] = overlay.rules({"groups": [{"name": "g", "rules": [rule]}]}, {})["groups"]
    [changed] = group["rules"]
    assert changed == {
        **rule,
        "expr": "rate(x[22s]) / max_over_time(y[208s] offset 452s) > 5",
        "for": "6s",
    }


def test_ages_are_shortened_and_measures_are_not() -> None:
    shipped = [
        {"record": "threshold:label_age:seconds", "expr": "86400"},
        {"record": "threshold:model_training_age:seconds", "expr": "7 * 86400"},
        {"record": "threshold:scoring_p99:seconds", "expr": 0.2},
        {"record": "threshold:spark_batch:seconds", "expr": 5},
    ]
    groups = overlay.rules(
        {"groups": [{"name": "thresholds", "rules": shipped}]},
        {"threshold:spark_batch:seconds": 15},
    )["groups"]
    values = [float(rule["expr"]) for rule in groups[0]["rules"]]
    assert 60 < values[0] < values[1] < 180
    assert values[2:] == [0.2, 15]


def test_prometheus_takes_every_shipped_rule_shortened(tmp_path: Path) -> None:
    paths = []
    for shipped in sorted(SHIPPED.glob("alert.rules/*.yml")):
        paths.append(tmp_path / shipped.name)
        rules = overlay.rules(yaml.safe_load(shipped.read_text()), THRESHOLDS)
        paths[-1].write_text(yaml.safe_dump(rules, allow_unicode=True))
    command = [find_program("promtool"), "check", "rules", *map(str, paths)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(paths) > 5


def test_the_thresholds_set_for_the_test_are_shipped_ones() -> None:
    thresholds = yaml.safe_load((SHIPPED / "alert.rules/thresholds.yml").read_text())
    shipped = {rule["record"] for group in thresholds["groups"] for rule in group["rules"]}
    assert set(THRESHOLDS) <= shipped


def test_alertmanager_takes_the_shipped_routes_shortened(tmp_path: Path) -> None:
    shipped = yaml.safe_load((SHIPPED_ALERTMANAGER / "alertmanager.yml").read_text())
    changed = overlay.alertmanager(
        shipped,
        webhook="http://127.0.0.1:1/webhooks/alertmanager",
        token="token",
        mail="127.0.0.1:2",
        heartbeat="http://127.0.0.1:3",
        folder=str(SHIPPED_ALERTMANAGER),
    )
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(changed))
    command = [find_program("amtool"), "check-config", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout
    assert changed["inhibit_rules"] == shipped["inhibit_rules"]
    assert changed["route"]["group_wait"] == "1s"
    matchers = [route.get("matchers") for route in shipped["route"]["routes"]]
    assert [route.get("matchers") for route in changed["route"]["routes"]] == matchers
