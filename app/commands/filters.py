"""The filters of the log as options: the same for `list` and `watch`, with the API's names."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from inspect import signature
from typing import Annotated, Any

import typer

from app.commands.client import Query


class Status(StrEnum):
    """An incident's, as the API calls them."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Sort(StrEnum):
    """The order of a list; with `-` the newest, or the mildest, first."""

    NEWEST = "-opened_at"
    OLDEST = "opened_at"
    UPDATED = "-updated_at"
    UPDATED_LONG_AGO = "updated_at"
    WORST = "severity"
    MILDEST = "-severity"


def _filter(what: str, metavar: str | None = "NAME") -> Any:
    return typer.Option(help=f"{what} Can be repeated.", show_default=False, metavar=metavar)


def _one(what: str, metavar: str) -> Any:
    return typer.Option(help=what, show_default=False, metavar=metavar)


Names = list[str] | None


def _filters(
    *,
    status: Annotated[
        list[Status] | None, _filter("Only with this status.", f"[{'|'.join(Status)}]")
    ] = None,
    severity: Annotated[Names, _filter("Only with this severity.")] = None,
    receiver: Annotated[Names, _filter("Only of this receiver.")] = None,
    alertname: Annotated[Names, _filter("Only of this alert.")] = None,
    component: Annotated[Names, _filter("Only of this component.")] = None,
    model: Annotated[Names, _filter("Only while this model was serving.")] = None,
    model_version: Annotated[
        Names, _filter("Only while this version was serving.", "VERSION")
    ] = None,
    matcher: Annotated[
        Names, _filter("Only with an alert that fits, in Alertmanager's syntax.", "MATCHER")
    ] = None,
    opened_after: Annotated[
        str | None, _one("Only opened after that: RFC 3339, or 2h.", "TIME")
    ] = None,
    opened_before: Annotated[
        str | None, _one("Only opened before that: RFC 3339, or 2h.", "TIME")
    ] = None,
    q: Annotated[
        str | None, _one("Only with these words in title, labels, annotations or notes.", "TEXT")
    ] = None,
) -> None:
    """Its parameters are the options."""


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every filter as an option before its own; it is given them as `query`."""
    filters = signature(_filters, eval_str=True).parameters
    own = signature(command, eval_str=True)
    others = [each for name, each in own.parameters.items() if name != "query"]

    @wraps(command)
    def with_filters(**given: Any) -> None:
        query: Query = {name: given.pop(name) for name in filters}
        command(query=query, **given)

    joined = own.replace(parameters=[*filters.values(), *others])
    with_filters.__signature__ = joined  # type: ignore[attr-defined]
    return with_filters
