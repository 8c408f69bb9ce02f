"""Which alerting rule made an alert."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from app.core.alerts import Alert
from app.enrichers.prometheus import AlertingRule, Prometheus, too_late
from app.errors import NeighbourFailed

_KEPT = timedelta(seconds=15)
_KEPT_AT_LEAST = timedelta(seconds=2)


class RuleBook:
    """Prometheus' alerting rules, asked for at most every 15 s however many incidents open.

    A rule that is not among them may be new: then they are asked for anew, at most every 2 s.
    """

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._answer: asyncio.Task[list[AlertingRule]] | None = None
        self._asked_at = 0.0

    async def behind(self, alert: Alert, *, within: float) -> AlertingRule | None:
        """The rule that made `alert`, None if it is not known or there is more than one.

        Raises NeighbourFailed when the rules cannot be had.
        """
        for age in (_KEPT, _KEPT_AT_LEAST):
            rule = rule_behind(alert, await self._at_most(age, within))
            if rule is not None:
                return rule
        return None

    async def _at_most(self, age: timedelta, within: float) -> Sequence[AlertingRule]:
        """One request for all who wait for it, and it outlives the one who asked first."""
        now = asyncio.get_running_loop().time()
        if self._answer is None or self._outlived(now - self._asked_at, age):
            self._asked_at = now
            self._answer = asyncio.create_task(self._prometheus.alerting_rules(within=within))
            self._answer.add_done_callback(_heard)
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(self._answer)
        except TimeoutError:
            raise NeighbourFailed(too_late(within)) from None

    def _outlived(self, seconds: float, age: timedelta) -> bool:
        answer = self._answer
        if answer is None or not answer.done():
            return answer is None
        failed = answer.cancelled() or answer.exception() is not None
        return failed or seconds > age.total_seconds()


def _heard(answer: asyncio.Task[list[AlertingRule]]) -> None:
    """Python complains of an error that nobody saw; here all who waited may have gone."""
    if not answer.cancelled():
        answer.exception()


def rule_behind(alert: Alert, rules: Sequence[AlertingRule]) -> AlertingRule | None:
    """By the expression in the alert's generatorURL; only where it has none, by the name.

    A rule whose expression is no longer the alert's was edited since: its values would not be
    those that the alert fired on.
    """
    expression = expression_of(alert)
    named = [rule for rule in rules if rule.rule.name == alert.labels.get("alertname")]
    if expression is not None:
        # Without the name if no other way: alerts can be relabelled.
        candidates = _with_expression(named, expression) or _with_expression(rules, expression)
    else:
        candidates = named
    likely = [rule for rule in candidates if _adds(rule, alert)] or candidates
    same = len({rule.rule.expression for rule in likely}) == 1
    return likely[0] if same else None


def expression_of(alert: Alert) -> str | None:
    """What Prometheus wrote into the alert's generatorURL; None if something else made it.

    Source: `strutil.TableLinkForExpression` of Prometheus.
    """
    try:
        found = parse_qs(urlsplit(alert.generator_url).query, max_num_fields=100)
    except ValueError:
        return None
    return next(iter(found.get("g0.expr", ())), None)


def _with_expression(rules: Sequence[AlertingRule], expression: str) -> list[AlertingRule]:
    plain = " ".join(expression.split())
    return [rule for rule in rules if " ".join(rule.rule.expression.split()) == plain]


def _adds(rule: AlertingRule, alert: Alert) -> bool:
    """Whether the alert has the labels that the rule adds; templates are not worked out."""
    return all(
        "{{" in value or alert.labels.get(name) == value for name, value in rule.labels.items()
    )
