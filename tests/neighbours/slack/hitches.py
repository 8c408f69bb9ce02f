"""What can go wrong between Slack and the app: the other direction's `faults`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from .delivery import Kind

HitchKind = Literal["lost", "answer_lost", "twice", "stale"]


@dataclass
class Hitch:
    """`lost`: it never arrives. `answer_lost`: the app answers and Slack hears nothing, so it
    takes it for a timeout. `twice`: the same bytes come again. `stale`: it was signed ten
    minutes ago."""

    kind: HitchKind
    to: Kind | None = None
    times: int | None = 1
    """How often; None: every time."""
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(HitchKind):
            raise ValueError(f"no hitch {self.kind!r}; there are {', '.join(get_args(HitchKind))}")

    def strikes(self, kind: Kind) -> bool:
        return (self.to is None or self.to == kind) and (
            self.times is None or self.struck < self.times
        )


@dataclass
class Hitches:
    """Guarded by the workspace."""

    queue: list[Hitch] = field(default_factory=list)

    def add(self, hitch: Hitch) -> Hitch:
        self.queue.append(hitch)
        return hitch

    def clear(self) -> None:
        self.queue.clear()

    def strike(self, kind: Kind) -> HitchKind | None:
        for hitch in self.queue:
            if hitch.strikes(kind):
                hitch.struck += 1
                return hitch.kind
        return None
