"""Compare-and-set: whether an incident is still as somebody saw it who decided something."""

from __future__ import annotations

from app.core.incidents import Incident
from app.errors import Obstacle, RevisionConflict


def check_revision(incident: Incident, decided_on: int | None) -> None:
    """Raise RevisionConflict if it was decided on another revision than the present one."""
    if decided_on is not None and decided_on != incident.revision:
        raise RevisionConflict(
            f"Incident {incident.id} is at revision {incident.revision}, not "
            f"{decided_on}: read it again and decide anew.",
            Obstacle.CHANGED_MEANWHILE,
            at=incident.updated_at,
        )
