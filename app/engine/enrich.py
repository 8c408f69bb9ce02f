"""The loop that asks the sources about incidents: side by side, under one deadline.

It never stands before the first message: delivery does not wait for it, and what it finds is
an event like any other, which changes what should be shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.core.context import Finding, Moment
from app.core.events import ContextFound
from app.core.facts import Facts, Missing
from app.core.incidents import Incident
from app.engine.apply import apply_event
from app.engine.breaker import Breaker
from app.engine.clock import Clock, wait_for
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import LOOK_AGAIN, Signals
from app.enrichers.enricher import Enricher, Subject
from app.errors import NeighbourFailed, NotFound, StoreUnavailable, Unanswerable
from app.store import contexts, incidents
from app.store.database import Database, Transaction
from app.telemetry import SOURCE_CALLS, SOURCE_RESTING

_AT_ONCE = 5
_ALERTS = 50
_BREATH = 0.05  # real seconds between rounds: in a storm the first messages come first
_UNFINISHED = timedelta(minutes=1)  # asked, but we died before the answers were stored
_REFRESH = timedelta(minutes=5)
_REFRESHED_FOR = timedelta(hours=6)
_SPARED = timedelta(milliseconds=200)  # of the deadline, so that what came in time is kept

log = structlog.get_logger()


class Enrich:
    """Asks about what is due."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        signals: Signals,
        clock: Clock,
        *,
        enrichers: Sequence[Enricher],
    ) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._enrichers = enrichers
        self._breakers = {each.name: Breaker() for each in enrichers}
        for each in enrichers:
            SOURCE_RESTING.labels(each.name).set(0)

    def resting(self) -> list[str]:
        """The sources that are not asked for now."""
        now = self._clock.now()
        return sorted(name for name, each in self._breakers.items() if not each.may_ask(now))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                busy = await self.step()
            except StoreUnavailable as error:
                log.warning("enrich waits for the database", why=str(error))
                busy = False
            if busy:
                await asyncio.sleep(_BREATH)
            else:
                await wait_for(self._signals.context, self._clock, LOOK_AGAIN)

    async def step(self) -> bool:
        """One round; False when nothing was due."""
        now = self._clock.now()
        until = now + _UNFINISHED
        due = await self._db.write(contexts.take_due, now=now, again_at=until, limit=_AT_ONCE)
        await asyncio.gather(*(self._ask_about(number, until) for number in due))
        return bool(due)

    async def _ask_about(self, number: int, until: datetime) -> None:
        now = self._clock.now()
        try:
            incident, subject = await self._db.read(_load, number)
        except NotFound:
            return  # retention was faster
        asked = [each for each in self._enrichers if _is_due(each, incident)]
        findings = await asyncio.gather(*(self._find(each, incident, subject) for each in asked))
        again_at = now + _REFRESH if now - incident.opened_at < _REFRESHED_FOR else None
        found = [finding for finding in findings if finding is not None]
        await self._db.write(
            _learn,
            number,
            found,
            self._policy.current,
            now=self._clock.now(),
            taken_until=until,
            again_at=again_at,
        )
        self._signals.postings.set()

    async def _find(
        self, enricher: Enricher, incident: Incident, subject: Subject
    ) -> Finding | None:
        moment = Moment.OPENING if _unknown(enricher, incident) else Moment.LATEST
        now = self._clock.now()
        at = incident.opened_at if moment is Moment.OPENING else now
        if not self._breakers[enricher.name].may_ask(now):
            return Finding(enricher.name, moment, at, Missing("it is down and not asked for now"))
        deadline = self._policy.current.config.context.deadline
        seconds = deadline.total_seconds()
        within = max(deadline - _SPARED, deadline / 2)
        facts: Facts | Missing | None
        try:
            async with asyncio.timeout(seconds):
                facts = await enricher.find(replace(subject, at=at, within=within))
        except TimeoutError:
            facts = self._failed(enricher.name, f"it did not answer within {seconds:g} s")
        except Unanswerable as error:
            self._answered(enricher.name)
            facts = Missing(str(error))
        except NeighbourFailed as error:
            facts = self._failed(enricher.name, str(error))
        except Exception:
            log.exception("a source failed unexpectedly", source=enricher.name)
            facts = self._failed(enricher.name, "it failed unexpectedly; the log has the details")
        else:
            self._answered(enricher.name)
        return Finding(enricher.name, moment, at, facts) if facts is not None else None

    def _answered(self, name: str) -> None:
        self._breakers[name].succeeded()
        SOURCE_CALLS.labels(name, "ok").inc()
        SOURCE_RESTING.labels(name).set(0)

    def _failed(self, name: str, reason: str) -> Missing:
        now = self._clock.now()
        self._breakers[name].failed(now)
        SOURCE_CALLS.labels(name, "failed").inc()
        SOURCE_RESTING.labels(name).set(not self._breakers[name].may_ask(now))
        return Missing(reason)


def _is_due(enricher: Enricher, incident: Incident) -> bool:
    return enricher.refreshes or _unknown(enricher, incident)


def _unknown(enricher: Enricher, incident: Incident) -> bool:
    """Whether the source has not yet told what was true at the opening."""
    known = incident.context.opening.get(enricher.name)
    return known is None or isinstance(known.facts, Missing)


def _load(tx: Transaction, number: int) -> tuple[Incident, Subject]:
    incident = incidents.get(tx, number)
    incident = replace(incident, context=contexts.of_incident(tx, number))
    alerts = [state.alert for state in incidents.alerts_of(tx, number, limit=_ALERTS)]
    return incident, Subject(incident, alerts, incident.opened_at)


def _learn(
    tx: Transaction,
    number: int,
    findings: Sequence[Finding],
    policy: Policy,
    *,
    now: datetime,
    taken_until: datetime,
    again_at: datetime | None,
) -> None:
    try:
        incident = incidents.get(tx, number, for_update=True)
    except NotFound:
        return
    incident = replace(incident, context=contexts.of_incident(tx, number))
    for finding in findings:
        incident = apply_event(tx, incident, ContextFound(finding), policy, now=now)
    contexts.asked(tx, number, taken_until=taken_until, again_at=again_at)
