"""Changes that show in figures: a moment that moved on, or a counter that began anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import Template

from app.core.alerts import Labels
from app.core.facts import Change

Series = frozenset[tuple[str, str]]

_FORGOTTEN = timedelta(days=7)  # targets come and go under new names
_LATE = timedelta(minutes=10)  # until an exporter has looked, and was scraped


@dataclass(frozen=True, slots=True)
class Watch:
    """A PromQL query whose result tells of changes, and how to call them.

    With `falls` the value is a counter of a process: one that became smaller was started anew.
    Else the value is the moment of the last change, in seconds since 1970.
    `title` may name labels of the series: `$table`. Without a component it concerns them all.
    """

    source: str
    kind: str
    query: str
    title: str
    component: str
    falls: bool = False


#: Delta Lake's operations that rewrite data or change the schema, as delta-rs and Spark name
#: them. Source: `DeltaOperation::name` and `DeltaOperations.scala`.
_REWRITES = (
    "OPTIMIZE|DELETE|MERGE|RESTORE|TRUNCATE|REORG|UPDATE.*|(CREATE OR )?REPLACE TABLE.*"
    "|(ADD|CHANGE|RENAME|DROP|REPLACE) COLUMNS?|(SET|UNSET) TBLPROPERTIES"
)

#: What is watched without being asked. A query that finds nothing costs one request.
STANDARD = (
    Watch(
        "prometheus",
        "config_reloaded",
        "prometheus_config_last_reload_success_timestamp_seconds",
        "Prometheus read its configuration anew ($instance)",
        component="",
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
        f'delta_last_commit_timestamp_seconds{{operation=~"{_REWRITES}"}}',
        "$table: $operation",
        "delta",
    ),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The last value of one series, and when it was seen (UTC)."""

    labels: Labels
    value: float
    at: datetime

    @property
    def series(self) -> Series:
        return frozenset(self.labels.items())


def noticed(
    watch: Watch,
    before: Iterable[Figure],
    after: Mapping[Series, float],
    *,
    since: datetime,
    now: datetime,
) -> list[Change]:
    """The changes between the look of `since` and that of `now`."""
    known = {figure.series: figure for figure in before}
    found = (
        _of_counter(watch, known.get(each.series), each)
        if watch.falls
        else _of_moment(watch, known.get(each.series), each, since=since)
        for each in _figures(after, now)
    )
    return [change for change in found if change]


def remembered(
    before: Iterable[Figure], after: Mapping[Series, float], *, now: datetime
) -> list[Figure]:
    """What to compare the next look with. A series that is away for a while is remembered: its
    process may be starting."""
    gone = [each for each in before if each.series not in after and now - each.at < _FORGOTTEN]
    return [*gone, *_figures(after, now)]


def _figures(values: Mapping[Series, float], now: datetime) -> list[Figure]:
    return [Figure(dict(series), value, now) for series, value in values.items()]


def _of_counter(watch: Watch, known: Figure | None, seen: Figure) -> Change | None:
    """It began anew after it was last seen, and before now."""
    if known is None or seen.value >= known.value:
        return None
    return _change(watch, seen.labels, seen.at, not_before=known.at)


def _of_moment(
    watch: Watch, known: Figure | None, seen: Figure, *, since: datetime
) -> Change | None:
    """A series that is new tells of a change that is new too.

    A moment that went back is none: behind one address there may be two that answer in turn.
    """
    at = min(_moment(seen.value) or seen.at, seen.at)
    news = seen.value > known.value if known else at > since - _LATE
    return _change(watch, seen.labels, at) if news else None


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _change(
    watch: Watch, labels: Labels, at: datetime, *, not_before: datetime | None = None
) -> Change:
    named = {name: text for name, text in labels.items() if name != "__name__"}
    title = Template(watch.title).safe_substitute(named)
    about = {"component": watch.component, **named} if watch.component else named
    return Change(watch.source, watch.kind, title, at, about, not_before=not_before)
