"""Pages of incidents as people and programs read them: JSON, a line for each, or a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic_core import to_json

from app.core.context import Context
from app.core.facts import Related
from app.engine.outlook import Outlook
from app.store import contexts, postings, queries, silences
from app.store.database import Transaction
from app.store.queries import Page, Search
from app.web.views import Shown, incident_json

LISTED_ALERTS = 100
EXPORTED = 500
"""Incidents read at once where all are asked for."""

Listed: TypeAlias = tuple[list[dict[str, Any]], Page]
"""A page's incidents as JSON, and the page itself."""

_FROM_CONTEXT = {"context", "changes", "model", "alerts"}
_FROM_ALERTS = {"alerts", "links", "runbook_url"}
#: The columns of a table if no fields are named.
TABLE = (
    *("id", "title", "status", "severity", "receiver", "opened_at", "acknowledged_at"),
    *("acknowledged_by", "assigned_to", "resolved_at", "resolved_by", "resolution", "updated_at"),
    *("revision", "alert_counts", "occurrences", "reopened", "labels", "annotations"),
)
#: Spreadsheets take these for formulas.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def listed(tx: Transaction, search: Search, outlook: Outlook, wanted: Sequence[str] = ()) -> Listed:
    """A page of a search, as JSON with the fields wanted (none: all), and the page itself."""
    page = queries.page(tx, search)
    made = [incident_json(each) for each in shown(tx, page, outlook, set(wanted))]
    if wanted:
        made = [{name: each[name] for name in wanted} for each in made]
    return made, page


def items(
    tx: Transaction, search: Search, outlook: Outlook, wanted: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """A page of a search, as JSON with the fields wanted."""
    return listed(tx, search, outlook, wanted)[0]


def shown(tx: Transaction, page: Page, outlook: Outlook, wanted: set[str]) -> list[Shown]:
    """All that the fields wanted are made of, and no more."""
    numbers = [incident.id for incident in page.incidents]

    def need(names: set[str]) -> list[int]:
        return numbers if not wanted or wanted & names else []

    alerts = queries.first_alerts(tx, need(_FROM_ALERTS), limit=LISTED_ALERTS)
    context = contexts.of_incidents(tx, need(_FROM_CONTEXT))
    shown_at = postings.of_incidents(tx, need({"postings"}))
    silenced = silences.of_incidents(tx, need({"silences"}))
    near = not wanted or "context" in wanted
    return outlook.masked(
        [
            Shown(
                each,
                alerts.get(each.id, ()),
                shown_at.get(each.id, ()),
                context.get(each.id, Context()),
                outlook.related(tx, each) if near else Related(),
                outlook.links(each, alerts.get(each.id, ())),
                silenced.get(each.id, ()),
            )
            for each in page.incidents
        ]
    )


def as_lines(items: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object to a line (NDJSON)."""
    return b"".join(to_json(item) + b"\n" for item in items)


def as_table(
    items: Sequence[Mapping[str, Any]], columns: Sequence[str], *, header: bool = True
) -> bytes:
    """Comma-separated values (RFC 4180) in UTF-8; what is not plain is JSON in its cell."""
    table = io.StringIO()
    writer = csv.writer(table)
    if header:
        writer.writerow(columns)
    for item in items:
        writer.writerow([_cell(item[name]) for name in columns])
    return table.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else to_json(value).decode()
    # A quote in front makes it text. Numbers of ours are never negative.
    return f"'{text}" if text.startswith(_FORMULA) else text
