"""The loop that keeps the log's figures in `/metrics`: of the last seven days, by severity.

They are counted once a minute, or more seldom where a log is so large that it takes long, and
not at each scrape.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import product

import structlog

from app.core.alerts import OTHER_SEVERITY, SEVERITIES, known_severity
from app.core.incidents import Status
from app.core.stats import Row, Spread, Stats
from app.engine.clock import Clock
from app.errors import StoreUnavailable
from app.store import stats
from app.store.database import Database, Transaction
from app.store.stats import Stretch
from app.telemetry import (
    INCIDENTS,
    INCIDENTS_OPENED,
    NOISE,
    TIME_TO_ACKNOWLEDGE,
    TIME_TO_RESOLVE,
)

_EVERY = 60.0  # seconds
_SHARE = 20  # it takes at most a twentieth of a reader's time
_DAYS = timedelta(days=7)

Open = list[tuple[str, str, int]]

log = structlog.get_logger()


class LogFigures:
    """Counts, and sets the gauges."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began = self._clock.now()
            try:
                await self.step(began)
            except StoreUnavailable as error:
                log.warning("the figures wait for the database", why=str(error))
            took = (self._clock.now() - began).total_seconds()
            await self._clock.sleep(max(_EVERY, _SHARE * took))

    async def step(self, now: datetime) -> None:
        """Count once."""
        open_, found = await self._db.read(_load, Stretch(now - _DAYS, now))
        _set_open(open_)
        _set_week(found)


def _load(tx: Transaction, week: Stretch) -> tuple[Open, Stats]:
    return stats.open_now(tx), stats.summary(tx, week)


def _set_open(open_: Open) -> None:
    statuses = (Status.TRIGGERED, Status.ACKNOWLEDGED)
    counts = Counter(dict.fromkeys(product(statuses, (*SEVERITIES, OTHER_SEVERITY)), 0))
    for name, severity, number in open_:
        counts[Status(name), known_severity(severity)] += number
    for (status, severity), number in counts.items():
        INCIDENTS.labels(status.value, severity).set(number)


def _set_week(found: Stats) -> None:
    for gauge in (INCIDENTS_OPENED, TIME_TO_ACKNOWLEDGE, TIME_TO_RESOLVE):
        gauge.clear()
    for row in found.by_severity:
        _set_row(row)
    for name in ("notifications", "refires", "short_lived", "unattended"):
        NOISE.labels(name).set(getattr(found.whole, name))


def _set_row(row: Row) -> None:
    severity, figures = known_severity(row.name or ""), row.figures
    INCIDENTS_OPENED.labels(severity).inc(figures.opened)
    if severity == row.name:  # medians of several severities together are nobody's
        for gauge, spread in (
            (TIME_TO_ACKNOWLEDGE, figures.time_to_acknowledge),
            (TIME_TO_RESOLVE, figures.time_to_resolve),
        ):
            for quantile, seconds in _quantiles(spread):
                gauge.labels(severity, quantile).set(seconds)


def _quantiles(spread: Spread) -> list[tuple[str, float]]:
    found = (("0.5", spread.median), ("0.9", spread.p90))
    return [(name, value.total_seconds()) for name, value in found if value is not None]
