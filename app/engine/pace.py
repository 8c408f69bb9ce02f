"""How fast a destination may be called: tokens that refill, and rests after failures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_RESERVED = 1


@dataclass(slots=True)
class Pace:
    """One destination's room. `burst` calls may go at once, then one each `interval` seconds.

    The last token of a burst is for urgent incidents only, so that a critical one never
    waits behind a storm of others.
    """

    interval: float
    burst: int
    tokens: float = 0.0
    counted_at: datetime | None = None
    rests_until: datetime | None = None

    def wait(self, now: datetime, *, urgent: bool) -> float:
        """Seconds until a call may be made (0: now). Takes nothing."""
        if self.rests_until is not None and now < self.rests_until:
            return (self.rests_until - now).total_seconds()
        self._refill(now)
        reserved = 0 if urgent or self.burst <= _RESERVED else _RESERVED
        missing = 1 + reserved - self.tokens
        return max(0.0, missing * self.interval)

    def take(self) -> None:
        """Use one token; those in debt wait longer."""
        self.tokens -= 1

    def rest(self, now: datetime, pause: timedelta) -> None:
        """Make no calls for that long."""
        if pause:
            self.rests_until = max(self.rests_until or now, now + pause)

    def _refill(self, now: datetime) -> None:
        if self.counted_at is None:
            self.tokens = float(self.burst)
        elif self.interval:
            passed = max(0.0, (now - self.counted_at).total_seconds())  # clocks are set back
            self.tokens = min(float(self.burst), self.tokens + passed / self.interval)
        else:
            self.tokens = float(self.burst)
        self.counted_at = now
