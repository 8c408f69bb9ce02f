"""Units by the names' own rules."""

from __future__ import annotations

import pytest

from app.core.facts import Threshold
from app.enrichers.units import unit

UNITS = {
    "latency_seconds": "seconds",
    "batch_latency_milliseconds": "milliseconds",
    "max_over_time(latency_seconds[5m]) offset 1d": "",
    "max_over_time(latency_seconds[5m] offset 1d)": "seconds",
    "rate(requests_total[5m])": "per second",
    "sum by (x) (irate(sent_bytes_total[5m]))": "bytes per second",
    "max_over_time(rate(sent_bytes_total[1m])[1h:])": "bytes per second",
    "rate(cpu_seconds_total[5m])": "",
    "increase(requests_total[1h])": "",
    "increase(sent_bytes_total[1h])": "bytes",
    "histogram_quantile(0.99, sum by (le) (rate(x_seconds_bucket[5m])))": "seconds",
    "rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])": "seconds",
    "job:x_seconds:p99": "seconds",
    "drop_ratio": "ratio",
    "used_bytes / size_bytes": "ratio",
    "1 - used_bytes / size_bytes": "ratio",
    "100 * (used_bytes / size_bytes)": "percent",
    'rate(requests_total{code="5"}[5m]) / rate(requests_total[5m])': "ratio",
    "rate(failed_total[5m]) / rate(batches_total[5m])": "",
    "sum(group_lag) / sum(rate(group_offset[5m]))": "seconds",
    "time() - max(last_commit_timestamp_seconds)": "seconds",
    "last_commit_timestamp_seconds": "",
    "count(latency_seconds)": "",
    "group_lag": "",
    "used_bytes * latency_seconds": "",
    "used_bytes + latency_seconds": "",
    "latency_seconds + 1": "seconds",
    'label_replace(-latency_seconds, "a", "b", "", "")': "seconds",
    "sum(": "",
}  # fmt: skip


@pytest.mark.parametrize("expression", UNITS)
def test_unit(expression: str) -> None:
    assert unit(expression) == UNITS[expression]


def test_a_quotient_of_counters_is_a_ratio_if_its_threshold_is() -> None:
    quotient = "rate(failed_total[5m]) / rate(requests_total[5m])"
    assert unit(quotient, Threshold(">", 0.05)) == "ratio"
    assert unit(quotient, Threshold(">", 20)) == ""
