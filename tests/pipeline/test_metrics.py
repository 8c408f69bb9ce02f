"""Every metric that a rule or a board names is there, from the running component."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from app.enrichers.promql import selectors
from tests.pipeline.neighbours.installed import REPOSITORY
from tests.pipeline.neighbours.prometheus import SHIPPED
from tests.pipeline.season import Season

_GRAFANA = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1h"}


def expressions() -> Iterator[str]:
    for path in SHIPPED.glob("alert.rules/*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from (str(rule["expr"]) for rule in group["rules"])
    for path in (REPOSITORY / "grafana").rglob("*.json"):
        for found in _values(json.loads(path.read_text()), "expr"):
            for variable, value in _GRAFANA.items():
                found = found.replace(variable, value)  # noqa: PLW2901
            yield found


def _values(tree: Any, key: str) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key and isinstance(value, str):
                yield value
            else:
                yield from _values(value, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from _values(item, key)


def test_every_metric_named_in_rules_and_boards_is_there(season: Season) -> None:
    named = {
        selector.metric
        for expression in expressions()
        for selector in selectors(expression)
        if selector.metric
    }
    there = set(season.town.prometheus.api("label/__name__/values"))
    assert len(named) > 50
    missing = sorted(named - there)
    assert not missing, missing
