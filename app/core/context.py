"""An incident's context: what was true when it opened, and the latest beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from app.core.facts import Facts, Missing

T = TypeVar("T")


class Moment(StrEnum):
    """Facts of the opening are frozen; the latest are replaced."""

    OPENING = "opening"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one source said of one moment; `at` (UTC) is when that was true."""

    source: str
    moment: Moment
    at: datetime
    facts: Facts | Missing


@dataclass(frozen=True, slots=True)
class Context:
    """All findings of an incident, by source."""

    opening: Mapping[str, Finding] = field(default_factory=dict)
    latest: Mapping[str, Finding] = field(default_factory=dict)

    @staticmethod
    def of(*findings: Finding) -> Context:
        opening = {each.source: each for each in findings if each.moment is Moment.OPENING}
        latest = {each.source: each for each in findings if each.moment is Moment.LATEST}
        return Context(opening, latest)

    def facts(self, kind: type[T]) -> T | None:
        """The facts of this kind that were true at the opening, if a source gave them."""
        return next((f.facts for f in self.opening.values() if isinstance(f.facts, kind)), None)

    def newest(self, kind: type[T]) -> T | None:
        """The latest facts of this kind, else those of the opening."""
        latest = (f.facts for f in self.latest.values() if isinstance(f.facts, kind))
        return next(latest, None) or self.facts(kind)

    @property
    def missing(self) -> Mapping[str, str]:
        """The sources that did not answer about the opening, and why."""
        return {
            name: found.facts.reason
            for name, found in self.opening.items()
            if isinstance(found.facts, Missing)
        }
