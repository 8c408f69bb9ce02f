"""What the incident log teaches: how soon somebody came, how long it took, what was only noise.

`docs/statistics.md` defines every figure. The store counts incidents that are alike; here the
counts are put together by severity, component, alert name and model version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.core.incidents import Status

#: What ends by itself sooner than this, with nobody acting, need not have called anybody.
SHORT = timedelta(minutes=5)

_MOST_NAMES = 10_000
_MOST_ADVICE = 5
_FEWEST = 3  # what happened less often is chance
_MEDIAN, _P90 = 50, 90
_HALF, _MOST = 50, 80  # percent


@dataclass(frozen=True, slots=True)
class Kind:
    """What incidents that are counted together have in common; None where there is none.

    `alertname` is None where an incident's alerts have different names.
    """

    severity: str
    component: str | None
    alertname: str | None
    model: str | None
    model_version: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """Incidents of one kind and status that lasted equally long (seconds; None while open)."""

    kind: Kind
    status: Status
    lasted: int | None
    incidents: int
    notifications: int
    refires: int
    short_lived: int
    unattended: int


@dataclass(frozen=True, slots=True)
class Waited:
    """Incidents of one kind that waited equally long (seconds) to be acknowledged."""

    kind: Kind
    waited: int
    incidents: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How durations spread; `median` and `p90` are None where there is none."""

    count: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of some incidents."""

    opened: int
    triggered: int
    acknowledged: int
    resolved: int
    time_to_acknowledge: Spread
    time_to_resolve: Spread
    notifications: int
    refires: int
    short_lived: int
    unattended: int


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of all incidents with this name (and, of a model, this version)."""

    name: str | None
    figures: Figures
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a stretch of the log, as a whole and by what sets incidents apart.

    Each list begins with what was opened most often.
    """

    whole: Figures
    by_severity: Sequence[Row]
    by_component: Sequence[Row]
    by_alertname: Sequence[Row]
    by_model_version: Sequence[Row]


class Reason(StrEnum):
    """Why an alert should be tuned."""

    SHORT_LIVED = "short_lived"
    REFIRES = "refires"
    UNATTENDED = "unattended"


@dataclass(frozen=True, slots=True)
class Advice:
    """An alert to tune: so many (`count`) of its incidents (`of`) were noise, for this reason."""

    alertname: str
    reason: Reason
    count: int
    of: int


@dataclass(slots=True)
class _Sum:
    """Figures under way."""

    statuses: Counter[Status] = field(default_factory=Counter)
    lasted: Counter[int] = field(default_factory=Counter)
    waited: Counter[int] = field(default_factory=Counter)
    notifications: int = 0
    refires: int = 0
    short_lived: int = 0
    unattended: int = 0

    def add(self, counted: Counted) -> None:
        self.statuses[counted.status] += counted.incidents
        if counted.lasted is not None:
            self.lasted[counted.lasted] += counted.incidents
        self.notifications += counted.notifications
        self.refires += counted.refires
        self.short_lived += counted.short_lived
        self.unattended += counted.unattended

    def figures(self) -> Figures:
        return Figures(
            opened=self.statuses.total(),
            triggered=self.statuses[Status.TRIGGERED],
            acknowledged=self.statuses[Status.ACKNOWLEDGED],
            resolved=self.statuses[Status.RESOLVED],
            time_to_acknowledge=spread(self.waited),
            time_to_resolve=spread(self.lasted),
            notifications=self.notifications,
            refires=self.refires,
            short_lived=self.short_lived,
            unattended=self.unattended,
        )


_Key = tuple[str | None, str | None]
_Sums = dict[_Key, _Sum]


def summarise(counts: Iterable[Counted], waits: Iterable[Waited]) -> Stats:
    """Put together what was counted.

    What is named by senders may have any number of names: those after the first 10,000 count
    for the whole only.
    """
    whole, sums = _Sum(), tuple[_Sums, ...]([{} for _ in range(4)])
    for counted in counts:
        whole.add(counted)
        for each in _sums_of(sums, counted.kind):
            each.add(counted)
    for waited in waits:
        for each in (whole, *_sums_of(sums, waited.kind)):
            each.waited[waited.waited] += waited.incidents
    return Stats(whole.figures(), *map(_rows, sums))


def _sums_of(sums: Sequence[_Sums], kind: Kind) -> Iterable[_Sum]:
    keys: tuple[_Key, ...] = (
        (kind.severity, None),
        (kind.component, None),
        (kind.alertname, None),
        (kind.model, kind.model_version),
    )
    for named, key in zip(sums, keys, strict=True):
        if key in named or len(named) < _MOST_NAMES:
            yield named.setdefault(key, _Sum())


def _rows(sums: _Sums) -> list[Row]:
    rows = [Row(name, each.figures(), version) for (name, version), each in sums.items()]
    return sorted(rows, key=lambda row: (-row.figures.opened, row.name or "", row.version or ""))


def spread(durations: Mapping[int, int]) -> Spread:
    """How durations spread: how often each (in seconds) was counted."""
    return Spread(
        sum(durations.values()), _percentile(durations, _MEDIAN), _percentile(durations, _P90)
    )


def _percentile(durations: Mapping[int, int], percent: int) -> timedelta | None:
    """By nearest rank: the shortest of them that so many percent do not exceed."""
    left = -(-sum(durations.values()) * percent // 100)
    for seconds, count in sorted(durations.items()):
        left -= count
        if left <= 0:
            return timedelta(seconds=seconds)
    return None


def tune_first(rows: Sequence[Row]) -> list[Advice]:
    """The alerts whose tuning spares most, at most five: what makes most noise comes first."""
    found = [advice for row in rows if (advice := _advice(row)) is not None]
    return sorted(found, key=lambda each: (-each.count, each.alertname))[:_MOST_ADVICE]


def _advice(row: Row) -> Advice | None:
    """The most telling reason to tune an alert, if there is one."""
    figures, name = row.figures, row.name
    if name is None:
        return None
    if _much(figures.short_lived, figures.resolved, _HALF):
        return Advice(name, Reason.SHORT_LIVED, figures.short_lived, figures.resolved)
    if _much(figures.refires, figures.opened, _HALF):
        return Advice(name, Reason.REFIRES, figures.refires, figures.opened)
    if _much(figures.unattended, figures.resolved, _MOST):
        return Advice(name, Reason.UNATTENDED, figures.unattended, figures.resolved)
    return None


def _much(count: int, of: int, percent: int) -> bool:
    return count >= _FEWEST and 100 * count >= percent * of
