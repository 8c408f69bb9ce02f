"""The alert rules: complete, tested in three senses, and tested close to their thresholds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.core.facts import Threshold
from app.enrichers.promql import Reason, read, split
from app.enrichers.units import unit
from tests.neighbours.processes import find_program
from tests.pack.shipped import (
    PROMETHEUS,
    RULE_TESTS,
    RULES,
    AlertRule,
    alert_rules,
    document,
    rules,
    thresholds,
)

ALERTS = alert_rules()
NAMES = [rule.name for rule in ALERTS]
STAGES = [path.stem for path in RULE_TESTS]
COMPONENTS = {"kafka", "spark", "delta", "training", "model", "serving", "pipeline", "monitoring"}
#: It fires always, and that is all there is to it.
ALWAYS = {"Watchdog"}
#: Something is there that should not be, or the reverse: there is no number to compare.
UNCOMPARED = {"SparkQueryGone", "ChampionAliasMissing", "ChampionNotServed", "AlertUnheard"}


def promtool(*arguments: str | Path, cwd: Path = PROMETHEUS) -> subprocess.CompletedProcess[str]:
    command = [find_program("promtool"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_prometheus_takes_its_configuration_and_rules() -> None:
    for arguments in (["check", "config", "prometheus.yml"], ["check", "rules", *RULES]):
        checked = promtool(*arguments)
        assert checked.returncode == 0, checked.stdout + checked.stderr


#: A test that spans days finds nothing, seldom, when promtool's own storage is just compacting:
#: https://github.com/prometheus/prometheus/issues/7699. A wrong rule fails each time.
_TRIES = 3


@pytest.mark.parametrize("stage", STAGES)
def test_alerts_fire_stay_silent_and_end_as_they_should(stage: str) -> None:
    for _ in range(_TRIES):
        tested = promtool("test", "rules", PROMETHEUS / "tests" / f"{stage}.yml")
        if tested.returncode == 0:
            return
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_an_alert_says_what_whoever_is_woken_by_it_must_know(rule: AlertRule) -> None:
    assert rule.labels["severity"] in {"critical", "warning", "info"}
    assert rule.labels["component"] in COMPONENTS
    assert set(rule.annotations) == {"summary", "description", "runbook_url"}
    assert rule.annotations["runbook_url"] == "{{ $externalLabels.runbooks }}/" + rule.name
    assert len(rule.annotations["summary"]) <= 100
    assert rule.annotations["description"].removesuffix("{{ end }}").endswith(".")
    # What is compared with 0 or 1 for "down" or "gone" has no value worth telling.
    if split(rule.expression).operator not in {"==", ""}:
        assert "$value" in rule.annotations["description"]


def test_every_alert_has_one_name_and_lives_in_one_place() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert {rule.stage for rule in ALERTS} | {"thresholds"} == {path.stem for path in RULES}


def _moments_tested(path: Path) -> dict[str, list[list[bool]]]:
    """Whether an alert is expected, moment by moment, in each of its tests in this file."""
    expectations: dict[str, list[list[bool]]] = {}
    for test in document(path)["tests"]:
        of: dict[str, list[bool]] = {}
        for each in test["alert_rule_test"]:
            of.setdefault(each["alertname"], []).append(bool(each["exp_alerts"]))
        for name, moments in of.items():
            expectations.setdefault(name, []).append(moments)
    return expectations


def test_every_alert_is_tested_not_firing_then_firing_then_ended() -> None:
    found = [item for path in RULE_TESTS for item in _moments_tested(path).items()]
    assert {name for name, _ in found} == set(NAMES)
    thrice = {name for name, moments in found if [False, True, False] in moments}
    assert set(NAMES) - thrice == ALWAYS


def test_every_threshold_is_used_and_every_used_one_is_there() -> None:
    used = {
        name for _, rule in rules() for name in re.findall(r"threshold:[\w:]+", str(rule["expr"]))
    }
    assert used == set(thresholds())
    assert len(thresholds()) == sum(1 for stage, _ in rules() if stage == "thresholds")


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("stage", STAGES)
def test_the_tests_would_notice_another_threshold(
    tmp_path: Path, stage: str, factor: float
) -> None:
    """Each alert is tested just below its threshold and just above it."""
    (tmp_path / "tests").mkdir()
    shutil.copy(PROMETHEUS / "tests" / f"{stage}.yml", tmp_path / "tests")
    _copy_rules(tmp_path / "alert.rules", factor)
    failures = promtool("test", "rules", tmp_path / "tests" / f"{stage}.yml").stderr
    noticed = set(re.findall(r"alertname: (\w+), time:", failures))
    # Half an executor more makes no difference, one and a tenth does.
    whole_numbers = {"SparkExecutorsMissing"} if factor < 1 else set()
    here = _moments_tested(PROMETHEUS / "tests" / f"{stage}.yml")
    tunable = {rule.name for rule in ALERTS if _tunable(rule) and rule.name in here}
    assert noticed == tunable - whole_numbers


def _copy_rules(directory: Path, factor: float) -> None:
    """The rules with each threshold times `factor`, as plain numbers: those are quicker."""
    directory.mkdir()
    for path in RULES:
        text = path.read_text("utf-8")
        for name, value in thresholds().items():
            text = text.replace(f"scalar({name})", f"(({value}) * {factor})")
        (directory / path.name).write_text(text, "utf-8")
    (directory / "thresholds.yml").write_text("groups: []\n", "utf-8")


def _tunable(rule: AlertRule) -> bool:
    return "threshold:" in rule.expression or "_budget_burn:" in rule.expression


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_the_service_finds_the_value_and_the_threshold(rule: AlertRule) -> None:
    """What an incident's first message shows of an alert comes from its expression."""
    found = split(rule.expression)
    assert not isinstance(read(found.left), Reason)
    if rule.name in ALWAYS | UNCOMPARED:
        assert found.threshold is None
    elif "scalar(threshold:" in rule.expression and found.operator in {">", "<"}:
        assert found.reason is Reason.QUERY
        assert re.search(r"threshold:[\w:]+", found.right)
        if found.right.endswith(":seconds))"):
            assert unit(found.left) == "seconds"
    else:
        assert isinstance(found.threshold, Threshold)
