"""What one report about one alert changes, given what is known of that alert.

The table below is the whole of it (`tests/core/test_transitions.py` walks it row by row):

known      reported   starts_at            → effect     why
─────────  ─────────  ───────────────────  ───────────  ─────────────────────────────────────────
anything   anything   (report not newer)   NOTHING      a replay or a retry of what was applied
—          firing     any                  JOINED       a new alert
—          resolved   any                  ENDED_UNSEEN it ended before we ever heard it fire
firing     firing     same or older        REPEATED     repeat_interval, HA twin, `continue` route
firing     firing     newer                REPEATED     its end was never told; since = newer
firing     resolved   any, ended after     ENDED        the usual end; an unseen startsAt is fine
                      the known start
firing,    resolved   any, ended after     DISMISSED    it was a late repeat; or it really
doubted               the known start                   fired again and is over: nobody was told
firing     resolved   ended before the     NOTHING      an old end told again (for 15 minutes)
                      known start
resolved   resolved   any                  NOTHING      an old end told again
resolved   firing     newer                REFIRED      a genuine new occurrence
resolved   firing     same or older,       NOTHING      the person's word stands for this
                      ended by a person                 occurrence
resolved   firing     same or older        DOUBTED      an HA twin's late repeat, or a real
                                                        re-fire: nobody can tell from the bytes
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, auto

from app.core.alerts import Alert, AlertStatus


class Ending(StrEnum):
    """How something ended, in the words people read."""

    RESOLVED = "resolved"
    NO_LONGER_REPORTED = "no longer reported"
    BY_PERSON = "resolved by a person"


class Effect(StrEnum):
    """What a report meant for one alert."""

    NOTHING = auto()
    JOINED = auto()
    ENDED_UNSEEN = auto()
    REPEATED = auto()
    ENDED = auto()
    DISMISSED = auto()
    REFIRED = auto()
    DOUBTED = auto()


@dataclass(frozen=True, slots=True)
class AlertState:
    """One alert as its incident knows it. Times are in UTC.

    `reported_at` is when the last report that was applied arrived. `expires_at` is when
    Alertmanager would stop believing in the alert unless it hears of it again, as its API
    last said. `unconfirmed` marks a firing that may be an HA twin's late repeat; `ending`
    is then how it had ended before.
    """

    alert: Alert
    reported_at: datetime
    unconfirmed: bool = False
    ending: Ending | None = None
    expires_at: datetime | None = None

    @property
    def firing(self) -> bool:
        return self.alert.firing

    def ended(self, how: Ending, *, at: datetime) -> AlertState:
        """The same alert, resolved in that way at that time."""
        alert = replace(self.alert, status=AlertStatus.RESOLVED, ends_at=at)
        return replace(self, alert=alert, ending=how, unconfirmed=False)

    def tells_more_than(self, other: AlertState | None) -> bool:
        """Whether people can see a difference. HA twins differ in `generator_url`: no news."""
        if other is None:
            return True
        mine, theirs = self.alert, other.alert
        return (
            mine.status is not theirs.status
            or mine.starts_at != theirs.starts_at
            or mine.annotations != theirs.annotations
            or self.unconfirmed is not other.unconfirmed
        )


@dataclass(frozen=True, slots=True)
class Transition:
    effect: Effect
    state: AlertState


def transition(known: AlertState | None, alert: Alert, *, at: datetime) -> Transition:
    """What `alert`, reported at `at`, changes. Pure and idempotent; see the table above."""
    if known is None:
        effect = Effect.JOINED if alert.firing else Effect.ENDED_UNSEEN
        return Transition(effect, _fresh(alert, at))
    if at <= known.reported_at:
        return Transition(Effect.NOTHING, known)
    if known.firing:
        return _while_firing(known, alert, at)
    return _after_its_end(known, alert, at)


def _fresh(alert: Alert, at: datetime) -> AlertState:
    return AlertState(alert, reported_at=at, ending=None if alert.firing else Ending.RESOLVED)


def _while_firing(known: AlertState, alert: Alert, at: datetime) -> Transition:
    if alert.firing:
        since = max(known.alert.starts_at, alert.starts_at)
        state = replace(known, alert=replace(alert, starts_at=since), reported_at=at)
        return Transition(Effect.REPEATED, state)
    if alert.ends_at is not None and alert.ends_at < known.alert.starts_at:
        return Transition(Effect.NOTHING, known)
    if not alert.annotations:
        alert = replace(alert, annotations=known.alert.annotations)  # nothing else was told
    if known.unconfirmed:
        state = AlertState(alert, reported_at=at, ending=known.ending or Ending.RESOLVED)
        return Transition(Effect.DISMISSED, state)
    ending = Ending.NO_LONGER_REPORTED if _timed_out(known, alert) else Ending.RESOLVED
    return Transition(Effect.ENDED, AlertState(alert, reported_at=at, ending=ending))


def _timed_out(known: AlertState, alert: Alert) -> bool:
    """Whether Alertmanager ended the alert because it stopped hearing of it.

    It then ends at exactly the expiry the API showed (in milliseconds); an end that
    Prometheus itself reports carries the time of its evaluation.
    """
    if known.expires_at is None or alert.ends_at is None:
        return False
    return abs(alert.ends_at - known.expires_at) < timedelta(milliseconds=1)


def _after_its_end(known: AlertState, alert: Alert, at: datetime) -> Transition:
    if not alert.firing:
        return Transition(Effect.NOTHING, known)
    if alert.starts_at > known.alert.starts_at:
        return Transition(Effect.REFIRED, _fresh(alert, at))
    if known.ending is Ending.BY_PERSON:
        return Transition(Effect.NOTHING, known)
    # The former ending is kept: if the doubt proves right, it still holds.
    doubted = replace(_fresh(alert, at), unconfirmed=True, ending=known.ending)
    return Transition(Effect.DOUBTED, doubted)
