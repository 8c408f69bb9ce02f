"""What Prometheus knows about an incident's condition: the value, the rule, what else fires."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.alerts import Alert
from app.core.facts import Measured, Sample, SeriesValue
from app.enrichers.asking import OTHERS_FIRING, apart, expressions, only, targets, together
from app.enrichers.enricher import Subject
from app.enrichers.judging import Judged, Moment, judge, moment
from app.enrichers.matching import Fitting, set_apart
from app.enrichers.prometheus import AlertingRule, Prometheus, SeriesLine
from app.enrichers.promql import Comparison, selectors, split
from app.enrichers.rules import RuleBook, expression_of
from app.enrichers.units import unit
from app.errors import NeighbourFailed

_BEFORE = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_NEAR = timedelta(seconds=1)
_MOST_WORST = 5
_MOST_TARGETS = 20
_SHORTEST_WAIT = 0.05


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, and about which alerts. Times are in UTC.

    `started` is when the oldest of the firing alerts began to fire.
    """

    rule: AlertingRule
    comparison: Comparison
    fitting: Fitting
    started: datetime
    at: datetime
    series: int


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """Other alerts' names by component, the targets that are down, and how many there are."""

    also_firing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    targets_down: Sequence[str] = ()
    targets: int = 0


@dataclass(frozen=True, slots=True)
class _Answers:
    """None where that query failed."""

    firing: Moment | None
    now: Moment | None
    around: _Surroundings


@dataclass(frozen=True, slots=True)
class _Past:
    """The judged series at other times; nothing where that query failed."""

    yesterday: float | None
    last_week: float | None
    line: Sequence[Sample]


class PrometheusEnricher:
    """The value against its threshold, in at most six requests, for one alert or thousands.

    Of an incident with alerts of several rules it tells of the first alert's. It gives the facts
    it has when `subject.within` is over. No address out of an alert is ever fetched,
    and nothing but the expressions of Prometheus' own rules is ever queried.
    """

    name = "prometheus"
    refreshes = True

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._rules = RuleBook(prometheus)

    async def find(self, subject: Subject) -> Measured | None:
        """The facts; None where no rule is known and nothing else fires.

        `firing` is the worst value among the incident's series at that moment, `now` likewise;
        `yesterday`, `last_week` and `line` are of the series that is the worst now. Where
        `threshold` and `no_threshold` are both given, the second says what else decides.

        Raises NeighbourFailed when the rules, or every value, cannot be had.
        """
        if not subject.alerts:
            return None
        seconds = subject.within.total_seconds()
        return await _Asking(self._prometheus, self._rules, seconds).find(subject)


class _Asking:
    """One round of questions, with the time that is left for it."""

    def __init__(self, prometheus: Prometheus, rules: RuleBook, seconds: float) -> None:
        self._prometheus = prometheus
        self._rules = rules
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + seconds

    async def find(self, subject: Subject) -> Measured | None:
        rule = await self._rules.behind(subject.alerts[0], within=self._left)
        if rule is None:
            others = (await self._surroundings(subject.alerts, None, subject.at)).also_firing
            return Measured(None, "", None, also_firing=others) if others else None
        question = _question(rule, subject)
        answers = await self._answers(question, subject.alerts)
        # Beside the event loop: of 10,000 series it takes 50 ms.
        judged = await asyncio.to_thread(
            judge, question.comparison, question.fitting, answers.firing, answers.now
        )
        return _measured(question, answers, judged, await self._past(question, judged))

    async def _answers(self, question: _Question, alerts: Sequence[Alert]) -> _Answers:
        firing, now, around = await asyncio.gather(
            self._values(question.comparison, question.started),
            self._values(question.comparison, question.at),
            self._surroundings(alerts, question.rule, question.at),
        )
        if isinstance(now, NeighbourFailed):
            if isinstance(firing, NeighbourFailed):
                raise now
            return _Answers(firing, None, around)
        return _Answers(None if isinstance(firing, NeighbourFailed) else firing, now, around)

    async def _past(self, question: _Question, judged: Judged) -> _Past:
        """Asked about one series only: of thousands, all others would be thrown away."""
        if self._left <= _SHORTEST_WAIT:
            return _Past(None, None, ())
        (yesterday, last_week), line = await asyncio.gather(
            self._same_hour(question, judged), self._line(question, judged)
        )
        return _Past(yesterday, last_week, line)

    async def _same_hour(
        self, question: _Question, judged: Judged
    ) -> tuple[float | None, float | None]:
        """The judged series' value a day and a week before; that of the only one of the alerts'
        where none is known. A range of two points is one request."""
        left, series = judged.comparison.left, judged.series
        start, end = question.at - _WEEK, question.at - _DAY
        try:
            lines = await self._prometheus.query_range(
                only(left, series.labels) if series else left,
                start=start,
                end=end,
                step=end - start,
                within=self._left,
            )
        except NeighbourFailed:
            return None, None
        yesterday, last_week = (_around(moment, lines) for moment in (end, start))
        return _own(question, judged, yesterday), _own(question, judged, last_week)

    async def _values(self, comparison: Comparison, at: datetime) -> Moment | NeighbourFailed:
        query = together(expressions(comparison))
        try:
            answer = await self._prometheus.query(query, at=at, within=self._left)
        except NeighbourFailed as failure:
            return failure
        return moment(comparison, answer)

    async def _surroundings(
        self, alerts: Sequence[Alert], rule: AlertingRule | None, at: datetime
    ) -> _Surroundings:
        """What else fires, and the targets; nothing if unanswered."""
        behind = targets(selectors(rule.rule.expression)) if rule else []
        queries = [OTHERS_FIRING, *behind]
        try:
            answer = await self._prometheus.query(together(queries), at=at, within=self._left)
        except NeighbourFailed:
            return _Surroundings()
        firing, *found = apart(answer, len(queries))
        others = _others(alerts, firing)
        if not found:
            return _Surroundings(others)
        down, count = found
        return _Surroundings(others, _targets(down), int(count[0].value) if count else 0)

    async def _line(self, question: _Question, judged: Judged) -> Sequence[Sample]:
        """The worst series; the only one there is where nothing says which is worst."""
        left, series = judged.comparison.left, judged.series
        query = only(left, series.labels) if series else f"topk(2, {left})"
        start, end = question.started - _BEFORE, question.at
        try:
            lines = await self._prometheus.query_range(
                query, start=start, end=end, within=self._left
            )
        except NeighbourFailed:
            return ()
        if series:
            return next((each.samples for each in lines if each.labels == series.labels), ())
        own = question.fitting.among([SeriesValue(each.labels, 0.0) for each in lines])
        return lines[0].samples if len(lines) == len(own) == 1 else ()

    @property
    def _left(self) -> float:
        """Seconds."""
        return max(_SHORTEST_WAIT, self._deadline - self._clock())


def _around(moment: datetime, lines: Sequence[SeriesLine]) -> list[SeriesValue]:
    """The values at one moment of a range; Prometheus rounds to milliseconds."""
    return [
        SeriesValue(line.labels, sample.value)
        for line in lines
        for sample in line.samples
        if abs(sample.at - moment) < _NEAR
    ]


def _own(question: _Question, judged: Judged, found: Sequence[SeriesValue]) -> float | None:
    if judged.series:
        labels = judged.series.labels
        return next((each.value for each in found if each.labels == labels), None)
    own = question.fitting.among(found)
    return own[0].value if len(own) == 1 else None


def _others(alerts: Sequence[Alert], firing: Sequence[SeriesValue]) -> Mapping[str, Sequence[str]]:
    """Other alerts' names by component, "" for those of none."""
    own = {(alert.labels.get("alertname"), alert.labels.get("component")) for alert in alerts}
    # An external label `component` is on our alerts and in no answer.
    own |= {(name, None) for name, _ in own}
    found: dict[str, list[str]] = defaultdict(list)
    for each in firing:
        name, component = each.labels.get("alertname", ""), each.labels.get("component")
        if (name, component) not in own:
            found[component or ""].append(name)
    return {component: sorted(found[component]) for component in sorted(found)}


def _targets(down: Sequence[SeriesValue]) -> Sequence[str]:
    names = {f"{each.labels.get('job')}/{each.labels.get('instance')}" for each in down}
    return sorted(names)[:_MOST_TARGETS]


def _question(rule: AlertingRule, subject: Subject) -> _Question:
    alerts = _of_the_same_rule(subject.alerts)
    firing = [alert for alert in alerts if alert.firing] or alerts
    started = min(alert.starts_at for alert in firing)
    whole = len(alerts) == len(subject.alerts)
    return _Question(
        rule=rule,
        comparison=split(rule.rule.expression),
        fitting=Fitting(firing, frozenset(rule.labels)),
        started=started,
        at=max(subject.at, started),
        # Of an incident with more alerts than are shown here, the incident knows how many fire.
        series=max(len(firing), subject.incident.firing if whole else 0),
    )


def _of_the_same_rule(alerts: Sequence[Alert]) -> list[Alert]:
    def made_by(alert: Alert) -> tuple[str | None, str | None]:
        return alert.labels.get("alertname"), expression_of(alert)

    return [alert for alert in alerts if made_by(alert) == made_by(alerts[0])]


def _measured(question: _Question, answers: _Answers, judged: Judged, past: _Past) -> Measured:
    several = judged.now if len(judged.now) > 1 else judged.firing
    directed = judged.directed and len(several) > 1
    firing, now = judged.one(judged.firing), judged.one(judged.now)
    return Measured(
        rule=question.rule.rule,
        expression=judged.comparison.left,
        threshold=judged.threshold,
        no_threshold=str(judged.no_threshold or ""),
        unit=unit(judged.comparison.left, judged.threshold),
        firing=firing.value if firing else None,
        now=now.value if now else None,
        yesterday=past.yesterday,
        last_week=past.last_week,
        series=question.series,
        worst=set_apart(several, _MOST_WORST) if directed else (),
        line=past.line,
        also_firing=answers.around.also_firing,
        targets_down=answers.around.targets_down,
        targets=answers.around.targets,
    )
