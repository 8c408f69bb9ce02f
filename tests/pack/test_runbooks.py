"""A page for every alert, an alert for every page, and numbers that are those of the rules."""

from __future__ import annotations

import re

import pytest

from app.engine import ourselves
from app.engine.runbooks import Runbooks
from tests.pack.shipped import RUNBOOKS, AlertRule, alert_rules, thresholds

ALERTS = alert_rules()
PAGES = Runbooks.read(RUNBOOKS)
#: What Plantão says about itself.
OURS = {ourselves.QUARANTINED, ourselves.UNREADABLE_ALERT, ourselves.DELIVERY_FAILING}
SECTIONS = ["Confirm", "First steps", "Then", "Silence", "Threshold"]
#: The alert compares burn rates, which are made with the budget.
BUDGETS = {
    "model:scoring_budget_burn": "threshold:scoring_budget:ratio",
    "pix:end_to_end_budget_burn": "threshold:end_to_end_budget:ratio",
}


def test_alerts_and_pages_are_the_same() -> None:
    assert set(PAGES.pages) == {rule.name for rule in ALERTS} | OURS


@pytest.mark.parametrize("name", sorted(PAGES.pages))
def test_a_page_has_its_name_and_at_most_five_first_steps(name: str) -> None:
    page = PAGES.pages[name]
    assert page.startswith(f"# {name}\n\n")
    section = page.split("## First steps\n")[1].split("\n## ")[0]
    steps = re.findall(r"^\d+\. ", section, re.MULTILINE)
    assert 1 <= len(steps) <= 5
    assert len(PAGES.first_steps(name)) == len(steps)


@pytest.mark.parametrize("rule", ALERTS, ids=[rule.name for rule in ALERTS])
def test_a_page_says_what_it_means_and_why_the_threshold_is_what_it_is(rule: AlertRule) -> None:
    page = PAGES.pages[rule.name]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SECTIONS
    meaning = page.split("\n## ")[0]
    assert len(meaning) > 100
    budgets = {name for series, name in BUDGETS.items() if f"{series}:" in rule.expression}
    asked = set(re.findall(r"threshold:[\w:]+", rule.expression)) | budgets
    given = dict(re.findall(r"^- `(threshold:[\w:]+)` is (.+?): ", page, re.MULTILINE))
    assert given == {name: str(thresholds()[name]) for name in asked}


def test_pages_name_only_alerts_that_there_are() -> None:
    prefixes = "Kafka|Spark|Delta|Scoring|Champion|Plantao|Pix|Prometheus|Alertmanager"
    every = "\n".join(PAGES.pages.values())
    named = set(re.findall(rf"(?<![\w`/.])((?:{prefixes})(?:[A-Z][a-z]+)+)\b", every))
    assert named - {"DeltaTable"} <= set(PAGES.pages)
