"""The numbers that alerts compare with, read where users tune them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import yaml

THRESHOLDS = Path(__file__).parents[2] / "prometheus/alert.rules/thresholds.yml"


@dataclass(frozen=True, slots=True)
class Limit:
    """Where red begins: from `value` upwards, or below it."""

    value: float
    below: bool = False


def threshold(name: str) -> float:
    """The constant of `threshold:<name>`, such as `scoring_p99:seconds`."""
    groups = yaml.safe_load(THRESHOLDS.read_text("utf-8"))["groups"]
    rules = {rule["record"]: str(rule["expr"]) for group in groups for rule in group["rules"]}
    return prod(float(factor) for factor in rules[f"threshold:{name}"].split("*"))


def above(name: str) -> Limit:
    return Limit(threshold(name))


def below(name: str) -> Limit:
    return Limit(threshold(name), below=True)


#: For what no alert has a number to tune: anything at all, or nothing.
ANY = Limit(1)
DOWN = Limit(1, below=True)
