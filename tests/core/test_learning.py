"""What context does to an incident that goes on meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.core.context import Finding, Moment
from app.core.decide import decide
from app.core.events import ContextFound
from app.core.facts import Missing
from app.core.incidents import Incident

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def test_what_is_found_after_the_next_change_does_not_turn_its_time_back() -> None:
    changed = NOW + timedelta(microseconds=1)
    incident = Incident(key="k", receivers=("oncall",), opened_at=NOW, updated_at=changed)
    found = ContextFound(Finding("registry", Moment.OPENING, NOW, Missing("no answer")))
    for now, shown in ((NOW, changed), (LATER, LATER)):
        decided = decide(incident, found, now=now).incident
        assert decided is not None
        assert decided.updated_at == shown
