"""Grafana's board for an incident: that of its component, at the incident's time."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core.incidents import Incident

#: Which of `grafana/dashboards` shows what; the components are those of `prometheus/alert.rules`.
BOARDS = {
    "kafka": "ingestion",
    "spark": "processing",
    "delta": "storage",
    "training": "training",
    "serving": "serving",
    "model": "quality",
    "monitoring": "service",
    "plantao": "service",
}
OVERVIEW = "overview"
"""For every other component."""

_BEFORE = timedelta(hours=1)
_AFTER = timedelta(minutes=15)


def board(incident: Incident, grafana_url: str) -> str:
    """The address of the board, from an hour before the incident until now, or shortly after
    its end."""
    name = BOARDS.get(incident.component, OVERVIEW)
    start = _milliseconds(incident.opened_at - _BEFORE)
    end = _milliseconds(incident.resolved_at + _AFTER) if incident.resolved_at else "now"
    return f"{grafana_url}/d/pix-fraud-{name}?from={start}&to={end}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
