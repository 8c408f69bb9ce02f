"""Incidents: one episode of related alerts, and the account of what happened in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.core.alerts import NO_SEVERITY, Labels
from app.core.context import Context, Finding
from app.core.person import Person
from app.core.transitions import AlertState, Ending


class Status(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class EntryKind(StrEnum):
    """The kinds of timeline entry."""

    OPENED = "opened"
    ALERTS_FIRING = "alerts_firing"
    ALERTS_RESOLVED = "alerts_resolved"
    ALERTS_VANISHED = "alerts_no_longer_reported"
    UNCONFIRMED = "unconfirmed"
    DISMISSED = "dismissed"
    REOPENED = "reopened"
    TRUNCATED = "truncated"
    RESOLVED = "resolved"
    NO_LONGER_REPORTED = "no_longer_reported"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    ASSIGNED = "assigned"
    NOTE = "note"
    NOTE_EDITED = "note_edited"
    NOTE_REMOVED = "note_removed"
    REPLIES_MUTED = "replies_muted"
    REPLIES_UNMUTED = "replies_unmuted"
    DELIVERY = "delivery"
    CHANGE = "change"
    SILENCED = "silenced"
    SILENCE_FOUND = "silence_found"
    SILENCE_CHANGED = "silence_changed"
    SILENCE_EXPIRING = "silence_expiring"
    SILENCE_ENDED = "silence_ended"
    SILENCE_DELAYED = "silence_delayed"
    SILENCE_NOT_MADE = "silence_not_made"


#: What people should notice: each becomes a reply in the thread, in order.
NOTEWORTHY = frozenset(
    {
        EntryKind.ALERTS_FIRING,
        EntryKind.ALERTS_RESOLVED,
        EntryKind.ALERTS_VANISHED,
        EntryKind.REOPENED,
        EntryKind.RESOLVED,
        EntryKind.NO_LONGER_REPORTED,
        EntryKind.NOTE,
        EntryKind.NOTE_EDITED,
        EntryKind.NOTE_REMOVED,
        EntryKind.SILENCED,
        EntryKind.SILENCE_FOUND,
        EntryKind.SILENCE_CHANGED,
        EntryKind.SILENCE_EXPIRING,
        EntryKind.SILENCE_ENDED,
        EntryKind.SILENCE_DELAYED,
        EntryKind.SILENCE_NOT_MADE,
    }
)

ALERTMANAGER = "alertmanager"
OURSELVES = "plantao"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `at` is in UTC; `number` is 0 until it is stored.

    `actor` is a name to read, `actor_ref` who that is (as in Person), where it is known.
    `data` holds plain JSON values only.
    """

    kind: EntryKind
    at: datetime
    actor: str
    data: Mapping[str, object] = field(default_factory=dict)
    number: int = 0
    actor_ref: str = ""

    @staticmethod
    def of(
        kind: EntryKind, by: Person, at: datetime, data: Mapping[str, object] | None = None
    ) -> Entry:
        """What a person did."""
        return Entry(kind, at, by.name, data or {}, actor_ref=by.ref)

    def text(self, key: str) -> str:
        """What `data` holds there, if it is text; else nothing."""
        value = self.data.get(key)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something written down about an incident, as its entries leave it. Times are in UTC.

    `number` counts an incident's notes from 1. `source` names where it was first written, if
    that was elsewhere; `link` leads there, `thread` is the root it stands below. A note that
    was removed is remembered as that.
    """

    number: int
    author: str
    at: datetime
    text: str
    source: str = ""
    link: str = ""
    thread: str = ""
    edited_at: datetime | None = None
    removed_at: datetime | None = None
    removed_by: str | None = None


@dataclass(frozen=True)  # without slots: `copying.replace` is for it
class Incident:
    """Our record of one episode. Times are in UTC; `id` is 0 until it is stored.

    `alerts` holds at least the alerts that the event at hand names: the counts, not the
    mapping, speak for the whole incident, so that one of 5,000 alerts costs no more than
    one of one. `labels` and `annotations` are those that all its alerts share. `severity`
    is the worst it has had. `revision` grows with every change that people decide on.
    `doubtful` counts firing alerts that are unconfirmed, `hidden` those that the last
    notification of `hidden_group` had cut off. What is known of the last ending and
    acknowledgement is kept while a reopening is doubted, so that a dismissed doubt
    leaves no trace. Who did something is there as a name and, as `…_ref`, as who that is.
    `model` and `model_version` are what was serving when it opened. `context` and `notes`
    (by number), like `alerts`, are only loaded where they matter.
    """

    key: str
    receivers: tuple[str, ...]
    opened_at: datetime
    updated_at: datetime
    id: int = 0
    status: Status = Status.TRIGGERED
    severity: str = NO_SEVERITY
    title: str = ""
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    group_labels: Labels = field(default_factory=dict)
    group_key: str = ""
    external_url: str = ""
    firing: int = 0
    resolved: int = 0
    doubtful: int = 0
    hidden: int = 0
    hidden_group: str = ""
    truncated: bool = False
    occurrences: int = 0
    reopened: int = 0
    revision: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_ref: str | None = None
    assigned_at: datetime | None = None
    assigned_to: str | None = None
    assigned_ref: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolved_ref: str | None = None
    ending: Ending | None = None
    replies_muted_at: datetime | None = None
    replies_muted_by: str | None = None
    model: str | None = None
    model_version: str | None = None
    context: Context = field(default_factory=Context)
    alerts: Mapping[str, AlertState] = field(default_factory=dict)
    notes: Mapping[int, Note] = field(default_factory=dict)

    @property
    def component(self) -> str:
        """The pipeline's component it is about, "" where its alerts do not share one."""
        return self.labels.get("component", "")

    @property
    def receiver(self) -> str:
        return self.receivers[0]

    @property
    def acknowledger(self) -> Person | None:
        return Person.known(self.acknowledged_by, self.acknowledged_ref)

    @property
    def assignee(self) -> Person | None:
        """Whose it is; it can be somebody else than who acknowledged it."""
        return Person.known(self.assigned_to, self.assigned_ref)

    @property
    def resolver(self) -> Person | None:
        return Person.known(self.resolved_by, self.resolved_ref)

    @property
    def open(self) -> bool:
        return self.status is not Status.RESOLVED

    @property
    def reopening_doubted(self) -> bool:
        """Whether it is only open because of a late repeat that may not be real."""
        return self.open and self.ending is not None

    @property
    def unconfirmed(self) -> bool:
        """Whether it is open on nothing but doubt: a late repeat, or alerts cut off unseen."""
        return self.open and self.doubtful == self.firing

    @property
    def total(self) -> int:
        return self.firing + self.resolved


@dataclass(frozen=True, slots=True)
class Decision:
    """What an event made of an incident: None where there is still nothing to record.

    `states` are the alerts to save, `findings` the context. `changed` says whether people
    can see a difference.
    """

    incident: Incident | None
    entries: tuple[Entry, ...] = ()
    states: tuple[AlertState, ...] = ()
    findings: tuple[Finding, ...] = ()
    changed: bool = False


_NAMELESS = "Alert without a name"
_SUMMARY_KEYS = ("summary", "message", "title", "description")
_TITLE_LENGTH = 200


def title(labels: Labels, annotations: Labels, group_labels: Labels) -> str:
    """One line that says what is wrong: the alert's name and its summary, or what sets it apart."""
    name = labels.get("alertname") or group_labels.get("alertname") or _NAMELESS
    summary = next((annotations[key] for key in _SUMMARY_KEYS if annotations.get(key)), "")
    if summary:
        text = f"{name}: {summary.strip().splitlines()[0] if summary.strip() else ''}"
    else:
        text = " ".join([name, *_distinguishing(group_labels or labels)])
    return text if len(text) <= _TITLE_LENGTH else text[: _TITLE_LENGTH - 1] + "…"


def _distinguishing(labels: Labels) -> Iterable[str]:
    skipped = {"alertname", "severity"}
    return (f"{name}={value}" for name, value in sorted(labels.items()) if name not in skipped)
