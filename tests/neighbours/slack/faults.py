"""Faults on demand: how Slack, or the way to it, goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

JsonObject = dict[str, Any]
FaultKind = Literal[
    "drop",
    "reset",
    "hang",
    "http_error",
    "truncated",
    "cut_json",
    "ratelimited",
    "error",
    "token_revoked",
    "channel_archived",
    "removed_from_channel",
]
KINDS: tuple[str, ...] = get_args(FaultKind)
_RECORDS_FIRST = {"record_then_" + kind: kind for kind in ("drop", "reset", "hang", "http_error")}


@dataclass(frozen=True)
class Call:
    """One API request as a fault's predicate sees it; `channel` is the channel's id."""

    method: str
    arguments: JsonObject
    channel: str | None = None

    @property
    def is_reply(self) -> bool:
        return bool(self.arguments.get("thread_ts"))


@dataclass
class Fault:
    """`record` says whether the request takes effect before its answer goes wrong."""

    kind: str
    method: str | None = None
    times: int | None = 1
    """How often it strikes; None: every time."""
    skip: int = 0
    """Matching calls to let pass first."""
    probability: float = 1.0
    only: Literal["root", "reply"] | None = None
    channel: str | None = None
    containing: str | None = None
    when: Callable[[Call], bool] | None = None
    record: bool | None = None
    seconds: float = 30.0
    status: int = 503
    retry_after: int = 1
    error: str = "internal_error"
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind in _RECORDS_FIRST:
            self.kind = _RECORDS_FIRST[self.kind]
            self.record = True
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.record is None:
            # A cut answer is an answer to something that was done.
            self.record = self.kind in {"truncated", "cut_json"}

    def matches(self, call: Call) -> bool:
        return (
            (self.method is None or self.method == call.method)
            and (self.channel is None or self.channel == call.channel)
            and (self.only is None or (self.only == "reply") == call.is_reply)
            and (self.containing is None or self.containing in str(call.arguments))
            and (self.when is None or self.when(call))
        )

    @property
    def spent(self) -> bool:
        return self.times is not None and self.struck >= self.times


@dataclass
class Faults:
    """The queue: the first fault that matches a call strikes it. Guarded by the workspace."""

    seed: int = 0
    queue: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - a repeatable run, not a secret

    def add(self, fault: Fault) -> Fault:
        self.queue.append(fault)
        return fault

    def clear(self) -> None:
        self.queue.clear()

    def reseed(self, seed: int) -> None:
        self._dice.seed(seed)

    def strike(self, call: Call) -> Fault | None:
        for fault in self.queue:
            if fault.spent or not fault.matches(call):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability < 1 and self._dice.random() >= fault.probability:
                continue
            fault.struck += 1
            return fault
        return None
