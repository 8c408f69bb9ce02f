"""What every source of context offers. A new source is one new file and its test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.core.alerts import Alert
from app.core.facts import Facts
from app.core.incidents import Incident


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about: an incident, its first alerts (firing before resolved), a moment.

    `at` is when the facts should be true, in UTC: when the incident opened, or now. `within`
    is how long a source may take; what it has by then it should say then.
    """

    incident: Incident
    alerts: Sequence[Alert]
    at: datetime
    within: timedelta = timedelta(seconds=3)


class Enricher(Protocol):
    """One source. `name` is how messages call it when it is missing.

    `refreshes` says that it is asked again while the incident is open: its facts change.
    """

    @property
    def name(self) -> str: ...

    @property
    def refreshes(self) -> bool: ...

    async def find(self, subject: Subject) -> Facts | None:
        """The facts, or None where this source has nothing to say about such an incident.

        Raises NeighbourFailed, with a reason people can read, when it gave no usable answer.
        The caller ends it a little after `subject.within`.
        """
