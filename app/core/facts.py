"""What enrichers find out about an incident: facts, each with the moment it was true.

Plain data: it is stored as JSON, shown by notifiers, and never guessed. A source that did
not answer leaves a Missing with its reason instead. All times are in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from app.core.alerts import Alert

_SHARP = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Rule:
    """The alerting rule behind an alert. `duration` is its `for`."""

    name: str
    group: str
    expression: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Threshold:
    """What the rule compares with: `operator` is PromQL's (`>`, `<=` …)."""

    operator: str
    value: float


@dataclass(frozen=True, slots=True)
class SeriesValue:
    """The left side's value in one series, by the labels that set it apart."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Sample:
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What Prometheus knows about the condition.

    `expression` is the left side of the comparison. `threshold` is None where there is no
    single one, and `no_threshold` then says why; beside a threshold it says what else decides:
    that the rule has further conditions or an `unless`, or which of its alternatives this is.
    `firing` is the value when the alert began to fire, `now` the last one; `yesterday` and
    `last_week` are at the same hour as `now`. `worst` are the worst few of `series` firing
    series. `line` is the worst series before and after the firing, for the chart, in order of
    time. `also_firing` are other alerts' names by component, `targets_down` those of the
    `targets` scrape targets behind the expression that are down (0: not known how many there
    are). `unit` is guessed from the metric's name by Prometheus' own naming rules ("seconds",
    "bytes", "ratio"), "" where it does not say.
    """

    rule: Rule | None
    expression: str
    threshold: Threshold | None
    no_threshold: str = ""
    unit: str = ""
    firing: float | None = None
    now: float | None = None
    yesterday: float | None = None
    last_week: float | None = None
    series: int = 0
    worst: Sequence[SeriesValue] = ()
    line: Sequence[Sample] = ()
    also_firing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    targets_down: Sequence[str] = ()
    targets: int = 0


def value_of(alert: Alert, measured: Measured | None, alerts: int) -> float | None:
    """What was measured for one of an incident's alerts, if that is known.

    Its own is the only series whose labels are among the alert's. Where there is a single series
    for a single alert, no labels need to say so.
    """
    if measured is None or not alert.firing:
        return None
    own = [
        each.value
        for each in measured.worst
        if each.labels and each.labels.items() <= alert.labels.items()
    ]
    if len(own) == 1:
        return own[0]
    if alerts == 1 and measured.series <= 1:
        return measured.now if measured.now is not None else measured.firing
    return None


class Witness(StrEnum):
    """Who says which model version was serving, from the surest to the least sure."""

    SERVING = "serving"
    RECORDED = "recorded"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version. `metrics` are its run's, only those worth showing."""

    version: str
    run_id: str = ""
    registered_by: str = ""
    registered_at: datetime | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """The model version that was serving when the alert fired, and `witness` says who knows.

    `since` is when it began to serve, None if nobody recorded it. `previous` served before
    it, `challenger` carries the challenger alias. `versions` are all that served at that
    moment: more than one while a rollout is under way.
    """

    name: str
    alias: str
    current: ModelVersion
    witness: Witness
    since: datetime | None = None
    previous: ModelVersion | None = None
    challenger: ModelVersion | None = None
    versions: Sequence[str] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same alert or correlation key in the last `days` days, this time not counted.

    Durations are medians, None where no incident gives one. `by_itself` of the `count` ended
    with nobody acting. `last_note` is the newest note of the newest of them that has one, which
    is `noted_incident`.
    """

    count: int
    days: int
    lasted: timedelta | None = None
    acknowledged_after: timedelta | None = None
    by_itself: int = 0
    last_incident: int | None = None
    last_opened_at: datetime | None = None
    last_note: str = ""
    last_note_by: str = ""
    noted_incident: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An open incident of a component up or down the pipeline."""

    incident: int
    title: str
    component: str


@dataclass(frozen=True, slots=True)
class Related:
    """Open incidents upstream (probable causes, the nearest first) and downstream (effects)."""

    upstream: Sequence[Neighbour] = ()
    downstream: Sequence[Neighbour] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed in the pipeline. `id` is 0 until it is stored.

    `at` is when it happened. Where nobody saw that, it is when it was noticed, and the change
    came after `not_before`: when it was last seen not to have happened.
    """

    source: str
    kind: str
    title: str
    at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    id: int = 0
    not_before: datetime | None = None

    @property
    def earliest(self) -> datetime:
        return self.not_before or self.at

    @property
    def vague(self) -> bool:
        """Whether `at` would be a lie if it stood alone."""
        return self.at - self.earliest > _SHARP


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed in the time before, the most telling first; empty: nothing recorded."""

    within: timedelta
    changes: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A source that gave no facts, and why."""

    reason: str


Facts: TypeAlias = Measured | Served | Earlier | Related | Changed
