"""The pipeline's own configuration, as it is shipped: what the tests of it read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "prometheus"
RULES = tuple(sorted((PROMETHEUS / "alert.rules").glob("*.yml")))
RULE_TESTS = tuple(sorted((PROMETHEUS / "tests").glob("*.yml")))
RUNBOOKS = ROOT / "runbooks"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alerting rule; `stage` is the name of its file."""

    stage: str
    name: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def rules() -> list[tuple[str, dict[str, Any]]]:
    """Every rule, recording ones included, with the name of its file."""
    return [
        (path.stem, rule)
        for path in RULES
        for group in document(path)["groups"]
        for rule in group["rules"]
    ]


def alert_rules() -> list[AlertRule]:
    return [
        AlertRule(
            stage, rule["alert"], rule["expr"], rule.get("labels", {}), rule.get("annotations", {})
        )
        for stage, rule in rules()
        if "alert" in rule
    ]


def thresholds() -> dict[str, Any]:
    """What users tune: the constant of each `threshold:…`."""
    return {rule["record"]: rule["expr"] for stage, rule in rules() if stage == "thresholds"}
