"""The filters of the log as options: the same for `list` and `watch`, with the API's names."""

from __future__ import annotations

from enum import StrEnum
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

Statuses = Annotated[
    list[Status] | None, _filter("Only with this status.", f"[{'|'.join(Status)}]")
]
Severities = Annotated[Names, _filter("Only with this severity.")]
Receivers = Annotated[Names, _filter("Only of this receiver.")]
Alertnames = Annotated[Names, _filter("Only of this alert.")]
Components = Annotated[Names, _filter("Only of this component.")]
Models = Annotated[Names, _filter("Only while this model was serving.")]
ModelVersions = Annotated[Names, _filter("Only while this version was serving.", "VERSION")]
Matchers = Annotated[
    Names, _filter("Only with an alert that fits, in Alertmanager's syntax.", "MATCHER")
]
OpenedAfter = Annotated[str | None, _one("Only opened after that: RFC 3339, or 2h.", "TIME")]
OpenedBefore = Annotated[str | None, _one("Only opened before that: RFC 3339, or 2h.", "TIME")]
Words = Annotated[
    str | None, _one("Only with these words in title, labels, annotations or notes.", "TEXT")
]


def filters(
    *,
    status: list[Status] | None,
    severity: Names,
    receiver: Names,
    alertname: Names,
    component: Names,
    model: Names,
    model_version: Names,
    matcher: Names,
    opened_after: str | None,
    opened_before: str | None,
    q: str | None,
) -> Query:
    """What the API is asked with."""
    return {
        "status": status,
        "severity": severity,
        "receiver": receiver,
        "alertname": alertname,
        "component": component,
        "model": model,
        "model_version": model_version,
        "matcher": matcher,
        "opened_after": opened_after,
        "opened_before": opened_before,
        "q": q,
    }
