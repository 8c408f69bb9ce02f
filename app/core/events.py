"""Everything that can happen to an incident: a closed union, matched exhaustively."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from app.core.alerts import Alert, Labels
from app.core.context import Finding
from app.core.facts import Change
from app.core.person import Person
from app.core.silence_events import SilenceEvent


class Source(StrEnum):
    """Who reported: Alertmanager by webhook, its API when asked, or Plantão about itself."""

    WEBHOOK = "webhook"
    ASKED = "asked"
    OURSELVES = "plantao"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where reported alerts belong and came from.

    `key` is the correlation key, `receivers` our receivers, the first of them the main one.
    `group_key` and `external_url` are Alertmanager's own, kept for reference and for asking
    back, never as identity: they differ between HA twins and change with the routing tree.
    """

    key: str
    receivers: tuple[str, ...]
    group_labels: Labels = field(default_factory=dict)
    group_key: str = ""
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class AlertsReported:
    """Alerts were reported, firing or resolved; `truncated` more were cut from the list."""

    origin: Origin
    alerts: tuple[Alert, ...]
    truncated: int = 0
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class AlertsConfirmed:
    """Alertmanager lists these alerts as active, each until the given time (UTC).

    `asked` is False when nobody could be asked and the doubt was given up after a while.
    """

    expiries: Mapping[str, datetime | None]
    asked: bool = True


@dataclass(frozen=True, slots=True)
class AlertsVanished:
    """These firing alerts are no longer reported, for the given reason."""

    fingerprints: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class HiddenSettled:
    """Nothing that was cut off is left unknown: Alertmanager was asked for the whole group.

    With a `reason`, nobody could be asked, and too long has passed for it to matter.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndingDoubted:
    """The incident ended, but its end cannot be confirmed, for the given reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person takes it on; it is theirs, if it is nobody's yet."""

    by: Person
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A person hands it back; whoever had acknowledged it no longer owns it either."""

    by: Person
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """A person says whose it is: their own, somebody else's, or nobody's (None)."""

    by: Person
    to: Person | None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ResolvedByPerson:
    """A person ends the incident. What still fires is only ended with `force`."""

    by: Person
    force: bool = False
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class NoteSource:
    """Where a note was first written, if not here: a message in a Slack thread, say.

    `key` names it, once in an incident. `author` wrote it, `at` (UTC); `link` leads there.
    `thread` is the reference of the root it stands below (as in Posting): there it is read
    already, and not told again.
    """

    key: str
    author: str
    at: datetime
    link: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """Something is written down. What has this source already is not written down again,
    unless it was removed."""

    by: Person
    text: str
    source: NoteSource | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class NoteEdited:
    """`note` is its number, or the key of its source where it was edited there."""

    by: Person
    note: int | str
    text: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class NoteRemoved:
    """`note` is its number, or the key of its source where its mark was taken away there."""

    by: Person
    note: int | str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class RepliesMuted:
    """No more replies about this incident, but for its end and a reopening."""

    by: Person
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class RepliesUnmuted:
    by: Person
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryChanged:
    """Something about showing the incident that people should find in its timeline.

    A `destination` failed, with its own `code` for it, and the transport `instead` stands in for
    it from now on; or, with nothing instead, it shows the incident again.
    """

    destination: str
    what: str
    code: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class ContextFound:
    """A source told something about the incident, or gave no answer.

    `late`: what was known of the opening was not all; this is, and takes its place.
    """

    finding: Finding
    late: bool = False


@dataclass(frozen=True, slots=True)
class ChangeLanded:
    """Something near was changed in the pipeline while the incident is open."""

    change: Change


NoteEvent: TypeAlias = NoteAdded | NoteEdited | NoteRemoved
PersonEvent: TypeAlias = (
    Acknowledged
    | Unacknowledged
    | Assigned
    | ResolvedByPerson
    | NoteEvent
    | RepliesMuted
    | RepliesUnmuted
)
AlertEvent: TypeAlias = (
    AlertsReported | AlertsConfirmed | AlertsVanished | HiddenSettled | EndingDoubted
)
Event: TypeAlias = (
    AlertEvent | PersonEvent | SilenceEvent | DeliveryChanged | ContextFound | ChangeLanded
)
