"""A neighbour that is down is not asked again for every alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FAILURES = 3
_FIRST_REST = timedelta(seconds=15)
_LONGEST_REST = timedelta(minutes=2)


@dataclass(slots=True)
class Breaker:
    """After three failures in a row a source rests, twice as long each time, up to 2 minutes."""

    failures: int = 0
    rests_until: datetime | None = None

    def may_ask(self, now: datetime) -> bool:
        return self.rests_until is None or now >= self.rests_until

    def succeeded(self) -> None:
        self.failures = 0
        self.rests_until = None

    def failed(self, now: datetime) -> None:
        self.failures += 1
        if self.failures >= _FAILURES:
            doublings = min(self.failures - _FAILURES, 10)
            self.rests_until = now + min(_FIRST_REST * (1 << doublings), _LONGEST_REST)
