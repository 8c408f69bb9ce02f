"""From the answers at two moments to the comparison that made an alert fire. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.facts import SeriesValue, Threshold
from app.enrichers.asking import apart
from app.enrichers.matching import Fitting, holds, worst_first
from app.enrichers.promql import Comparison, Reason


@dataclass(frozen=True, slots=True)
class Moment:
    """What every alternative of a comparison gave at one moment, the `right` where queried."""

    lefts: Sequence[Sequence[SeriesValue]]
    rights: Sequence[Sequence[SeriesValue]]


@dataclass(frozen=True, slots=True)
class Judged:
    """The alternative that held, by its `number`, and the alerts' own series, worst first.

    `no_threshold` says why there is no threshold, or what else decides.
    """

    number: int
    comparison: Comparison
    threshold: Threshold | None
    no_threshold: Reason | None
    firing: Sequence[SeriesValue]
    now: Sequence[SeriesValue]

    @property
    def directed(self) -> bool:
        """Whether one series can be worse than another."""
        return bool(self.comparison.operator)

    @property
    def series(self) -> SeriesValue | None:
        """The worst series, now if it still exists; None where nothing says which."""
        return self.one(self.now) or self.one(self.firing)

    def one(self, series: Sequence[SeriesValue]) -> SeriesValue | None:
        """The first, unless there are others and nothing says which is worse."""
        return series[0] if len(series) == 1 or (series and self.directed) else None

    @property
    def held(self) -> bool:
        """Whether the alternative explains the alert, as far as the values tell."""
        values = self.firing or self.now
        if self.threshold is None:
            return self.no_threshold is Reason.ABSENT and not values
        return any(holds(self.threshold, each.value) for each in values)


def moment(comparison: Comparison, answer: Sequence[SeriesValue]) -> Moment:
    """The answer to `together(expressions(comparison))`, sorted to what it answers."""
    every = (comparison, *comparison.alternatives)
    count = len(every) + sum(1 for each in every if each.right)
    parts = apart(answer, count)
    rights = iter(parts[len(every) :])
    return Moment(parts[: len(every)], [next(rights) if each.right else () for each in every])


def judge(
    comparison: Comparison, fitting: Fitting, firing: Moment | None, now: Moment | None
) -> Judged:
    """Which alternative made the alerts fire: the first that held then, else the first at all.

    None stands for a moment that could not be asked about.
    """
    every = (comparison, *comparison.alternatives)
    sides = [_judged(number, each, fitting, firing, now) for number, each in enumerate(every)]
    # That something is absent explains an alert only where no value does.
    likely = sorted(sides, key=lambda side: side.threshold is None)
    held = next((side for side in likely if side.held), None)
    if held is None:
        return sides[0]
    first = held.no_threshold is Reason.FIRST
    return replace(held, no_threshold=Reason.HELD) if first else held


def _judged(
    number: int,
    comparison: Comparison,
    fitting: Fitting,
    firing: Moment | None,
    now: Moment | None,
) -> Judged:
    threshold, reason = _threshold(number, comparison, fitting, firing or now)
    then, at_last = (
        worst_first(fitting.among(each.lefts[number]), comparison, threshold) if each else []
        for each in (firing, now)
    )
    then = _breaking(then, threshold, len(fitting.alerts))
    known = {frozenset(each.labels.items()) for each in then}
    if len(at_last) > len(fitting.alerts) and known:
        at_last = [each for each in at_last if frozenset(each.labels.items()) in known]
    return Judged(number, comparison, threshold, reason, then, at_last)


def _breaking(
    series: list[SeriesValue], threshold: Threshold | None, alerts: int
) -> list[SeriesValue]:
    """Where more series fit than alerts fire (the rule hid labels), those beyond the threshold."""
    if threshold is None or len(series) <= alerts:
        return series
    return [each for each in series if holds(threshold, each.value)] or series


def _threshold(
    number: int, comparison: Comparison, fitting: Fitting, then: Moment | None
) -> tuple[Threshold | None, Reason | None]:
    """A threshold that is itself a query is a number where the alerts have one series of it."""
    if not comparison.right or then is None:
        return comparison.threshold, comparison.reason
    found = then.rights[number]
    own = found if len(found) == 1 else fitting.among(found)
    values = {each.value for each in own}
    if len(values) == 1:
        return Threshold(comparison.operator, values.pop()), None
    return None, Reason.VARIES if values else Reason.QUERY
