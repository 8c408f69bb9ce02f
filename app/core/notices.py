"""What an incident says, free of any transport and of any language: facts, in order of weight.

A notifier turns a Notice into its own form; `app/notifiers/wording.py` holds the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit

from app.core.alerts import Labels
from app.core.boards import board
from app.core.context import Context
from app.core.facts import Related
from app.core.incidents import Entry, Incident, Status
from app.core.silences import Silence
from app.core.transitions import AlertState, Ending

#: More alerts than this are counted, not listed: the incident's page has them all.
LISTED = 10


class Look(StrEnum):
    """The state that colour and headline follow."""

    TRIGGERED = "triggered"
    UNCONFIRMED = "unconfirmed"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    NO_LONGER_REPORTED = "no longer reported"


@dataclass(frozen=True, slots=True)
class Links:
    """Where to go from a message. Only http and https; None where there is nothing safe.

    `incident` is its page in the console, `record` the same for programs.
    """

    incident: str | None = None
    record: str | None = None
    runbook: str | None = None
    graph: str | None = None
    dashboard: str | None = None
    alertmanager: str | None = None
    postmortem: str | None = None

    def beside(self, number: int) -> str | None:
        """The page of another incident."""
        page, slash, _ = (self.incident or "").rpartition("/")
        return f"{page}/{number}" if slash else None


@dataclass(frozen=True, slots=True)
class Notice:
    """One incident as a message shows it, at one revision.

    `alerts` are the first few, firing before resolved; the counts in `incident` speak for
    all. `alerts_named` holds those that `entries` mention, by fingerprint. `entries` is the
    timeline as far as it is to be told. `context` is what the sources said, `related` the
    open incidents up and down the pipeline now, `first_steps` those of the repository's own
    runbook, `silences` all that it had. Text in it is untrusted: escape it for where it goes.
    """

    incident: Incident
    alerts: Sequence[AlertState] = ()
    entries: Sequence[Entry] = ()
    alerts_named: Mapping[str, AlertState] = field(default_factory=dict)
    links: Links = field(default_factory=Links)
    context: Context = field(default_factory=Context)
    related: Related = field(default_factory=Related)
    first_steps: Sequence[str] = ()
    silences: Sequence[Silence] = ()

    @property
    def look(self) -> Look:
        return look(self.incident)

    @property
    def since(self) -> datetime:
        """When the oldest listed alert began to fire, in UTC; else when we opened it."""
        starts = [state.alert.starts_at for state in self.alerts]
        return min([*starts, self.incident.opened_at])

    @property
    def summary(self) -> str:
        """The description that all alerts share, else the first alert's, else nothing."""
        for notes in self._annotations():
            for key in ("summary", "message", "description"):
                if notes.get(key, "").strip():
                    return notes[key].strip()
        return ""

    def _annotations(self) -> Sequence[Labels]:
        first = [state.alert.annotations for state in self.alerts[:1]]
        return [self.incident.annotations, *first]


def look(incident: Incident) -> Look:
    """The state that colour and headline follow, in the order people must notice it."""
    if incident.status is Status.RESOLVED:
        vanished = incident.ending is Ending.NO_LONGER_REPORTED
        return Look.NO_LONGER_REPORTED if vanished else Look.RESOLVED
    if incident.unconfirmed:
        return Look.UNCONFIRMED
    return Look.ACKNOWLEDGED if incident.status is Status.ACKNOWLEDGED else Look.TRIGGERED


def distinct(labels: Labels, common: Labels) -> dict[str, str]:
    """What sets one alert apart from the others of its incident."""
    return {name: value for name, value in sorted(labels.items()) if name not in common}


def safe_link(url: str | None) -> str | None:
    """The URL if it is http or https with a host, else None: `javascript:` and its like are not.

    Blanks and control characters are refused, since they end a link early in some places.
    """
    if not url or any(c <= " " or c in '<>"\x7f' or c.isspace() for c in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and host else None


def links(
    incident: Incident,
    alerts: Sequence[AlertState],
    *,
    public_url: str,
    runbook_base: str | None,
    own_runbook: bool = False,
    grafana_url: str | None = None,
) -> Links:
    """Where a message about this incident leads.

    The runbook is the `runbook_url` annotation, else `runbook_base` and the alert's name,
    else our own page, if there is one (`own_runbook`). The dashboard is the `dashboard_url` or
    `dashboard` annotation, else the component's board at `grafana_url`.
    """
    first = alerts[0].alert if alerts else None
    notes = {**(first.annotations if first else {}), **incident.annotations}
    record = f"{public_url}/incidents/{incident.id}"
    return Links(
        incident=page(public_url, incident.id),
        record=record,
        runbook=safe_link(notes.get("runbook_url"))
        or _runbook(incident, runbook_base)
        or (_runbook(incident, f"{public_url}/runbooks") if own_runbook else None),
        graph=safe_link(first.generator_url) if first else None,
        dashboard=safe_link(notes.get("dashboard_url") or notes.get("dashboard"))
        or (board(incident, grafana_url) if grafana_url else None),
        alertmanager=safe_link(incident.external_url),
        postmortem=f"{record}/postmortem",
    )


def page(public_url: str, number: int) -> str:
    """An incident's page in the console."""
    return f"{public_url}/console/incidents/{number}"


def _runbook(incident: Incident, base: str | None) -> str | None:
    name = incident.labels.get("alertname")
    return safe_link(f"{base.rstrip('/')}/{quote(name, safe='')}") if base and name else None
