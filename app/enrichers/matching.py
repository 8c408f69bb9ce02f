"""Which series of an answer belong to which alerts, and which of them is the worst."""

from __future__ import annotations

import operator as op
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.core.alerts import Alert
from app.core.facts import SeriesValue, Threshold
from app.enrichers.promql import Comparison

_NEVER_SHARED = frozenset({"__name__", "alertname"})
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">": op.gt,
    ">=": op.ge,
    "<": op.lt,
    "<=": op.le,
    "==": op.eq,
    "!=": op.ne,
}
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fitting:
    """The alerts of one rule, as far as their labels say which series made them.

    An alert has its series' labels, those that the rule adds and those that all alerts of a
    Prometheus get (external labels, which no answer carries). So a series belongs to an alert
    that has all its labels; and if none does, the only one that contradicts none of them.
    `added` are the names of the labels that the rule adds: they may hide a series' own.
    """

    alerts: Sequence[Alert]
    added: AbstractSet[str] = frozenset()

    def among(self, series: Sequence[SeriesValue]) -> list[SeriesValue]:
        """The series that belong to the alerts, each once, in the alerts' order."""
        shapes = _by_shape(series, self.added | _NEVER_SHARED)
        indexes: dict[tuple[_Key, _Key], Mapping[_Key, list[int]]] = {}
        found: dict[int, None] = {}
        for alert in self.alerts:
            found.update(dict.fromkeys(self._of(alert, series, shapes, indexes)))
        return [series[number] for number in found]

    def _of(
        self,
        alert: Alert,
        series: Sequence[SeriesValue],
        shapes: Mapping[_Key, list[int]],
        indexes: dict[tuple[_Key, _Key], Mapping[_Key, list[int]]],
    ) -> list[int]:
        whole: list[int] = []
        partial: list[int] = []
        for shape, members in shapes.items():
            shared = tuple(name for name in shape if name in alert.labels)
            if (shape, shared) not in indexes:
                indexes[shape, shared] = _index(series, members, shared)
            key = tuple(alert.labels[name] for name in shared)
            fits = indexes[shape, shared].get(key, [])
            (whole if shared == shape else partial).extend(fits)
        if whole:
            return whole
        return partial if len(partial) == 1 else []


def holds(threshold: Threshold, value: float) -> bool:
    """Whether the rule's comparison is true of this value: then it fires."""
    return _HOLDS[threshold.operator](value, threshold.value)


def worst_first(
    series: Sequence[SeriesValue], comparison: Comparison, threshold: Threshold | None
) -> list[SeriesValue]:
    """By the comparison's direction; in the order they came where it has none."""
    against = threshold.value if threshold else 0.0
    match comparison.operator:
        case ">" | ">=":
            return sorted(series, key=lambda each: -each.value)
        case "<" | "<=":
            return sorted(series, key=lambda each: each.value)
        case "==":
            return sorted(series, key=lambda each: abs(each.value - against))
        case "!=":
            return sorted(series, key=lambda each: -abs(each.value - against))
        case _:
            return list(series)


def set_apart(series: Sequence[SeriesValue], count: int) -> tuple[SeriesValue, ...]:
    """The first `count`, with only the labels that are not the same in all of `series`."""
    shared = set(series[0].labels.items()) if series else set()
    for each in series:
        shared &= each.labels.items()
    names = {name for name, _ in shared} | {"__name__"}
    return tuple(
        SeriesValue({k: v for k, v in each.labels.items() if k not in names}, each.value)
        for each in series[:count]
    )


def _by_shape(series: Sequence[SeriesValue], ignored: AbstractSet[str]) -> Mapping[_Key, list[int]]:
    """The series' numbers by the names of their labels: there are few sets of names."""
    shapes: dict[_Key, list[int]] = {}
    # Of thousands of series nearly all have their labels' names in the same order.
    by_order: dict[_Key, list[int]] = {}
    for number, each in enumerate(series):
        order = tuple(each.labels)
        if order not in by_order:
            shape = tuple(sorted(set(order) - ignored))
            by_order[order] = shapes.setdefault(shape, [])
        by_order[order].append(number)
    return shapes


def _index(
    series: Sequence[SeriesValue], members: Iterable[int], names: _Key
) -> Mapping[_Key, list[int]]:
    index: dict[_Key, list[int]] = defaultdict(list)
    for number in members:
        index[tuple(series[number].labels[name] for name in names)].append(number)
    return index
