"""The loop that forgets what is old, in steps too small to hold the writer for long.

It also ends the incidents about ourselves that have nothing left to say.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from app.core.digest import LATEST
from app.engine import ourselves
from app.engine.clock import Clock
from app.engine.policy import PolicyInForce
from app.errors import StoreUnavailable
from app.store import answers, changes, digests, incidents, receipts, seen
from app.store.database import Database

_STEP = 200  # rows
_PAUSE = 0.05  # seconds between steps: the writer belongs to the webhooks
_EVERY = 3600.0
_SEEN = timedelta(days=2)  # Slack tells again within hours, a replay is refused after minutes

log = structlog.get_logger()


class Retention:
    """Deletes receipts, resolved incidents and changes past their time, once an hour."""

    def __init__(self, db: Database, policy: PolicyInForce, clock: Clock) -> None:
        self._db = db
        self._policy = policy
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except StoreUnavailable as error:
                log.warning("retention waits for the database", why=str(error))
            await self._clock.sleep(_EVERY)

    async def step(self) -> int:
        """Delete all that is past its time; returns how many rows went."""
        keep = self._policy.current.config.retention
        now = self._clock.now()
        gone = 0
        for purge, age in (
            (receipts.purge, keep.receipts),
            (incidents.purge, keep.incidents),
            (seen.purge, _SEEN),
            (answers.purge, answers.KEPT),
            (changes.purge, keep.incidents),
            (digests.purge, keep.incidents + LATEST),
        ):
            while deleted := await self._db.write(purge, before=now - age, limit=_STEP):
                gone += deleted
                await self._clock.sleep(_PAUSE)
        await self._db.write(ourselves.settle, self._policy.current, now=now)
        if gone:
            log.info("forgot what was past its time", rows=gone)
        return gone
