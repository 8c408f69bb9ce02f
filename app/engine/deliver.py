"""The loop that keeps every posting true: one lane for each destination, urgent ones first."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from app.core.events import DeliveryChanged
from app.core.postings import (
    EDITS,
    URGENT_BELOW,
    Destination,
    Posting,
    PostingState,
    StepKind,
    priority,
)
from app.core.retry import Plan, after_failure, rest
from app.engine import ourselves
from app.engine.apply import apply_event
from app.engine.clock import Clock, wait_for
from app.engine.loops import end
from app.engine.outlook import Outlook
from app.engine.pace import Pace
from app.engine.policy import Policy, PolicyInForce
from app.engine.showing import Outcome, Work, begin, show
from app.engine.signals import LOOK_AGAIN, Signals
from app.errors import DeliveryFailed, DestinationDead, StoreUnavailable, TryLater
from app.notifiers.notifier import Notifier
from app.store import incidents, postings
from app.store.database import Database, Transaction
from app.telemetry import FIRST_MESSAGE, LOOP_FAILURES, NEIGHBOUR_CALLS

_PAUSE_AFTER_FAILURE = 1.0

log = structlog.get_logger()


@dataclass(slots=True)
class _Lane:
    """One destination: its room, its failures in a row, whether it is known to work."""

    destination: Destination
    pace: Pace
    failures: int = 0
    proven: bool = False
    task: asyncio.Task[None] | None = None


class Deliver:
    """Shows what is due; see `core/postings.py` for what is due, `showing.py` for one step."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        signals: Signals,
        clock: Clock,
        notifiers: Mapping[str, Notifier],
        *,
        outlook: Callable[[], Outlook],
        locale: str,
    ) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._notifiers = notifiers
        self._outlook = outlook
        self._default_locale = locale
        self._lanes: dict[Destination, _Lane] = {}
        self._edits = {
            kind: Pace(each.edit_interval, each.edit_burst) for kind, each in notifiers.items()
        }
        self._me = f"{os.getpid()}-{secrets.token_hex(4)}"

    async def run(self) -> None:
        """Until cancelled; lanes come and go with what is due."""
        reclaimed = False
        try:
            while True:
                try:
                    reclaimed = reclaimed or await self._reclaim()
                    pause = await self._wake_lanes()
                except StoreUnavailable as error:
                    log.warning("delivery waits for the database", why=str(error))
                    pause = _PAUSE_AFTER_FAILURE
                await wait_for(self._signals.postings, self._clock, pause)
        finally:
            await self._stop_lanes()

    async def _reclaim(self) -> bool:
        """After a crash of ours, what was in our hands is in doubt. With replicas, time tells."""
        if not self._db.replicated:
            await self._db.write(postings.release_all, now=self._clock.now())
        return True

    async def _wake_lanes(self) -> float:
        now = self._clock.now()
        for destination in await self._db.read(postings.due_destinations, now=now):
            lane = self._lane(destination)
            if lane.task is None or lane.task.done():
                lane.task = asyncio.create_task(self._work_off(lane))
        due = await self._db.read(postings.next_due, after=now)
        return min(LOOK_AGAIN, max(0.0, (due - now).total_seconds())) if due else LOOK_AGAIN

    def _lane(self, destination: Destination) -> _Lane:
        if destination not in self._lanes:
            notifier = self._notifiers.get(destination.kind)
            pace = Pace(notifier.interval, notifier.burst) if notifier else Pace(1.0, 1)
            self._lanes[destination] = _Lane(destination, pace)
        return self._lanes[destination]

    async def _stop_lanes(self) -> None:
        await end(lane.task for lane in self._lanes.values() if lane.task)

    async def _work_off(self, lane: _Lane) -> None:
        """Steps, one after another, until nothing is due at this destination."""
        try:
            while await self._next(lane):
                pass
        except StoreUnavailable as error:
            log.warning("a lane waits for the database", why=str(error))
            await self._clock.sleep(_PAUSE_AFTER_FAILURE)
        except Exception:
            LOOP_FAILURES.labels("deliver").inc()
            log.exception("a lane failed; it starts again", transport=lane.destination.kind)
            await self._clock.sleep(_PAUSE_AFTER_FAILURE)
        finally:
            self._signals.postings.set()

    async def _next(self, lane: _Lane) -> bool:
        now = self._clock.now()
        wait = lane.pace.wait(now, urgent=True)
        if wait:
            await self._clock.sleep(wait)
            return True
        wait_of_others = lane.pace.wait(now, urgent=False)
        work = await self._db.write(
            begin,
            lane.destination,
            self._outlook(),
            locale=self._locale,
            by=self._me,
            now=now,
            priority_below=URGENT_BELOW if wait_of_others else None,
        )
        if work is None and not wait_of_others:
            return False
        if work is None:
            await self._clock.sleep(wait_of_others)
            return True
        await self._deliver(lane, work)
        return True

    def _locale(self, posting: Posting) -> str:
        asked = self._policy.current.locale(posting.receiver, posting.destination)
        return asked or self._default_locale

    async def _deliver(self, lane: _Lane, work: Work) -> None:
        try:
            outcome = await show(work, self._notifier(lane.destination), self._room(work))
        except DeliveryFailed as error:
            lane.pace.take()
            await self._after_failure(lane, work, error)
            return
        if outcome.called:
            lane.pace.take()
            NEIGHBOUR_CALLS.labels(lane.destination.kind, "ok").inc()
        if outcome.wait:
            now = self._clock.now()
            due_at = now + timedelta(seconds=outcome.wait)
            await self._db.write(
                postings.record, outcome.posting, by=self._me, due_at=due_at, now=now
            )
        else:
            await self._after_success(lane, work, outcome)

    def _room(self, work: Work) -> Callable[[StepKind], float]:
        """Edits share one pace for all destinations, and wait without holding up what is new."""
        pace = self._edits.get(work.posting.destination.kind)
        urgent = priority(work.notice.incident, root_shown=True) < URGENT_BELOW

        def room(step: StepKind) -> float:
            if pace is None or step not in EDITS:
                return 0.0
            wait = pace.wait(self._clock.now(), urgent=urgent)
            if not wait:
                pace.take()
            return wait

        return room

    def _notifier(self, destination: Destination) -> Notifier:
        notifier = self._notifiers.get(destination.kind)
        if notifier is None:
            raise DestinationDead(
                f"{destination.kind} is not set up: its settings are missing.", code="not_set_up"
            )
        return notifier

    async def _after_success(self, lane: _Lane, work: Work, outcome: Outcome) -> None:
        now = self._clock.now()
        recovered = outcome.called and not lane.proven
        first = work.posting.first_shown_at is None and outcome.posting.root is not None
        if first:
            waited = (now - work.notice.incident.opened_at).total_seconds()
            FIRST_MESSAGE.labels(lane.destination.kind).observe(max(0.0, waited))
        posting = replace(
            outcome.posting,
            state=PostingState.SHOWN,
            attempts=0,
            last_error=outcome.unreached.why if outcome.unreached else None,
            first_shown_at=now if first else work.posting.first_shown_at,
        )
        policy = self._policy.current
        await self._db.write(
            _shown,
            posting,
            policy,
            by=self._me,
            due_at=_due(outcome, now),
            recovered=recovered,
            again=outcome.called and work.posting.state is PostingState.FAILING,
            now=now,
        )
        if outcome.called:
            lane.failures, lane.proven = 0, True

    async def _after_failure(self, lane: _Lane, work: Work, error: DeliveryFailed) -> None:
        now = self._clock.now()
        lane.failures += 1
        lane.proven = False
        lane.pace.rest(now, rest(error, failures=lane.failures))
        outcome = error.code or type(error).__name__
        NEIGHBOUR_CALLS.labels(lane.destination.kind, outcome).inc()
        log.warning(
            "a message did not get through",
            incident=work.posting.incident_id,
            destination=str(lane.destination) if lane.destination.kind == "slack" else "",
            transport=lane.destination.kind,
            kind=type(error).__name__,
            code=error.code,
        )
        posting = work.posting
        plan = after_failure(error, attempts=posting.attempts + 1, plain=posting.plain, now=now)
        failed = _failed(posting, error, plan)
        policy = self._policy.current
        await self._db.write(_not_shown, failed, plan, error, policy, by=self._me, now=now)


def _failed(posting: Posting, error: DeliveryFailed, plan: Plan) -> Posting:
    # An edit may have been made although it failed: the next one makes certain what is shown.
    # Only who says when to come back, or no, has surely done nothing.
    unsure = isinstance(error, TryLater) and error.after is None
    return replace(
        posting,
        root_digest="" if unsure else posting.root_digest,
        details_digest="" if unsure else posting.details_digest,
        state=PostingState.FAILING,
        attempts=posting.attempts + 1,
        last_error=str(error),
        plain=posting.plain or plan.plain,
        in_doubt=posting.in_doubt or plan.look_first or plan.anew,
        root=None if plan.anew else posting.root,
        details=None if plan.anew else posting.details,
        chart=None if plan.anew else posting.chart,
    )


def _due(outcome: Outcome, now: datetime) -> datetime | None:
    """When there is something to do again: at once, or for those who were not reached; or not."""
    if not outcome.finished:
        return now
    pause = outcome.unreached.pause if outcome.unreached else None
    return None if pause is None else now + timedelta(seconds=pause)


def _shown(
    tx: Transaction,
    posting: Posting,
    policy: Policy,
    *,
    by: str,
    due_at: datetime | None,
    recovered: bool,
    again: bool,
    now: datetime,
) -> None:
    """Record what is shown, and that the destination works again if it had not."""
    postings.record(tx, posting, by=by, due_at=due_at, now=now)
    if again and postings.relieve(tx, posting.incident_id, posting.destination, now=now):
        incident = incidents.get(tx, posting.incident_id, for_update=True)
        event = DeliveryChanged(str(posting.destination), "Shown there again.")
        apply_event(tx, incident, event, policy, now=now)
    if recovered:
        postings.hurry(tx, posting.destination, now=now)
        trouble = ourselves.delivery_failing(str(posting.destination), "", at=now)
        ourselves.report(tx, [ourselves.over(trouble, at=now)], policy, now=now)


def _not_shown(
    tx: Transaction,
    posting: Posting,
    plan: Plan,
    error: DeliveryFailed,
    policy: Policy,
    *,
    by: str,
    now: datetime,
) -> None:
    """Record the failure; where the destination is dead, go elsewhere and say so."""
    postings.record(tx, posting, by=by, due_at=plan.at, now=now)
    if not plan.elsewhere:
        return
    incident = incidents.get(tx, posting.incident_id, for_update=True)
    place = policy.fallback(posting.receiver)
    if (
        place
        and place.destination != posting.destination
        and postings.stand_in(tx, incident, place, posting.destination, now=now)
    ):
        instead = place.destination.kind
        what = f"{error} Sent to {instead} instead; still trying here."
        event = DeliveryChanged(str(posting.destination), what, error.code, instead)
        apply_event(tx, incident, event, policy, now=now)
    trouble = ourselves.delivery_failing(str(posting.destination), str(error), at=now)
    ourselves.report(tx, [trouble], policy, now=now)
