"""What the shell completes an incident's number with: those that are open, with their titles."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from app.commands.client import Query, api
from app.commands.options import settings_with
from app.errors import PlantaoError
from app.notifiers.text import cut, one_line

_SECONDS = 1.0  # somebody has pressed Tab
_MOST = 30
_TITLE = 60


def open_incidents(incomplete: str) -> list[tuple[str, str]]:
    """Number and title of each that fits; nothing where the service does not answer at once."""
    query: Query = {"status": ["triggered", "acknowledged"], "limit": _MOST}
    with suppress(PlantaoError):
        page = api(settings_with(), None, None, seconds=_SECONDS).get(
            "/incidents", query, holding="items"
        )
        found = ((str(each["id"]), each["title"]) for each in page["items"])
        return [(n, cut(one_line(title), _TITLE)) for n, title in found if n.startswith(incomplete)]
    return []


Incident = Annotated[
    int,
    typer.Argument(min=1, metavar="NUMBER", show_default=False, autocompletion=open_incidents),
]
