"""Incidents, timelines and receipts as JSON: times in RFC 3339 and UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.core.incidents import Entry, Incident
from app.core.notices import Links
from app.core.postings import Posting
from app.core.transitions import AlertState
from app.store.receipts import Receipt


def incident_json(
    incident: Incident, alerts: Sequence[AlertState], postings: Sequence[Posting], links: Links
) -> dict[str, Any]:
    """An incident as `GET /incidents` shows it."""
    open_ = incident.open
    return {
        "id": incident.id,
        "title": incident.title,
        "status": incident.status,
        "severity": incident.severity,
        "receiver": incident.receiver,
        "receivers": incident.receivers,
        "opened_at": rfc3339(incident.opened_at),
        "acknowledged_at": rfc3339(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "resolved_at": None if open_ else rfc3339(incident.resolved_at),
        "resolved_by": None if open_ else incident.resolved_by,
        "resolution": None if open_ else incident.ending,
        "updated_at": rfc3339(incident.updated_at),
        "revision": incident.revision,
        "labels": incident.labels,
        "annotations": incident.annotations,
        "group_labels": incident.group_labels,
        "alerts": [alert_json(state) for state in alerts],
        "alert_counts": {"firing": incident.firing, "resolved": incident.resolved},
        "runbook_url": links.runbook,
        "links": {"graph": links.graph, "dashboard": links.dashboard, "self": links.incident},
        "context": {},
        "changes": [],
        "model": None,
        "occurrences": incident.occurrences,
        "reopened": incident.reopened,
        "truncated": incident.truncated,
        "hidden_alerts": incident.hidden,
        "unconfirmed": incident.unconfirmed,
        "postings": [posting_json(posting) for posting in postings],
    }


def alert_json(state: AlertState) -> dict[str, Any]:
    """One alert of an incident. `unconfirmed` marks a firing that may be a late repeat."""
    alert = state.alert
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": rfc3339(alert.starts_at),
        "ends_at": rfc3339(alert.ends_at),
        "value": None,
        "generator_url": alert.generator_url,
        "unconfirmed": state.unconfirmed,
        "resolution": None if alert.firing else state.ending,
    }


def posting_json(posting: Posting) -> dict[str, Any]:
    """One posting; `reference` is the destination's own name for the message."""
    return {
        "id": posting.id,
        "destination": str(posting.destination),
        "receiver": posting.receiver,
        "state": posting.state,
        "reference": posting.root,
        "shown_revision": posting.shown_revision,
        "attempts": posting.attempts,
        "last_error": posting.last_error,
        "first_shown_at": rfc3339(posting.first_shown_at),
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One line of a timeline."""
    return {
        "number": entry.number,
        "kind": entry.kind,
        "at": rfc3339(entry.at),
        "actor": entry.actor,
        "data": entry.data,
    }


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """One receipt, without its body."""
    return {
        "receipt": receipt.id,
        "state": receipt.state,
        "received_at": rfc3339(receipt.received_at),
        "applied_at": rfc3339(receipt.applied_at),
        "receiver": receipt.receiver,
        "problem": receipt.problem,
        "size": receipt.size,
        "headers": receipt.headers,
    }


def rfc3339(at: datetime | None) -> str | None:
    """A UTC time as people and programs write it, with a Z."""
    return at.isoformat().replace("+00:00", "Z") if at else None
