"""Changes that show in figures: a value that moved, or a counter that began anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Template

from app.core.alerts import Labels
from app.core.facts import Change

Series = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Watch:
    """A PromQL query whose result tells of changes, and how to call them.

    With `falls`, only a value that became smaller counts: a counter of a process that was
    started anew. With `is_time`, the value itself is the moment (seconds since 1970).
    `title` may name labels of the series: `$table`.
    """

    source: str
    kind: str
    query: str
    title: str
    component: str
    falls: bool = False
    is_time: bool = False


#: What is watched without being asked. A query that finds nothing costs one request.
STANDARD = (
    Watch(
        "prometheus",
        "config_reloaded",
        "prometheus_config_last_reload_success_timestamp_seconds",
        "Prometheus read its configuration anew",
        "monitoring",
        is_time=True,
    ),
    Watch(
        "spark",
        "driver_restarted",
        '{__name__=~"metrics_.+_driver_JVMCPU_jvmCpuTime_Value"}',
        "Spark driver restarted ($instance)",
        "spark",
        falls=True,
    ),
    Watch(
        "delta",
        "table_rewritten",
        'delta_last_commit_timestamp_seconds{operation=~"OPTIMIZE|DELETE|MERGE|RESTORE|UPDATE'
        '|ADD COLUMNS|CHANGE COLUMN|REPLACE TABLE|SET TBLPROPERTIES"}',
        "$table: $operation",
        "delta",
        is_time=True,
    ),
)


def noticed(
    watch: Watch, before: Mapping[Series, float], after: Mapping[Series, float], *, now: datetime
) -> list[Change]:
    """The changes between two looks. A series seen for the first time is none."""
    moved = [
        (dict(series), value)
        for series, value in after.items()
        if series in before and _moved(watch, before[series], value)
    ]
    return [_change(watch, labels, value, now) for labels, value in moved]


def _moved(watch: Watch, old: float, new: float) -> bool:
    return new < old if watch.falls else new != old


def _change(watch: Watch, labels: Labels, value: float, now: datetime) -> Change:
    at = datetime.fromtimestamp(value, UTC) if watch.is_time else now
    named = {name: text for name, text in labels.items() if name != "__name__"}
    title = Template(watch.title).safe_substitute(named)
    return Change(watch.source, watch.kind, title, at, {"component": watch.component, **named})
