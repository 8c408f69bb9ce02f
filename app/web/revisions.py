"""Compare-and-set over HTTP: the revision of an incident that somebody decided on."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header, HTTPException

from app.errors import Obstacle, RevisionConflict

IfMatch = Annotated[str | None, Header(alias="If-Match", description="The revision decided on.")]


def decided_on(given: int | None, if_match: str | None) -> int | None:
    """The revision in `If-Match`, or `given` with the request; None if neither names one.

    Raises RevisionConflict where they name two: of these at most one can be the present one.
    """
    if if_match is None or if_match.strip() == "*":
        return given
    found = re.fullmatch(r'(?:W/)?"?(\d{1,18})"?', if_match.strip())
    if found is None:
        raise HTTPException(400, 'If-Match must hold the revision decided on, such as "3".')
    revision = int(found[1])
    if given is not None and given != revision:
        raise RevisionConflict(
            f"If-Match says revision {revision}, and `revision` says {given}: read the incident "
            "again and decide anew, on one of them.",
            Obstacle.CHANGED_MEANWHILE,
        )
    return revision
