"""What a fault is, and what has to be seen of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from tests.pipeline.town import Town


class Fault(ABC):
    """One thing that breaks for real. `how` says so in the table of the docs; `alerts` are those
    that have to come, and to end after the repair."""

    how: ClassVar[str]
    mended: ClassVar[str]
    alerts: ClassVar[Sequence[str]]
    #: Whether its alerts may be there before: it is what comes of doing nothing.
    by_itself: ClassVar[bool] = False

    @abstractmethod
    def provoke(self, town: Town) -> None:
        """Break it. May be called once."""

    @abstractmethod
    def repair(self, town: Town) -> None:
        """Make it whole, as the runbook says where it says so."""

    def told_elsewhere(self, town: Town, alert: str) -> str:
        """By whom it was told, where that is not the service in Slack; or nothing."""
        return ""

    def over_elsewhere(self, town: Town, alert: str) -> bool:
        """Whether whoever told it elsewhere has told its end too."""
        return False

    @classmethod
    def name(cls) -> str:
        return cls.__name__
