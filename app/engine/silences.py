"""Silencing an incident's alerts: an effect on Alertmanager, which may fail or be cut short.

The wish is stored first, then Alertmanager is called, then its answer is stored. Whoever finds
a wish without an answer (the loop in `silence_watch.py`) looks for our mark before it calls
again, and ends what was made twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from app.alertmanager import silences as alertmanager_silences
from app.alertmanager.api import Alertmanager
from app.core import notices
from app.core.alerts import Labels
from app.core.incidents import Incident
from app.core.matchers import Matcher
from app.core.notices import safe_link
from app.core.proposing import propose
from app.core.silence_events import (
    Silenced,
    SilenceDelayed,
    SilenceEnded,
    SilenceEvent,
    SilenceNotMade,
)
from app.core.silence_watch import ended, made
from app.core.silences import (
    Silence,
    SilenceState,
    check,
    check_length,
    is_same_wish,
    marked_comment,
    mutes,
    page,
)
from app.core.silencing import check_may_silence
from app.core.transitions import AlertState
from app.engine.apply import apply_event
from app.engine.clock import Clock
from app.engine.policy import Policy, PolicyInForce
from app.engine.signals import Signals
from app.errors import (
    InvalidSilence,
    NeighbourFailed,
    NeighbourRefused,
    NeighbourUnreachable,
    NotApplicable,
    NotFound,
)
from app.store import incidents, silences
from app.store.database import Database, Transaction

#: After this a wish whose author got no answer is carried out by the loop: we died meanwhile.
TAKEN_OVER_AFTER = timedelta(seconds=30)
RETRIED_AFTER = timedelta(seconds=10)

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for. `ends_at` is in UTC.

    Without `matchers` they are proposed: for these `alerts` (fingerprints), or for all that fire.
    With `retry`, an Alertmanager that does not answer now is asked again until it does.
    """

    by: str
    ends_at: datetime
    comment: str = ""
    alerts: Sequence[str] = ()
    matchers: Sequence[Matcher] = ()
    revision: int | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """Matchers, which of the incident's firing alerts they mute, and how many elsewhere."""

    matchers: tuple[Matcher, ...]
    muted: tuple[AlertState, ...]
    firing: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Made:
    """A silence that was asked for; `new` is False where this had been asked for already."""

    silence: Silence
    new: bool


class Silencing:
    """What people do about silences; each method raises NotFound for what is not there."""

    def __init__(
        self,
        db: Database,
        policy: PolicyInForce,
        signals: Signals,
        clock: Clock,
        *,
        alertmanagers: Sequence[Alertmanager],
        public_url: str,
    ) -> None:
        self._db = db
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._alertmanagers = alertmanagers
        self._public_url = public_url

    async def propose(
        self, incident: int, alerts: Sequence[str] = (), matchers: Sequence[Matcher] = ()
    ) -> Proposal:
        """What would be silenced; nothing is. Raises NotApplicable, InvalidSilence."""
        return await self._db.read(_proposal, incident, alerts, matchers)

    async def make(self, incident: int, wish: Wish) -> Made:
        """Silence alerts of an incident; it is active then, or wanted if it is to be retried.

        Raises NotApplicable, InvalidSilence; NeighbourRefused, and NeighbourUnreachable where no
        retry was asked for: the incident is then as it was.
        """
        now = self._clock.now()
        config = self._policy.current.config.silences
        check_length(wish.ends_at - now, longest=config.longest)
        found = await self.propose(incident, wish.alerts, wish.matchers)
        check(found.matchers, ends_at=wish.ends_at, now=now)
        wanted = await self._db.write(
            _want, incident, wish, found.matchers, secrets.token_hex(8), now=now
        )
        if not wanted.new:
            return wanted
        try:
            silence = await self.carry_out(wanted.silence)
        except NeighbourUnreachable as error:
            silence = await self._not_now(wanted.silence, error, retry=wish.retry)
        except NeighbourFailed:
            await self._db.write(silences.drop, wanted.silence.id)
            raise
        return Made(silence, new=True)

    async def carry_out(self, wanted: Silence) -> Silence:
        """Have a wanted silence made, and store that. Raises NeighbourFailed."""
        said = replace(wanted, comment=self._policy.current.privacy.masked(wanted.comment))
        reference = await alertmanager_silences.create(
            self._alertmanagers,
            matchers=wanted.matchers,
            ends_at=wanted.ends_at,
            by=wanted.by,
            comment=marked_comment(said, notices.page(self._public_url, wanted.incident)),
        )
        link = page(alertmanager_silences.pages(self._alertmanagers), reference)
        stored = await self._write(_made, wanted, reference, link)
        if stored is None or stored.reference != reference:
            # It was withdrawn meanwhile, or an earlier call that seemed lost had come through.
            await self._end_surplus(reference)
        return stored or wanted

    async def give_up(self, wanted: Silence, why: NeighbourRefused) -> None:
        """Alertmanager will never make it: say so in the incident."""
        await self._write(_not_made, wanted, str(why))

    async def end(self, incident: int, number: int, by: str) -> Silence:
        """End a silence of an incident before its time; one that waits to be made is withdrawn.

        Raises NotApplicable where it is over, NeighbourFailed where it could not be ended: it is
        as it was then.
        """
        silence = await self._write(_end_wanted, incident, number, by)
        if silence.state is SilenceState.ENDED or silence.reference is None:
            return silence
        try:
            await alertmanager_silences.expire(self._alertmanagers, silence.reference)
        except NeighbourFailed:
            await self._db.write(_not_ended, number)
            raise
        return await self._write(_ended, silence, by)

    async def _end_surplus(self, reference: str) -> None:
        try:
            await alertmanager_silences.expire(self._alertmanagers, reference)
        except NeighbourFailed as error:
            log.warning("a silence too many was not ended yet", why=str(error))
            self._signals.silences.set()

    async def _not_now(
        self, wanted: Silence, error: NeighbourUnreachable, *, retry: bool
    ) -> Silence:
        if retry:
            return await self._write(_delayed, wanted, str(error))
        if error.perhaps_done:
            await self._db.write(_doubted, wanted)
            raise NeighbourUnreachable(
                f"{error} If it made the silence all the same, the incident will say so within a "
                f"minute or two. {_AGAIN}",
                perhaps_done=True,
            )
        await self._db.write(silences.drop, wanted.id)
        raise NeighbourUnreachable(f"{error} Nothing was silenced. {_AGAIN}", perhaps_done=False)

    async def _write(self, work: Callable[..., T], *args: object) -> T:
        done = await self._db.write(work, *args, self._policy.current, now=self._clock.now())
        self._signals.postings.set()
        self._signals.silences.set()  # its next turn may be sooner now
        return done


_AGAIN = 'Try again, or send "retry": true to have it made as soon as Alertmanager answers.'


# --- transactions


def _proposal(
    tx: Transaction, number: int, alerts: Sequence[str], matchers: Sequence[Matcher]
) -> Proposal:
    incident = incidents.with_firing_alerts(tx, incidents.get(tx, number))
    check_may_silence(incident, None)
    return _propose(tx, incident, alerts, matchers)


def _propose(
    tx: Transaction, incident: Incident, alerts: Sequence[str], matchers: Sequence[Matcher]
) -> Proposal:
    chosen = _chosen(incident, alerts)
    everywhere = incidents.firing_everywhere(tx)
    elsewhere = [
        state.alert.labels
        for number, states in everywhere.items()
        for state in states
        if number != incident.id
    ]
    unchosen = [s.alert.labels for name, s in incident.alerts.items() if name not in chosen]
    labels = [state.alert.labels for state in chosen.values()]
    found = tuple(matchers) or propose(labels, [*unchosen, *elsewhere])
    muted = tuple(s for s in incident.alerts.values() if mutes(found, s.alert.labels))
    return Proposal(
        found, muted, len(incident.alerts), sum(mutes(found, each) for each in elsewhere)
    )


def _chosen(incident: Incident, names: Sequence[str]) -> dict[str, AlertState]:
    firing = dict(incident.alerts)
    if not names:
        return firing
    if strangers := sorted(set(names) - firing.keys()):
        raise InvalidSilence(
            f"These are not firing alerts of incident {incident.id}: {', '.join(strangers[:5])}."
        )
    return {name: firing[name] for name in names}


def _want(
    tx: Transaction,
    number: int,
    wish: Wish,
    matchers: tuple[Matcher, ...],
    token: str,
    *,
    now: datetime,
) -> Made:
    incident = incidents.get(tx, number, for_update=True)
    check_may_silence(incident, wish.revision)
    if not _firing(tx, incident, matchers):
        raise InvalidSilence(f"These matchers mute no firing alert of incident {number}.")
    wanted = Silence(
        incident=number,
        matchers=matchers,
        by=wish.by,
        comment=wish.comment,
        starts_at=now,
        ends_at=wish.ends_at,
        token=token,
        due_at=now + TAKEN_OVER_AFTER,
    )
    for known in silences.of_incident(tx, number):
        if is_same_wish(known, wanted):
            return Made(known, new=False)
    stored = silences.add(tx, wanted)
    assert stored is not None  # noqa: S101  (it has no reference that could be known)
    return Made(stored, new=True)


def _firing(tx: Transaction, incident: Incident, matchers: Sequence[Matcher]) -> dict[str, Labels]:
    """The labels of the incident's firing alerts that these matchers mute, by fingerprint."""
    alerts = incidents.with_firing_alerts(tx, incident).alerts
    known = {name: state.alert.labels for name, state in alerts.items()}
    return {name: labels for name, labels in known.items() if mutes(matchers, labels)}


def _made(
    tx: Transaction, wanted: Silence, reference: str, link: str, policy: Policy, *, now: datetime
) -> Silence | None:
    """None if it is no longer wanted. The loop may have been faster: then that stands."""
    try:
        known = silences.get(tx, wanted.id, for_update=True)
    except NotFound:
        return None
    if known.state is SilenceState.ACTIVE:
        return known
    if known.state not in {SilenceState.WANTED, SilenceState.DOUBTFUL}:
        return None
    incident = incidents.get(tx, known.incident, for_update=True)
    firing = _firing(tx, incident, known.matchers)
    after = made(known, reference, link, firing)
    return tell(tx, after, Silenced(after), policy, now=now)


def _delayed(
    tx: Transaction, wanted: Silence, why: str, policy: Policy, *, now: datetime
) -> Silence:
    known = silences.get(tx, wanted.id, for_update=True)
    if known.state is not SilenceState.WANTED:
        return known
    after = replace(known, problem=why, due_at=now + RETRIED_AFTER)
    return tell(tx, after, SilenceDelayed(after), policy, now=now)


def _doubted(tx: Transaction, wanted: Silence) -> None:
    known = silences.get(tx, wanted.id, for_update=True)
    if known.state is SilenceState.WANTED:
        silences.save(tx, replace(known, state=SilenceState.DOUBTFUL, due_at=None))


def _not_made(tx: Transaction, wanted: Silence, why: str, policy: Policy, *, now: datetime) -> None:
    known = silences.get(tx, wanted.id, for_update=True)
    if known.state is SilenceState.WANTED:
        after = replace(known, state=SilenceState.NOT_MADE, due_at=None, problem=why)
        tell(tx, after, SilenceNotMade(after), policy, now=now)


def _end_wanted(
    tx: Transaction, incident: int, number: int, by: str, policy: Policy, *, now: datetime
) -> Silence:
    known = silences.get(tx, number, for_update=True)
    if known.incident != incident:
        raise NotFound(f"Incident {incident} has no silence {number}.")
    if known.state is SilenceState.ACTIVE:
        after = replace(known, ending_by=by)
        silences.save(tx, after)
        return after
    if known.state is not SilenceState.WANTED:
        who = f" by {known.ended_by}" if known.ended_by else ""
        raise NotApplicable(f"Silence {number} is already over{who}.")
    after = ended(known, at=now, by=by)
    return tell(tx, after, SilenceEnded(after, early=True), policy, now=now)


def _not_ended(tx: Transaction, number: int) -> None:
    silences.save(tx, replace(silences.get(tx, number, for_update=True), ending_by=None))


def _ended(tx: Transaction, silence: Silence, by: str, policy: Policy, *, now: datetime) -> Silence:
    """It is over for every incident that it concerns."""
    for known in silences.sharing(tx, silence.reference or ""):
        after = ended(known, at=now, by=by)
        tell(tx, after, SilenceEnded(after, early=True), policy, now=now)
    return silences.get(tx, silence.id)


def tell(
    tx: Transaction, silence: Silence, event: SilenceEvent, policy: Policy, *, now: datetime
) -> Silence:
    """Store a known silence as it is now, and what happened to it."""
    incident = incidents.get(tx, silence.incident, for_update=True)
    placed = with_link(silence, incident)
    silences.save(tx, placed)
    apply_event(tx, incident, replace(event, silence=placed), policy, now=now)
    return placed


def with_link(silence: Silence, incident: Incident) -> Silence:
    """Its page where people reach Alertmanager, by its own account, if it has given one."""
    base = safe_link(incident.external_url)
    if base is None or silence.reference is None:
        return silence
    return replace(silence, link=page(base, silence.reference))
