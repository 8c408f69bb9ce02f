"""Bodies as Alertmanager posts them (webhook version 4), made in any number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

_START = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
_NEVER = "0001-01-01T00:00:00Z"


def bodies(count: int, *, alerts: int, groups: int, first: int = 0) -> Iterator[bytes]:
    """`count` bodies of `alerts` each. All alerts differ in fingerprint and start; the bodies
    take turns with `groups` notification groups, so that many incidents come of them. Those from
    another `first` are others."""
    for number in range(first, first + count):
        yield body(range(number * alerts, (number + 1) * alerts), group=number % groups)


def body(numbers: range, *, group: int = 0) -> bytes:
    """One notification of one group, with an alert for each number."""
    common = {"alertname": "ModelLatencyHigh", "cluster": "eu1", "model": f"fraud-{group}"}
    content = {
        "receiver": "plantao",
        "status": "firing",
        "alerts": [_alert(number, common) for number in numbers],
        "groupLabels": {"alertname": common["alertname"], "model": common["model"]},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.internal:9093",
        "version": "4",
        "groupKey": f'{{}}:{{alertname="ModelLatencyHigh", model="{common["model"]}"}}',
        "truncatedAlerts": 0,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _alert(number: int, common: dict[str, str]) -> dict[str, Any]:
    labels = {**common, "instance": f"ml-{number}:9000", "severity": "warning", "team": "ml"}
    start = (_START + timedelta(milliseconds=number)).isoformat(timespec="milliseconds")
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {
            "summary": f"{common['model']} p99 is 830ms",
            "description": f"p99 latency of {common['model']} at ml-{number}:9000 is 0.83s",
            "runbook_url": "https://runbooks.example.com/ModelLatencyHigh",
        },
        "startsAt": start.replace("+00:00", "Z"),
        "endsAt": _NEVER,
        "generatorURL": "http://prometheus.example.internal:9090/graph?g0.expr="
        "max+by+%28model%2C+instance%29+%28model_latency_p99_seconds%7Benv%3D%22prod%22%7D%29"
        "+%3E+0.5&g0.tab=1",
        "fingerprint": f"{(number + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}",
    }
