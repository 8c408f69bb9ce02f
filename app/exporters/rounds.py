"""Looks at one thing again and again, and says whether what was seen last still counts.

Each thing has a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from app.errors import PlantaoError

T = TypeVar("T")

TIMEOUT = "timeout"
OTHER = "other"


class Trouble(PlantaoError):
    """Something cannot be read, whole or in part; `kind` is counted."""

    def __init__(self, message: str, kind: str = OTHER) -> None:
        super().__init__(message, kind)
        self.kind = kind

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What one look saw; None if nothing. `at` is in seconds since 1970, the duration in
    seconds; both are None before the first look has ended."""

    seen: T | None
    at: float | None = None
    seconds: float | None = None


@dataclass
class Rounds(Generic[T]):
    """`look` is called every `interval` seconds with the time (seconds since 1970); it returns
    what it saw and what it could not see, or raises Trouble.

    What takes longer than `deadline` seconds counts as not seen until it ends. `turn` is held
    while looking: the memory of one look is needed at a time.
    """

    name: str
    look: Callable[[float], tuple[T | None, Sequence[Trouble]]]
    kinds: Sequence[str]
    interval: float
    deadline: float
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.errors: Counter[str] = Counter(dict.fromkeys(self.kinds, 0))
        self._last: Look[T] = Look(None)
        self._began: float | None = None  # by the monotonic clock; None between looks
        self._late = False
        self._told: set[str] = set()

    def start(self) -> None:
        """Look from now on, until the process ends."""
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            with self.turn:
                self.once()
            time.sleep(max(0.0, began + self.interval - time.monotonic()))

    def once(self) -> None:
        """Look once, in this thread."""
        self._began, self._late = time.monotonic(), False
        seen, troubles = self._try(time.time())
        seconds = time.monotonic() - self._began
        late, self._late = self._late, True  # what a scrape has counted is not counted again
        for kind in {trouble.kind for trouble in troubles} - ({TIMEOUT} if late else set()):
            self.errors[kind] += 1
        self._tell(troubles)
        self._last = Look(seen, time.time(), seconds)
        self._began = None

    def _try(self, now: float) -> tuple[T | None, Sequence[Trouble]]:
        try:
            return self.look(now)
        except Trouble as trouble:
            return None, [trouble]
        except BaseException as error:  # noqa: BLE001  (a panic in Rust is no Exception)
            return None, [Trouble(f"{type(error).__name__}: {error}", OTHER)]

    def latest(self) -> Look[T]:
        """What counts now: the last look, or that nothing is seen because the next one hangs."""
        began = self._began
        if began is None or time.monotonic() - began < self.deadline:
            return self._last
        if not self._late:
            self._late = True
            self.errors[TIMEOUT] += 1
            self._tell([Trouble(f"No answer within {self.deadline:g} s.", TIMEOUT)])
        return Look(None, self._last.at or time.time(), self._last.seconds)

    def _tell(self, troubles: Sequence[Trouble]) -> None:
        """In the log, once until it is over: not every minute anew."""
        log = structlog.get_logger()
        for trouble in troubles:
            if str(trouble) not in self._told:
                log.warning("cannot be read", what=self.name, kind=trouble.kind, why=str(trouble))
        if self._told and not troubles:
            log.info("can be read again", what=self.name)
        self._told = {str(trouble) for trouble in troubles}
