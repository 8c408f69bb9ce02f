"""What leaves the service is masked here, and what was masked is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from app.core.privacy import NAMES, Masks
from app.telemetry import MASKED

T = TypeVar("T")

for _name in NAMES:
    MASKED.labels(_name)


@dataclass(frozen=True, slots=True)
class Privacy:
    """Whether personal data and secrets are masked, and what stays: see `Masks`.

    Everything that people or programs are shown of incidents and changes passes `masked` once,
    on its way from the database: see `Outlook`.
    """

    on: bool = True
    keep: frozenset[str] = frozenset()

    def masked(self, shown: T) -> T:
        """A copy of anything that is about to be shown, with all texts in it masked."""
        return _counted(shown, self.keep) if self.on else shown


def hide(text: str) -> str:
    """A text for the log, which no configuration may make tell more."""
    return _counted(text, frozenset())


def _counted(shown: T, keep: frozenset[str]) -> T:
    masks = Masks(keep)
    masked = masks.of(shown)
    for name, number in masks.counts.items():
        MASKED.labels(name).inc(number)
    return masked
