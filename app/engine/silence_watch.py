"""The loop that compares the silences we know with Alertmanager's, and warns before they end.

It carries out wishes that wait for Alertmanager, or whose maker died, and ends what was made
twice. While Alertmanager does not answer, it says so, and takes nothing for granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.alertmanager.api import Alertmanager
from app.alertmanager.silences import Listing, ask_all, expire, pages
from app.core.silence_watch import (
    Firing,
    Step,
    View,
    compare,
    expiring,
    next_turn,
    to_end,
    unknown,
)
from app.engine.apply import apply_event
from app.engine.clock import Clock, wait_for
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.engine.silences import TAKEN_OVER_AFTER, Silencing, tell
from app.errors import (
    NeighbourFailed,
    NeighbourRefused,
    NeighbourUnreachable,
    NotFound,
    StoreUnavailable,
)
from app.store import incidents, silences
from app.store.database import Database, Transaction

_UNKNOWN_AFTER = timedelta(minutes=1)
_MOST_AT_ONCE = 20

log = structlog.get_logger()


class SilenceWatch:
    """One pass every `verify.every`, and when a warning or an end is due."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        signals: Signals,
        clock: Clock,
        *,
        alertmanagers: Sequence[Alertmanager],
        silencing: Silencing,
    ) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._alertmanagers = alertmanagers
        self._silencing = silencing
        self._silent_since: datetime | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                pause = await self.step()
            except StoreUnavailable as error:
                log.warning("the watch over silences waits for the database", why=str(error))
                pause = self._every
            await wait_for(self._signals.silences, self._clock, pause)

    @property
    def _every(self) -> float:
        return self._policy.current.config.verify.every.total_seconds()

    async def step(self) -> float:
        """One pass; for how many seconds there is nothing to do then."""
        asked_at = self._clock.now()
        listing = await ask_all(self._alertmanagers) if self._alertmanagers else None
        if listing is None:
            await self._without_an_answer(asked_at)
        else:
            self._silent_since = None
            await self._with_answer(listing, asked_at)
        return await self._warn()

    async def _with_answer(self, listing: Listing, asked_at: datetime) -> None:
        base = pages(self._alertmanagers)
        view = View(listing.silences, asked_at, listing.complete, base)
        steps, ending = await self._db.read(_compared, view)
        await self._record(steps)
        for reference in ending:
            try:
                await expire(self._alertmanagers, reference)
            except NeighbourFailed as error:
                log.warning("a silence could not be ended yet", why=str(error))
        await self._carry_out()

    async def _carry_out(self) -> None:
        """What is wanted and was not found under our mark."""
        now = self._clock.now()
        again_at = now + TAKEN_OVER_AFTER
        due = await self._db.write(
            silences.take_due, now=now, again_at=again_at, limit=_MOST_AT_ONCE
        )
        for each in due:
            try:
                await self._silencing.carry_out(each)
            except NeighbourRefused as error:
                await self._silencing.give_up(each, error)
            except NeighbourUnreachable as error:
                log.info("a silence waits for Alertmanager", why=str(error))
                return

    async def _without_an_answer(self, now: datetime) -> None:
        """Said once it has lasted: one lost answer changes nothing."""
        self._silent_since = self._silent_since or now
        if now - self._silent_since >= _UNKNOWN_AFTER:
            known = await self._db.read(silences.live)
            await self._record(unknown(known, self._silent_since))

    async def _warn(self) -> float:
        now = self._clock.now()
        before = self._policy.current.config.silences.warn_before
        steps, turn = await self._db.read(_warnings, now, before)
        await self._record(steps)
        soon = [turn - now] if turn else []
        return min([timedelta(seconds=self._every), *soon]).total_seconds()

    async def _record(self, steps: Sequence[Step]) -> None:
        if steps:
            await self._db.write(_apply, steps, self._policy.current, now=self._clock.now())
            self._signals.postings.set()


def _compared(tx: Transaction, view: View) -> tuple[list[Step], list[str]]:
    """What is new, and which silences are to be ended. On a reader: there may be much to match."""
    active = [each for each in view.listed.values() if each.active]
    tokens = {each.token for each in active} - {""}
    ours = silences.concerned(tx, {each.reference for each in active}, tokens)
    if not active and not ours:
        return [], []
    return compare(ours, view, _firing(tx)), to_end(ours, view)


def _warnings(
    tx: Transaction, now: datetime, before: timedelta
) -> tuple[list[Step], datetime | None]:
    ours = silences.live(tx)
    if not ours:
        return [], None
    near = [each for each in ours if not each.warned and each.warns_at(before) <= now]
    steps = expiring(ours, _firing(tx), now, before=before) if near else []
    return steps, next_turn(ours, now, before=before)


def _firing(tx: Transaction) -> Firing:
    everywhere = incidents.firing_everywhere(tx)
    return {
        number: {state.alert.fingerprint: state.alert.labels for state in states}
        for number, states in everywhere.items()
    }


def _apply(tx: Transaction, steps: Iterable[Step], policy: Policy, *, now: datetime) -> None:
    for step in steps:
        _take(tx, step, policy, now=now)


def _take(tx: Transaction, step: Step, policy: Policy, *, now: datetime) -> None:
    """What was compared may be old by now: somebody who was faster has the word."""
    if step.before is None:
        _take_found(tx, step, policy, now=now)
        return
    try:
        known = silences.get(tx, step.before.id, for_update=True)
    except NotFound:
        return
    if known != step.before:
        return
    if step.event is None:
        silences.drop(tx, known.id)
    else:
        tell(tx, step.after, step.event, policy, now=now)


def _take_found(tx: Transaction, step: Step, policy: Policy, *, now: datetime) -> None:
    try:
        incident = incidents.get(tx, step.after.incident, for_update=True)
    except NotFound:
        return  # retention was faster
    stored = silences.add(tx, step.after)
    if stored is not None and step.event is not None:
        apply_event(tx, incident, replace(step.event, silence=stored), policy, now=now)
