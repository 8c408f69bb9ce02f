"""Incidents, timelines and receipts as JSON: times in RFC 3339 and UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from pydantic_core import to_jsonable_python

from app.core.context import Context, Finding
from app.core.facts import Change, Changed, Measured, Related, Served, value_of
from app.core.incidents import Entry, Incident, Note
from app.core.notices import Links, safe_link
from app.core.postings import Posting
from app.core.silences import Silence
from app.core.transitions import AlertState
from app.store.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Shown:
    """All that an incident's JSON is made of. A page of many does without their notes."""

    incident: Incident
    alerts: Sequence[AlertState]
    postings: Sequence[Posting]
    context: Context
    related: Related
    links: Links
    silences: Sequence[Silence] = ()
    notes: Sequence[Note] | None = None


#: Of the items of `GET /incidents`, in their order.
INCIDENT_FIELDS = (
    *("id", "title", "status", "severity", "receiver", "receivers", "opened_at"),
    *("acknowledged_at", "acknowledged_by", "assigned_at", "assigned_to", "resolved_at"),
    *("resolved_by", "resolution", "replies_muted_at", "replies_muted_by", "updated_at"),
    *("revision", "labels", "annotations", "group_labels", "alerts", "alert_counts"),
    *("runbook_url", "links", "context", "changes", "model", "occurrences", "reopened"),
    *("truncated", "hidden_alerts", "unconfirmed", "silences", "postings"),
)


def incident_json(shown: Shown) -> dict[str, Any]:
    """An incident as `GET /incidents` shows it."""
    incident, links = shown.incident, shown.links
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
        "assigned_at": rfc3339(incident.assigned_at),
        "assigned_to": incident.assigned_to,
        "resolved_at": None if open_ else rfc3339(incident.resolved_at),
        "resolved_by": None if open_ else incident.resolved_by,
        "resolution": None if open_ else incident.ending,
        "replies_muted_at": rfc3339(incident.replies_muted_at),
        "replies_muted_by": incident.replies_muted_by,
        "updated_at": rfc3339(incident.updated_at),
        "revision": incident.revision,
        "labels": incident.labels,
        "annotations": incident.annotations,
        "group_labels": incident.group_labels,
        "alerts": _alerts(shown),
        "alert_counts": {"firing": incident.firing, "resolved": incident.resolved},
        "runbook_url": links.runbook,
        "links": {
            "graph": links.graph,
            "dashboard": links.dashboard,
            "self": links.record,
            "console": links.incident,
            "postmortem": links.postmortem,
        },
        "context": context_json(shown.context, shown.related),
        "changes": [change_json(change) for change in _changes(shown.context)],
        "model": model_json(shown.context),
        "occurrences": incident.occurrences,
        "reopened": incident.reopened,
        "truncated": incident.truncated,
        "hidden_alerts": incident.hidden,
        "unconfirmed": incident.unconfirmed,
        "silences": [silence_json(silence) for silence in shown.silences],
        "postings": [posting_json(posting) for posting in shown.postings],
        **_notes(shown.notes),
    }


def _notes(notes: Sequence[Note] | None) -> dict[str, Any]:
    if notes is None:
        return {}
    return {"notes": [note_json(note) for note in notes if note.removed_at is None]}


def note_json(note: Note) -> dict[str, Any]:
    """One note. `by` wrote it, `link` leads to where, if that was elsewhere."""
    return {
        "id": note.number,
        "by": note.author,
        "at": rfc3339(note.at),
        "text": None if note.removed_at else note.text,
        "link": safe_link(note.link),
        "edited_at": rfc3339(note.edited_at),
        "removed_at": rfc3339(note.removed_at),
        "removed_by": note.removed_by,
    }


def context_json(context: Context, related: Related) -> dict[str, Any]:
    """What each source said of the opening, what is newer beside it, and what is missing."""
    return {
        "opening": {name: _finding(found) for name, found in context.opening.items()},
        "latest": {name: _finding(found) for name, found in context.latest.items()},
        "missing": [{"source": name, "reason": why} for name, why in context.missing.items()],
        "upstream": [asdict(each) for each in related.upstream],
        "downstream": [asdict(each) for each in related.downstream],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    facts = to_jsonable_python(finding.facts, timedelta_mode="float", inf_nan_mode="null")
    return {"at": rfc3339(finding.at), **facts}


def _changes(context: Context) -> Sequence[Change]:
    changed = context.facts(Changed)
    return changed.changes if changed else ()


def change_json(change: Change) -> dict[str, Any]:
    """Something that was changed in the pipeline."""
    times = {"at": rfc3339(change.at), "not_before": rfc3339(change.not_before)}
    return asdict(change) | times


def model_json(context: Context) -> dict[str, Any] | None:
    """The model version that was serving when the incident opened."""
    served = context.facts(Served)
    if served is None:
        return None
    current = served.current
    return {
        "name": served.name,
        "version": current.version,
        "alias": served.alias,
        "run_id": current.run_id,
        "witness": served.witness,
        "since": rfc3339(served.since),
        "previous_version": served.previous.version if served.previous else None,
        "challenger_version": served.challenger.version if served.challenger else None,
        "metrics": current.metrics,
        "link": current.link or served.link,
    }


def _alerts(shown: Shown) -> list[dict[str, Any]]:
    measured = shown.context.newest(Measured)
    return [
        alert_json(state, value_of(state.alert, measured, shown.incident.total))
        for state in shown.alerts
    ]


def alert_json(state: AlertState, value: float | None = None) -> dict[str, Any]:
    """One alert of an incident. `unconfirmed` marks a firing that may be a late repeat; `value`
    is what was measured for it last, null where nobody knows."""
    alert = state.alert
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": rfc3339(alert.starts_at),
        "ends_at": rfc3339(alert.ends_at),
        "value": value if value is not None and isfinite(value) else None,
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
        "stands_in_for": posting.stands_in_for,
        "reference": posting.root,
        "shown_revision": posting.shown_revision,
        "attempts": posting.attempts,
        "last_error": posting.last_error,
        "first_shown_at": rfc3339(posting.first_shown_at),
    }


def silence_json(silence: Silence) -> dict[str, Any]:
    """One silence; `silence_id` is Alertmanager's own id, null until it has it."""
    return {
        "id": silence.id,
        "silence_id": silence.reference,
        "state": "waiting" if silence.waits else silence.state,
        "by": silence.by,
        "comment": silence.comment,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": rfc3339(silence.starts_at),
        "ends_at": rfc3339(silence.ends_at),
        "ended_at": rfc3339(silence.ended_at),
        "ended_by": silence.ended_by,
        "muted": silence.muted,
        "made_here": silence.here,
        "unknown_since": rfc3339(silence.unknown_since),
        "problem": silence.problem,
        "link": silence.link or None,
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
