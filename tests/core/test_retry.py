"""The table of what comes after a failure: when to try again, and how else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core.retry import Plan, after_failure, growing, rest
from app.errors import (
    Ambiguous,
    ContentRefused,
    DeliveryFailed,
    DestinationDead,
    ReferenceLost,
    TryLater,
)

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SLOW, DEAD, LOST = TryLater("x"), DestinationDead("x"), ReferenceLost("x")
UNCLEAR, REFUSED = Ambiguous("x"), ContentRefused("x")
ASKED = TryLater("x", after=timedelta(seconds=37))
NO_WISH = TryLater("x", after=timedelta(0))


def after(seconds: float, **how: bool) -> Plan:
    return Plan(NOW + timedelta(seconds=seconds), **how)


@pytest.mark.parametrize(
    ("error", "attempts", "plain", "plan"),
    [
        # Nothing was shown: again, with pauses that double; the destination's own wish counts.
        (SLOW, 1, False, after(1)),
        (SLOW, 2, False, after(2)),
        (SLOW, 5, False, after(16)),
        (SLOW, 6, False, after(32, elsewhere=True)),  # half a minute: use another way as well
        (SLOW, 7, False, after(60, elsewhere=True)),
        (SLOW, 1000, False, after(60, elsewhere=True)),
        (ASKED, 1, False, after(37)),
        (ASKED, 50, False, after(37)),  # it answers, and says when
        (NO_WISH, 1, False, after(0)),
        # It may have been shown: give it time to arrive, then look before posting again.
        (UNCLEAR, 1, False, after(2, look_first=True)),
        (UNCLEAR, 3, False, after(4, look_first=True)),
        (UNCLEAR, 6, False, after(32, look_first=True, elsewhere=True)),
        # The content is refused: at once in the plainer form; if that fails too, it is dead.
        (REFUSED, 1, False, after(0, plain=True)),
        (REFUSED, 9, False, after(0, plain=True)),
        (REFUSED, 1, True, after(1, elsewhere=True)),
        (REFUSED, 4, True, after(8, elsewhere=True)),
        # A person must mend it: elsewhere at once, here ever more rarely, never never.
        (DEAD, 1, False, after(1, elsewhere=True)),
        (DEAD, 8, False, after(128, elsewhere=True)),
        (DEAD, 20, False, after(600, elsewhere=True)),
        (DEAD, 10**9, True, after(600, elsewhere=True)),
        # The message is gone: another one, at once the first time.
        (LOST, 1, False, after(0, anew=True)),
        (LOST, 2, False, after(2, anew=True)),
        (LOST, 30, True, after(60, anew=True)),
        # An error nobody has thought of is for later.
        (DeliveryFailed("x"), 1, False, after(1)),
    ],
)
def test_the_plan(error: DeliveryFailed, attempts: int, *, plain: bool, plan: Plan) -> None:
    assert after_failure(error, attempts=attempts, plain=plain, now=NOW) == plan


@pytest.mark.parametrize(
    ("error", "failures", "seconds"),
    [
        (SLOW, 1, 1),
        (SLOW, 4, 8),
        (UNCLEAR, 3, 4),
        (DEAD, 3, 4),
        (DEAD, 99, 60),  # another incident may try sooner than the one that failed
        (ASKED, 9, 37),
        (REFUSED, 9, 0),  # it answered well; only this message was at fault
        (LOST, 9, 0),
    ],
)
def test_how_long_the_whole_destination_rests(
    error: DeliveryFailed, failures: int, seconds: float
) -> None:
    assert rest(error, failures=failures) == timedelta(seconds=seconds)


def test_pauses_only_grow() -> None:
    pauses = [growing(failures) for failures in range(100)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (
        timedelta(seconds=1),
        timedelta(seconds=1),
        timedelta(minutes=1),
    )
