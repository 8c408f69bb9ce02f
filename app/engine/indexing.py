"""The loop that keeps the index of words: beside ingest, so that a storm need not wait for it.

Searches read what it has not come to yet (`store/texts.py`): it is never late for anybody.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from app.errors import StoreUnavailable
from app.store import texts
from app.store.database import Database

_AT_ONCE = 100  # incidents
_LOOK = 1.0  # seconds
_REST = 4.0  # times as long as the last step took: a fifth of one core, at most
_LONG_REST = 40.0  # the same, while webhooks are coming

log = structlog.get_logger()


class Indexing:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began = time.monotonic()
            try:
                busy = await self.step()
            except StoreUnavailable as error:
                log.warning("the index of words waits for the database", why=str(error))
                busy = False
            took = time.monotonic() - began
            await asyncio.sleep(self._rest(took) if busy else _LOOK)

    def _rest(self, took: float) -> float:
        if self._db.pressed:
            return _LONG_REST * took
        return min(_REST * took, _LOOK)

    async def step(self) -> bool:
        """One round; False when nothing was new."""
        new = await self._db.read(texts.behind, limit=_AT_ONCE)
        if new.to_change == new.from_change:
            return False
        aside = await self._db.write(texts.keep, new)
        if aside:
            log.error("incidents whose words cannot be stored are found by labels only", ids=aside)
        return True
