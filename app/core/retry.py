"""What to do after a message did not get through: when to try again, and how else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.errors import Ambiguous, ContentRefused, DeliveryFailed, ReferenceLost, Refused, TryLater

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=1)
_LONGEST_REFUSED_PAUSE = timedelta(minutes=10)
_SETTLE = timedelta(seconds=2)
_PATIENCE = 6  # failures in a row, about half a minute, before another way is used as well


@dataclass(frozen=True, slots=True)
class Plan:
    """The next move for one posting.

    `at` (UTC) is when to try again; "never" is not among the answers, only a person says
    stop. `plain` asks for the plainer form, `look_first` to look for our mark before
    posting, `anew` to post what was lost, `elsewhere` to use another way as well.
    """

    at: datetime
    plain: bool = False
    look_first: bool = False
    anew: bool = False
    elsewhere: bool = False


def after_failure(error: DeliveryFailed, *, attempts: int, plain: bool, now: datetime) -> Plan:
    """The plan after the `attempts`-th failure in a row (the first is 1).

    Pauses double from a second up to a minute; up to ten minutes where the destination says
    no, since a person must mend that.
    """
    pause = growing(attempts)
    elsewhere = attempts >= _PATIENCE
    match error:
        case ContentRefused() if not plain:
            return Plan(now, plain=True)
        case Refused():
            return Plan(now + growing(attempts, _LONGEST_REFUSED_PAUSE), elsewhere=True)
        case ReferenceLost():
            return Plan(now if attempts == 1 else now + pause, anew=True)
        case Ambiguous():
            # What was sent may still be on its way: give it time to arrive, then look.
            return Plan(now + max(pause, _SETTLE), look_first=True, elsewhere=elsewhere)
        case TryLater(after=after) if after is not None:
            return Plan(now + after)
        case _:
            return Plan(now + pause, elsewhere=elsewhere)


def growing(failures: int, longest: timedelta = _LONGEST_PAUSE) -> timedelta:
    """A second after the first failure, then twice as long each time, up to `longest`."""
    doublings = min(max(failures - 1, 0), 20)
    return min(_FIRST_PAUSE * (1 << doublings), longest)


def rest(error: DeliveryFailed, *, failures: int) -> timedelta:
    """How long a whole destination should not be called after its `failures`-th in a row."""
    match error:
        case TryLater(after=after) if after is not None:
            return after
        case ContentRefused() | ReferenceLost():
            return timedelta(0)  # it answered well; only this message was at fault
        case _:
            return growing(failures)
