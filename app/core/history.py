"""What earlier incidents of the same kind teach: how often, how long, who had to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from app.core.facts import Earlier


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier incident. `acted` says whether a person acknowledged or resolved it.

    `note` is its newest note. Times are in UTC.
    """

    id: int
    opened_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acted: bool
    note: str = ""
    note_by: str = ""


def summarise(past: Sequence[Past], *, days: int) -> Earlier:
    """The lesson of these incidents, the newest of which comes first."""
    lasted = [each.resolved_at - each.opened_at for each in past if each.resolved_at]
    waited = [each.acknowledged_at - each.opened_at for each in past if each.acknowledged_at]
    noted = next((each for each in past if each.note), None)
    newest = past[0] if past else None
    return Earlier(
        count=len(past),
        days=days,
        lasted=_median(lasted),
        acknowledged_after=_median(waited),
        by_itself=sum(each.resolved_at is not None and not each.acted for each in past),
        last_incident=newest.id if newest else None,
        last_opened_at=newest.opened_at if newest else None,
        last_note=noted.note if noted else "",
        last_note_by=noted.note_by if noted else "",
        noted_incident=noted.id if noted else None,
    )


def _median(values: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(v.total_seconds() for v in values)) if values else None
