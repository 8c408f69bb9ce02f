"""Metric families that hold what is known now and nothing else: no series outlives its reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Series = Iterable[tuple[Sequence[str], float | None]]


def gauge(name: str, help_text: str, labels: Sequence[str], series: Series) -> GaugeMetricFamily:
    """One gauge; a value of None has no series."""
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, number in series:
        if number is not None:
            family.add_metric(list(values), number)
    return family


def counter(
    name: str, help_text: str, labels: Sequence[str], counts: Mapping[Sequence[str], float]
) -> CounterMetricFamily:
    """One counter; `name` without the _total that its series get."""
    family = CounterMetricFamily(name, help_text, labels=labels)
    for values, number in counts.items():
        family.add_metric(list(values), number)
    return family
