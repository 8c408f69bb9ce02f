"""The queries that tell of an alert's condition, each as one PromQL expression."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.alerts import Labels
from app.core.facts import SeriesValue
from app.enrichers.promql import Comparison, Selector, label, quoted

_PART = "plantao_part"
_MOST_SELECTORS = 5
# Prometheus reads the last two as numbers, in `on` too.
_UNNAMEABLE = frozenset({"__name__", "inf", "nan"})

OTHERS_FIRING = 'group by (alertname, component) (ALERTS{alertstate="firing",severity!="none"})'
"""Alerts of severity none say that alerting works, or only inhibit others."""


def together(expressions: Sequence[str]) -> str:
    """Several expressions in one query; `apart` takes the answer apart again."""
    if len(expressions) == 1:
        return expressions[0]
    return " or ".join(
        f'label_replace({expression}, "{_PART}", "{number}", "", "")'
        for number, expression in enumerate(expressions)
    )


def apart(series: Sequence[SeriesValue], count: int) -> list[list[SeriesValue]]:
    """What each of `count` expressions gave."""
    if count == 1:
        return [list(series)]
    parts: list[list[SeriesValue]] = [[] for _ in range(count)]
    for each in series:
        labels = dict(each.labels)
        number = labels.pop(_PART, "")
        if number.isdecimal() and int(number) < count:
            parts[int(number)].append(SeriesValue(labels, each.value))
    return parts


def expressions(comparison: Comparison) -> list[str]:
    """What to query: the left sides of all alternatives, then the right sides that are queries."""
    every = (comparison, *comparison.alternatives)
    return [*(each.left for each in every), *(each.right for each in every if each.right)]


def only(expression: str, labels: Labels) -> str:
    """The one series of `expression` that has these labels, and what else has all of them."""
    named = {name: value for name, value in labels.items() if name.lower() not in _UNNAMEABLE}
    if not named:
        return expression
    wanted = "vector(1)"
    for name, value in named.items():
        # A dollar sign would stand for a group of the (empty) pattern.
        replacement = quoted(value.replace("$", "$$"))
        wanted = f'label_replace({wanted}, {quoted(name)}, {replacement}, "", "")'
    return f"({expression}) and on ({', '.join(map(label, named))}) {wanted}"


def targets(selectors: Sequence[Selector]) -> list[str]:
    """The targets behind the selectors that are down, and how many there are; none without
    selectors.

    By the selectors' own matchers on job and instance; without one on job, the jobs are those
    whose targets have such series, or had an hour or a day ago: a target that is down has none.
    """
    if not selectors:
        return []
    read = selectors[:_MOST_SELECTORS]
    down = " or ".join(dict.fromkeys(_behind(each, "== 0") for each in read))
    every = " or ".join(dict.fromkeys(_behind(each, ">= 0") for each in read))
    return [down, f"count({every})"]


def _behind(selector: Selector, condition: str) -> str:
    matchers = ",".join(selector.target_matchers)
    ups = f"(up{{{matchers}}} {condition})"
    if selector.names_job:
        return ups
    jobs = " or ".join(
        f"group by (job) ({selector.text}{offset})" for offset in ("", " offset 1h", " offset 1d")
    )
    return f"({ups} and on (job) ({jobs}))"
