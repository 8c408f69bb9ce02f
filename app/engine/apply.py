"""Reports about alerts, applied to incidents: load, decide, save, in one transaction.

Many reports are applied together: what they concern is loaded at once, decided in memory in
order, and saved at once, so that a storm costs a few statements and not thousands.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.alerts import Alert
from app.core.context import Finding
from app.core.copying import replace
from app.core.correlation import choose
from app.core.decide import decide
from app.core.events import AlertsReported, Event, Origin, Source
from app.core.incidents import Decision, Entry, EntryKind, Incident
from app.core.transitions import AlertState
from app.engine.policy import Policy, Routed
from app.store import contexts, incidents, postings
from app.store.database import Transaction

_TICK = timedelta(microseconds=1)
_BESIDE = 50
_NOBODY = (0, None)  # holds an alert that is new

#: What makes an incident worth asking the sources about, anew if need be.
_WORTH_ASKING = frozenset({EntryKind.OPENED, EntryKind.REOPENED, EntryKind.ALERTS_FIRING})
#: What makes incidents up and down the pipeline look different.
_TURNS = frozenset(
    {
        EntryKind.OPENED,
        EntryKind.REOPENED,
        EntryKind.RESOLVED,
        EntryKind.NO_LONGER_REPORTED,
    }
)


@dataclass(frozen=True, slots=True)
class Report:
    """Alerts as somebody reported them at one moment (UTC), in one group.

    `in_order` says that the report is newer than all that was applied before, whatever the
    clocks say (they step back, and replicas disagree). A replay is not, nor is an answer
    that a webhook may have overtaken: there, what is known since `at` stands.
    """

    at: datetime
    alerts: Sequence[Alert]
    group_labels: dict[str, str] = field(default_factory=dict)
    group_key: str = ""
    external_url: str = ""
    truncated: int = 0
    source: Source = Source.WEBHOOK
    in_order: bool = True


def apply_reports(
    tx: Transaction, reports: Sequence[Report], policy: Policy, *, now: datetime
) -> list[Incident]:
    """Apply reports in their order; returns the incidents that people can see a change in."""
    routed = [_route(report, policy) for report in reports]
    desk = _Desk.load(tx, reports, routed)
    for report, routes in zip(reports, routed, strict=True):
        for incident, event in desk.sort(report, routes, policy):
            desk.take(incident, event, at=desk.moment(report, event.alerts))
    return desk.save(tx, policy, now=now)


def apply_event(
    tx: Transaction, incident: Incident, event: Event, policy: Policy, *, now: datetime
) -> Incident:
    """Apply one event to one known incident, whose alerts (those it names) are loaded.

    Raises NotApplicable when a person's action no longer fits.
    """
    desk = _Desk(incidents={incident.id: incident})
    desk.take(incident, event, at=now)
    changed = desk.save(tx, policy, now=now)
    return changed[0] if changed else incident


def _route(report: Report, policy: Policy) -> list[Routed]:
    return [policy.route(alert.labels, report.group_labels) for alert in report.alerts]


@dataclass(slots=True)
class _Work:
    """What is new about one incident: alert states by fingerprint, entries in order."""

    new: bool
    states: dict[str, AlertState] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    changed: bool = False

    def tells(self, kinds: Container[EntryKind]) -> bool:
        return any(entry.kind in kinds for entry in self.entries)


@dataclass(slots=True)
class _Desk:
    """The incidents and alerts at hand. New incidents have negative numbers until saved."""

    incidents: dict[int, Incident]
    holders: dict[str, tuple[int, AlertState]] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    work: dict[int, _Work] = field(default_factory=dict)

    @staticmethod
    def load(
        tx: Transaction, reports: Iterable[Report], routed: Iterable[Sequence[Routed]]
    ) -> _Desk:
        names = {alert.fingerprint for report in reports for alert in report.alerts}
        holders = incidents.latest_holders(tx, names)
        keys = incidents.latest_by_key(tx, {r.key for routes in routed for r in routes})
        numbers = {number for number, _ in holders.values()} | set(keys.values())
        return _Desk(incidents.get_many(tx, numbers), holders, keys)

    def sort(
        self, report: Report, routes: Sequence[Routed], policy: Policy
    ) -> list[tuple[Incident | None, AlertsReported]]:
        """The report's alerts, sorted by the incident that takes them (None: a new one)."""
        piles: dict[tuple[int, str], list[tuple[Alert, Routed]]] = {}
        for alert, route in zip(report.alerts, routes, strict=True):
            number = self._choose(alert, route, self.moment(report, [alert]), policy)
            key = "" if number else route.key
            piles.setdefault((number, key), []).append((alert, route))
        return [
            (self._with_known(number, [alert for alert, _ in pile]), _event(report, pile))
            for (number, _), pile in piles.items()
        ]

    def moment(self, report: Report, alerts: Iterable[Alert]) -> datetime:
        """When the report counts as made: after all that is known of these, if it is newer."""
        at = report.at
        if report.in_order:
            for alert in alerts:
                _, known = self.holders.get(alert.fingerprint, _NOBODY)
                at = max(at, known.reported_at + _TICK) if known else at
        return at

    def _choose(self, alert: Alert, route: Routed, at: datetime, policy: Policy) -> int:
        holder, known = self.holders.get(alert.fingerprint, _NOBODY)
        chosen = choose(
            alert,
            known=known,
            holder=self.incidents.get(holder),
            keyed=self.incidents.get(self.keys.get(route.key, 0)),
            now=at,
            reopen_within=policy.reopen_within,
        )
        return chosen.id if chosen else 0

    def _with_known(self, number: int, alerts: Iterable[Alert]) -> Incident | None:
        incident = self.incidents.get(number)
        if incident is None:
            return None
        known = {}
        for alert in alerts:
            holder, state = self.holders.get(alert.fingerprint, _NOBODY)
            if holder == number and state is not None:
                known[alert.fingerprint] = state
        return replace(incident, alerts=known)

    def take(self, incident: Incident | None, event: Event, *, at: datetime) -> None:
        """Decide, and keep what came of it."""
        decision = decide(incident, event, now=at)
        if decision.incident is not None:
            self._keep(incident, decision)

    def _keep(self, before: Incident | None, decision: Decision) -> None:
        after = decision.incident
        assert after is not None  # noqa: S101  (for the type checker)
        new = decision.entries or decision.states or decision.changed
        if before is not None and not new:
            return
        if before is None:
            after = replace(after, id=-1 - len(self.work))
        self.incidents[after.id] = after
        self.keys[after.key] = after.id
        work = self.work.setdefault(after.id, _Work(new=before is None))
        work.entries += decision.entries
        work.findings += decision.findings
        work.changed |= decision.changed
        for state in decision.states:
            work.states[state.alert.fingerprint] = state
            self.holders[state.alert.fingerprint] = (after.id, state)

    def save(self, tx: Transaction, policy: Policy, *, now: datetime) -> list[Incident]:
        """Store all that is new and mark it to be shown."""
        if not self.work:
            return []
        changes = [
            incidents.Saved(
                self.incidents[number],
                list(work.states.values()),
                work.entries,
                ask_at=now if work.tells(_WORTH_ASKING) else None,
            )
            for number, work in self.work.items()
        ]
        saved = list(zip(incidents.save(tx, changes), self.work.values(), strict=True))
        contexts.save(tx, [(i.id, finding) for i, work in saved for finding in work.findings])
        seen = [incident for incident, work in saved if work.changed]
        beside = _beside(tx, [i for i, work in saved if work.tells(_TURNS)], policy)
        new = {i.id for i, work in saved if work.new}
        _show(tx, {i.id: i for i in (*beside, *seen)}, new, policy, now)
        return seen


def _show(
    tx: Transaction,
    changed: Mapping[int, Incident],
    new: Container[int],
    policy: Policy,
    now: datetime,
) -> None:
    """Let people see these incidents as they now are, at the places of their receivers."""
    places = {names: policy.places(names) for names in {i.receivers for i in changed.values()}}
    postings.mark_due(tx, [i for i in changed.values() if i.id not in new], now=now)
    postings.show(tx, [(i, places[i.receivers]) for i in changed.values()], now=now)


def _beside(tx: Transaction, turned: Iterable[Incident], policy: Policy) -> list[Incident]:
    """Open incidents up and down the pipeline of those that began or ended: each names them."""
    components = {name for incident in turned for name in policy.near(incident.component)}
    return incidents.open_at(tx, components, limit=_BESIDE) if components else []


def _event(report: Report, pile: Sequence[tuple[Alert, Routed]]) -> AlertsReported:
    """The event for one incident; whoever any of its alerts is routed to is told of it."""
    receivers = dict.fromkeys(name for _, route in pile for name in route.receivers)
    origin = Origin(
        key=pile[0][1].key,
        receivers=tuple(receivers),
        group_labels=report.group_labels,
        group_key=report.group_key,
        external_url=report.external_url,
    )
    alerts = tuple(alert for alert, _ in pile)
    return AlertsReported(origin, alerts, report.truncated, report.source)
