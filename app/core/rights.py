"""What somebody may do here: three rights, each with those below it."""

from __future__ import annotations

from enum import Enum


class Right(Enum):
    """`read` < `respond` < `admin`; no text, so that nothing compares the letters."""

    READ = "read"
    """See incidents, as they are shown to everybody: with personal data masked."""
    RESPOND = "respond"
    """Act on incidents, and tell of changes."""
    ADMIN = "admin"
    """See and replay what came in, unmasked; reload the configuration."""

    def __str__(self) -> str:
        return self.value

    def covers(self, needed: Right) -> bool:
        """Whether who has this right may do what needs that one."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER = (Right.READ, Right.RESPOND, Right.ADMIN)
