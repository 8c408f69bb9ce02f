"""Compare-and-set over HTTP: the revision of an incident that somebody decided on."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header, HTTPException

IfMatch = Annotated[str | None, Header(alias="If-Match", description="The revision decided on.")]


def decided_on(given: int | None, if_match: str | None) -> int | None:
    """The revision in `If-Match`, else the one given in the body; None if neither names one."""
    if if_match is None or if_match.strip() == "*":
        return given
    found = re.fullmatch(r'(?:W/)?"?(\d{1,18})"?', if_match.strip())
    if found is None:
        raise HTTPException(400, 'If-Match must hold the revision decided on, such as "3".')
    return int(found[1])
