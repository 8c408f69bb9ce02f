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
    by: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    by: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ResolvedByPerson:
    """A person ends the incident. What still fires is only ended with `force`."""

    by: str
    force: bool = False
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class NoteAdded:
    by: str
    text: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryChanged:
    """Something about showing the incident that people should find in its timeline."""

    destination: str
    what: str


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


PersonEvent: TypeAlias = Acknowledged | Unacknowledged | ResolvedByPerson | NoteAdded
AlertEvent: TypeAlias = (
    AlertsReported | AlertsConfirmed | AlertsVanished | HiddenSettled | EndingDoubted
)
Event: TypeAlias = AlertEvent | PersonEvent | DeliveryChanged | ContextFound | ChangeLanded
