"""The loop that compares what we believe with what Alertmanager and Prometheus believe.

It finds what we missed, confirms or dismisses doubtful re-fires, settles alerts whose end
never came, and calls an ending that nobody can vouch for "no longer reported". With no
Alertmanager to ask, it does by the clock what can be done, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from app.alertmanager.api import Alertmanager, ListedAlert, ask_all, plain_receiver
from app.alertmanager.status import Running
from app.core.alerts import Labels
from app.core.durations import format_duration
from app.core.events import (
    AlertsConfirmed,
    AlertsVanished,
    EndingDoubted,
    Event,
    HiddenSettled,
    Source,
)
from app.core.incidents import Incident
from app.core.transitions import AlertState, Ending
from app.engine import ourselves
from app.engine.apply import Report, apply_event, apply_reports
from app.engine.clock import Clock, wait_for
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.enrichers.prometheus import Prometheus
from app.errors import NeighbourFailed, NotFound, StoreUnavailable
from app.store import incidents, receipts
from app.store.database import Database, Transaction

_LONG_AGO = timedelta(minutes=5)  # Alertmanager's default group_interval
_TO_ARRIVE = 1.5  # group_intervals: one to be sent, some for its retries and its twins
_SENDERS_AMONG = 1000
_JUST_STARTED = timedelta(minutes=2)  # until then Prometheus may not have told it everything

GONE = "Alertmanager no longer lists it"
SOURCE_DEAD = "Prometheus did not answer, so the end cannot be confirmed"

log = structlog.get_logger()

Believed: TypeAlias = Mapping[int, Sequence[AlertState]]
"""The alerts that fire as far as we know, by incident number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An event about one incident, found by asking or by the clock."""

    incident: int
    event: Event


class Verify:
    """One pass every `verify.every`, and at once when there is a doubt."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        signals: Signals,
        clock: Clock,
        *,
        alertmanagers: Sequence[Alertmanager],
        prometheus: Prometheus | None,
    ) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._alertmanagers = alertmanagers
        self._prometheus = prometheus
        self._absent_since: dict[tuple[int, str], datetime] = {}
        self._listed_since: dict[str, datetime] = {}
        self._vouched: set[tuple[int, datetime | None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except StoreUnavailable as error:
                log.warning("verify waits for the database", why=str(error))
            every = self._policy.current.config.verify.every.total_seconds()
            await wait_for(self._signals.doubts, self._clock, every)

    async def step(self) -> None:
        """One pass."""
        asked_at = self._clock.now()
        hidden = await self._db.read(incidents.with_hidden)
        listed = await ask_all(self._alertmanagers) if self._alertmanagers else None
        if listed is None:
            findings = await self._without_an_answer(asked_at)
        else:
            findings = await self._with_answer(listed, asked_at, at_once=bool(hidden))
        findings += self._settle_hidden(hidden, asked=listed is not None)
        findings += await self._vouch(asked_at)
        if findings:
            await self._db.write(_apply, findings, self._policy.current, now=self._clock.now())
            self._signals.postings.set()

    async def _with_answer(
        self, listed: Mapping[str, ListedAlert], asked_at: datetime, *, at_once: bool
    ) -> list[Finding]:
        running = await self._running()
        ours = await self._our_receivers(running)
        await self._take_in(listed, ours, asked_at, at_once=at_once)
        believed = await self._db.read(incidents.firing_everywhere)
        return self._compare(listed, believed, asked_at, self._patience(running, ours))

    async def _without_an_answer(self, now: datetime) -> list[Finding]:
        silent_since = now - self._policy.current.config.verify.stale_after
        believed = await self._db.read(incidents.firing_everywhere, unheard_since=silent_since)
        nobody = not self._alertmanagers
        return by_the_clock(believed, self._policy.current, now, nobody_to_ask=nobody)

    async def _take_in(
        self,
        listed: Mapping[str, ListedAlert],
        ours: frozenset[str] | None,
        asked_at: datetime,
        *,
        at_once: bool,
    ) -> None:
        """What Alertmanager notifies our receivers of, and we never heard.

        `at_once` where it said itself that it cut some off.
        """
        known = await self._db.read(incidents.latest_holders, listed.keys())
        missed = [
            item
            for name, item in listed.items()
            if not item.muted
            and (ours is None or item.receivers & ours)
            and _unheard(item, known.get(name))
            and (self._due_long_since(item, asked_at) or at_once)
        ]
        self._listed_since = {n: at for n, at in self._listed_since.items() if n in listed}
        if not missed:
            return
        groups = await self._groups(ours)
        reports = [
            Report(
                at=asked_at,
                alerts=[item.alert],
                group_labels=dict(groups.get(item.alert.fingerprint, _by_name(item))),
                source=Source.ASKED,
                in_order=False,  # a webhook may have overtaken the answer
            )
            for item in missed
        ]
        log.info("took in alerts that no webhook brought", alerts=len(reports))
        await self._db.write(apply_reports, reports, self._policy.current, now=asked_at)
        self._signals.postings.set()

    def _due_long_since(self, item: ListedAlert, now: datetime) -> bool:
        """Whether Alertmanager has had time to notify us: its group_wait is not cut short."""
        since = self._listed_since.setdefault(item.alert.fingerprint, now)
        missed_after = self._policy.current.config.verify.missed_after
        return now - since >= missed_after or now - item.alert.starts_at >= _LONG_AGO

    async def _running(self) -> list[Running]:
        """What those Alertmanagers that answer say of themselves."""
        found = []
        for each in self._alertmanagers:
            try:
                found.append(await each.running())
            except NeighbourFailed as error:
                log.info("an Alertmanager says nothing of itself", why=str(error))
        return found

    async def _our_receivers(self, running: Sequence[Running]) -> frozenset[str] | None:
        """Alertmanager's names for us: as configured, else as learnt; None for any."""
        configured = self._policy.current.config.alertmanager.receivers
        if configured:
            return frozenset(configured)
        heard = await self._db.read(receipts.senders, among=_SENDERS_AMONG)
        names = frozenset(plain_receiver(name) for name in heard)
        return names.union(*(each.receivers for each in running)) or None

    async def _groups(self, ours: frozenset[str] | None) -> dict[str, Labels]:
        found: dict[str, Labels] = {}
        for each in self._alertmanagers:
            try:
                found = {**await each.group_labels(ours), **found}
            except NeighbourFailed as error:
                log.info("groups are not known", why=str(error))
        return found

    def _patience(self, running: Sequence[Running], ours: frozenset[str] | None) -> timedelta:
        """How long an alert must be absent: its end may still be on its way to us.

        Alertmanager stops listing an alert at its end, and tells of the end with the next
        notification of its group. One that has just started may not know everything yet.
        """
        now = self._clock.now()
        waits = [self._policy.current.config.verify.orphan_after]
        waits += [_TO_ARRIVE * each.news_within(ours) for each in running]
        if any(each.up_since and now - each.up_since < _JUST_STARTED for each in running):
            waits.append(_JUST_STARTED)
        return max(waits)

    def _compare(
        self,
        listed: Mapping[str, ListedAlert],
        believed: Believed,
        asked_at: datetime,
        patience: timedelta,
    ) -> list[Finding]:
        findings: list[Finding] = []
        absent: dict[tuple[int, str], datetime] = {}
        for number, states in believed.items():
            older = [
                s for s in states if s.reported_at < asked_at and not ourselves.is_ours(s.alert)
            ]
            present = {
                name: listed[name].expires_at
                for s in older
                if (name := s.alert.fingerprint) in listed
                and (s.unconfirmed or s.expires_at != listed[name].expires_at)
            }
            if present:
                findings.append(Finding(number, AlertsConfirmed(present)))
            missing = [s for s in older if s.alert.fingerprint not in listed]
            for state in missing:
                key = (number, state.alert.fingerprint)
                absent[key] = self._absent_since.get(key, asked_at)
            gone = frozenset(
                s.alert.fingerprint
                for s in missing
                if s.unconfirmed or asked_at - absent[number, s.alert.fingerprint] >= patience
            )
            if gone:
                findings.append(Finding(number, AlertsVanished(gone, GONE)))
        self._absent_since = absent
        return findings

    def _settle_hidden(self, hidden: Sequence[Incident], *, asked: bool) -> list[Finding]:
        """Alerts that were cut off: taken in by now, or past caring for."""
        if asked:
            return [Finding(incident.id, HiddenSettled()) for incident in hidden]
        stale = self._policy.current.config.verify.stale_after
        why = f"nothing was heard of it for {format_duration(stale)}"
        now = self._clock.now()
        return [
            Finding(incident.id, HiddenSettled(why))
            for incident in hidden
            if now - incident.updated_at >= stale and not incident.firing
        ]

    async def _vouch(self, now: datetime) -> list[Finding]:
        """Recent endings, if Prometheus is not there to vouch for them.

        Each is looked at once, when it is first seen: its receipt may have waited a while.
        """
        if self._prometheus is None:
            return []
        recent = await self._db.read(incidents.resolved_since, now - _LONG_AGO)
        theirs = [each for each in recent if each.labels.get("source") != "plantao"]
        fresh = [each for each in theirs if (each.id, each.resolved_at) not in self._vouched]
        try:
            if fresh:
                await self._prometheus.check_alive()
        except NeighbourFailed:
            return [Finding(each.id, EndingDoubted(SOURCE_DEAD)) for each in fresh]
        self._vouched = {(each.id, each.resolved_at) for each in theirs}
        return []


def by_the_clock(
    believed: Believed, policy: Policy, now: datetime, *, nobody_to_ask: bool
) -> list[Finding]:
    """What can be said without an answer: a doubt pages in the end; silence ends things.

    Silence only counts where there is nobody to ask: an Alertmanager that is down for now
    ends nothing.
    """
    settings = policy.config.verify
    findings: list[Finding] = []
    for number, states in believed.items():
        theirs = [state for state in states if not ourselves.is_ours(state.alert)]
        waited = {
            s.alert.fingerprint: s.expires_at
            for s in theirs
            if s.unconfirmed and now - s.reported_at >= settings.confirm_within
        }
        if waited:
            findings.append(Finding(number, AlertsConfirmed(waited, asked=False)))
        silent = frozenset(
            s.alert.fingerprint for s in theirs if now - s.reported_at >= settings.stale_after
        )
        if silent and nobody_to_ask:
            why = f"nothing was heard of it for {format_duration(settings.stale_after)}"
            findings.append(Finding(number, AlertsVanished(silent, why)))
    return findings


def _unheard(item: ListedAlert, known: tuple[int, AlertState] | None) -> bool:
    """Whether we do not hold the alert as firing, nor did a person end this occurrence of it.

    `apply_reports` judges the rest.
    """
    if known is None:
        return True
    state = known[1]
    again = item.alert.starts_at > state.alert.starts_at
    return not state.firing and (again or state.ending is not Ending.BY_PERSON)


def _by_name(item: ListedAlert) -> Labels:
    name = item.alert.labels.get("alertname")
    return {"alertname": name} if name else {}


def _apply(
    tx: Transaction, findings: Sequence[Finding], policy: Policy, *, now: datetime
) -> list[Incident]:
    changed = []
    for finding in findings:
        try:
            incident = incidents.get(tx, finding.incident, for_update=True)
        except NotFound:
            continue  # retention was faster
        known = incidents.alerts_named(tx, incident.id, _concerned(finding.event))
        loaded = replace(incident, alerts=known)
        changed.append(apply_event(tx, loaded, finding.event, policy, now=now))
    return changed


def _concerned(event: Event) -> Sequence[str]:
    match event:
        case AlertsConfirmed(expiries=expiries):
            return list(expiries)
        case AlertsVanished(fingerprints=fingerprints):
            return list(fingerprints)
        case _:
            return []
