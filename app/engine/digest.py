"""The loop that tells a receiver of the week: once, whatever restarts and however many replicas.

A digest's row is its queue entry, as a posting's is, and is kept once it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from app.core.digest import LATEST, Digest, Schedule, Week
from app.core.postings import Place
from app.core.retry import after_failure
from app.core.stats import tune_first
from app.engine.clock import Clock
from app.engine.outlook import Outlook
from app.engine.policy import Policy, PolicyInForce, destinations
from app.errors import ContentRefused, DeliveryFailed, DestinationDead, StoreUnavailable
from app.notifiers.notifier import ROOT, Mark, Message, Notifier, ReachesMany, Sought
from app.store import digests, stats
from app.store.database import Database, Transaction
from app.store.digests import Due, Failure
from app.store.stats import Stretch
from app.telemetry import NEIGHBOUR_CALLS

_EVERY = 30.0  # seconds
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_INCIDENT = 0  # what a digest's mark has in the place of an incident's number

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Behind:
    """A digest that is told, but not to everybody; they are tried again at `at` (UTC)."""

    notifier: ReachesMany
    root: str
    at: datetime


class Digests:
    """Plans the week's digest when it is due, and sends what is planned until it gets through."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        clock: Clock,
        notifiers: Mapping[str, Notifier],
        *,
        outlook: Callable[[], Outlook],
        locale: str,
        zone: str,
    ) -> None:
        self._db = db
        self._policy = policy
        self._clock = clock
        self._notifiers = notifiers
        self._outlook = outlook
        self._locale = locale
        self._zone = ZoneInfo(zone)
        # In memory, as what they lack is: a restart, or another replica, knows of neither.
        self._behind: list[_Behind] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except StoreUnavailable as error:
                log.warning("the digest waits for the database", why=str(error))
            await self._clock.sleep(_EVERY)

    async def step(self) -> None:
        """Send all that is due now."""
        await self._plan()
        await self._catch_up()
        while await self._db.read(digests.any_due, now=self._clock.now()):
            due = await self._db.write(digests.lease, now=self._clock.now())
            if due is None:  # another replica has it
                return
            await self._send(due)

    def _schedule(self, policy: Policy) -> Schedule | None:
        wish = policy.config.digest
        return Schedule(_DAYS.index(wish.day), wish.at, self._zone) if wish else None

    async def _plan(self) -> None:
        policy, now = self._policy.current, self._clock.now()
        schedule, wish = self._schedule(policy), policy.config.digest
        if schedule is None or wish is None:
            return
        until = schedule.last(now).until
        if now - until > LATEST or await self._db.read(digests.planned, until):
            return
        places = destinations(policy.config.receivers[wish.receiver])
        await self._db.write(digests.plan, until, places, now=now)

    async def _send(self, due: Due) -> None:
        try:
            notifier, root = await self._show(due)
        except DeliveryFailed as error:
            await self._after_failure(due, error)
            return
        await self._db.write(digests.sent, due, now=self._clock.now())
        log.info("told of the week", transport=due.destination.kind)
        if isinstance(notifier, ReachesMany):
            self._remember(notifier, root)

    def _remember(self, notifier: ReachesMany, root: str) -> None:
        """Keep in mind who was not reached, as long as it is worth trying them again."""
        unreached = notifier.unreached(root)
        if unreached is None:
            return
        if unreached.pause is None:
            # Not `why`, which holds their addresses.
            log.warning("the digest does not reach everybody")
            return
        at = self._clock.now() + timedelta(seconds=unreached.pause)
        self._behind.append(_Behind(notifier, root, at))

    async def _catch_up(self) -> None:
        now = self._clock.now()
        due = [each for each in self._behind if each.at <= now]
        self._behind = [each for each in self._behind if each.at > now]
        for each in due:
            await each.notifier.catch_up(each.root)
            self._remember(each.notifier, each.root)

    async def _show(self, due: Due) -> tuple[Notifier, str]:
        """Where it is shown now; raises DeliveryFailed. What may be there already is looked for
        first."""
        kind, address = due.destination.kind, due.destination.address
        notifier = self._notifiers.get(kind)
        if notifier is None:
            raise DestinationDead(f"{kind} is not set up: its settings are missing.")
        if due.in_doubt and (there := await _find(notifier, due)):
            return notifier, there
        message = await self._message(notifier, due)
        root = await notifier.post(address, message, Mark(_NO_INCIDENT, due.token, ROOT))
        NEIGHBOUR_CALLS.labels(kind, "ok").inc()
        return notifier, root

    async def _message(self, notifier: Notifier, due: Due) -> Message:
        policy = self._policy.current
        wish, schedule = policy.config.digest, self._schedule(policy)
        if wish is None or schedule is None:
            raise ContentRefused("The digest is no longer configured.", code="not_wanted")
        digest = await self._db.read(_load, schedule.last(due.until), self._outlook())
        locale = policy.locale(wish.receiver, due.destination) or self._locale
        return notifier.digest(digest, receiver=wish.receiver, locale=locale)

    async def _after_failure(self, due: Due, error: DeliveryFailed) -> None:
        now = self._clock.now()
        kind, code = due.destination.kind, error.code or type(error).__name__
        NEIGHBOUR_CALLS.labels(kind, code).inc()
        log.warning("the digest did not get through", transport=kind, code=code)
        plan = after_failure(error, attempts=due.attempts + 1, plain=True, now=now)
        again_at: datetime | None = plan.at if plan.at - due.until <= LATEST else None
        await self._db.write(
            _not_shown,
            due,
            Failure(str(error), again_at, in_doubt=due.in_doubt or plan.look_first),
            instead=self._fallback() if plan.elsewhere else None,
            now=now,
        )

    def _fallback(self) -> Place | None:
        policy = self._policy.current
        wish = policy.config.digest
        return policy.fallback(wish.receiver) if wish else None


def _not_shown(
    tx: Transaction, due: Due, failure: Failure, *, instead: Place | None, now: datetime
) -> None:
    """Record the failure; where the destination is dead, the receiver's email stands in."""
    digests.failed(tx, due, failure)
    if instead:
        digests.plan(tx, due.until, [instead.destination], now=now)


async def _find(notifier: Notifier, due: Due) -> str | None:
    """The reference of what is there already."""
    sought = Sought(due.destination.address, due.token, since=due.created_at)
    shown = await notifier.survey(sought)
    return shown.root if shown else None


def _load(tx: Transaction, week: Week, outlook: Outlook) -> Digest:
    found = outlook.masked(stats.summary(tx, _stretch(week)))
    opened_before = stats.opened(tx, _stretch(week.before))
    advice = tune_first(found.by_alertname)
    return Digest(week, found, opened_before, advice, outlook.public_url)


def _stretch(week: Week) -> Stretch:
    return Stretch(week.since, week.until)
