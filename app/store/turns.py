"""Whose turn it is to write: what somebody waits for first, background work in between.

There is one writer. Under a storm of webhooks the background (applying receipts, delivering)
would keep senders waiting again and again; so, while urgent work keeps coming, it rests for
some times as long as it took. It is never kept waiting for longer than `_LONGEST_REST`.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

_MANY = 64  # jobs in one transaction
_REST = 9  # times as long as the background's last turn took
_LONGEST_REST = 1.0  # seconds
_LULL = 0.05  # seconds without urgent work, after which nobody is kept waiting
_PRESSED = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Job:
    """Work for the writer; `tx` is the transaction it is given.

    `alone`: it goes with no other replica's work at the same time.
    """

    work: Callable[[Any], Any]
    done: Future[Any]
    urgent: bool
    alone: bool = True


class Turns:
    """A queue of jobs: any thread may put, one thread takes.

    `now` counts seconds from anywhere: it measures how long turns are, and dates nothing.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._arrivals: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._urgent: deque[Job] = deque()
        self._background: deque[Job] = deque()
        self._rest_until = 0.0
        self._urgent_until = 0.0
        self._begun = 0.0
        self._closed = False

    def pressed(self) -> bool:
        """Whether somebody waited for a turn within the last second."""
        return self._now() < self._urgent_until + _PRESSED

    def put(self, job: Job) -> None:
        """Add a job to the end of its line."""
        self._arrivals.put(job)

    def close(self) -> None:
        """Nothing more is put; what is there is still taken, and then `take` returns nothing."""
        self._arrivals.put(None)

    def take(self) -> list[Job]:
        """Wait for the jobs of the next transaction; they can no longer be cancelled."""
        while True:
            self._collect()
            if self._urgent:
                self._urgent_until = self._now() + _LULL
                jobs = _first_of(self._urgent)
            elif self._background and not self._must_rest():
                jobs = _first_of(self._background)
            elif self._closed and not self._background:
                return []
            else:
                self._wait()
                continue
            if jobs:
                self._begun = self._now()
                return jobs

    def over(self, jobs: list[Job]) -> None:
        """The turn of these jobs is over; the background rests in proportion to its length."""
        if not jobs[0].urgent:
            now = self._now()
            self._rest_until = now + min(_REST * (now - self._begun), _LONGEST_REST)

    def _must_rest(self) -> bool:
        return not self._closed and self._now() < min(self._rest_until, self._urgent_until)

    def _collect(self) -> None:
        while True:
            try:
                self._sort(self._arrivals.get_nowait())
            except queue.Empty:
                return

    def _wait(self) -> None:
        """Until something arrives, or the background has rested."""
        pause = None
        if self._background:
            pause = max(0.0, min(self._rest_until, self._urgent_until) - self._now())
        try:
            self._sort(self._arrivals.get(timeout=pause))
        except queue.Empty:
            return

    def _sort(self, job: Job | None) -> None:
        if job is None:
            self._closed = True
        elif job.urgent:
            self._urgent.append(job)
        else:
            self._background.append(job)


def _first_of(line: deque[Job]) -> list[Job]:
    """The first of a line that somebody still waits for."""
    jobs = [line.popleft() for _ in range(min(_MANY, len(line)))]
    return [job for job in jobs if job.done.set_running_or_notify_cancel()]
