"""Whoever follows the log is told when it has changed, by whichever replica."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from app.errors import StoreUnavailable, TooManyFollow
from app.store import feed
from app.store.database import Database
from app.store.feed import Position

#: More would make each change cost more than the alerts themselves.
MOST = 100

_LOOK = 0.25  # seconds: other replicas write past this process

log = structlog.get_logger()


class Feed:
    """One look at the database for all who follow, and none while nobody does."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen: Position | None = None
        self._followers: set[asyncio.Event] = set()
        self._wanted = asyncio.Event()
        self.over = False

    @contextmanager
    def following(self) -> Iterator[asyncio.Event]:
        """An event that is set at each change, and at the end. Raises TooManyFollow."""
        if len(self._followers) >= MOST:
            raise TooManyFollow(
                f"{MOST} others follow the log already: try again later, or list it now and then."
            )
        news = asyncio.Event()
        self._followers.add(news)
        self._wanted.set()
        try:
            yield news
        finally:
            self._followers.discard(news)
            if not self._followers:
                self._wanted.clear()

    @property
    def followed(self) -> bool:
        return bool(self._followers)

    def close(self) -> None:
        """The service is about to end: whoever follows is let go, to come back later."""
        self.over = True
        self._tell()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                await self._look()
            except StoreUnavailable as error:
                log.warning("the live stream waits for the database", why=str(error))
            await asyncio.sleep(_LOOK)

    async def _look(self) -> None:
        now = await self._db.read(feed.position)
        if now != self._seen:
            self._seen = now
            self._tell()

    def _tell(self) -> None:
        for news in self._followers:
            news.set()
