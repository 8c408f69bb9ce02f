"""What an incident looks like from here: its notice, with links, context and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.core.facts import Neighbour, Related
from app.core.incidents import Entry, Incident
from app.core.notes import folded
from app.core.notices import LISTED, Links, Notice, links
from app.core.replies import coalesce
from app.core.topology import Topology
from app.core.transitions import AlertState
from app.engine.privacy import Privacy
from app.engine.runbooks import Runbooks
from app.store import contexts, incidents, silences
from app.store.database import Transaction

_MOST_RELATED = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the service adds to what an incident says: its address, runbooks, the pipeline;
    and what it leaves out of it: what is shown anywhere was `masked` here, once."""

    public_url: str
    runbook_base: str | None
    grafana_url: str | None
    runbooks: Runbooks
    topology: Topology
    privacy: Privacy

    def notice(self, tx: Transaction, incident: Incident, *, after: int = 0) -> Notice:
        """The notice of an incident, masked, with the timeline after that entry."""
        entries = coalesce(incidents.timeline(tx, incident.id, after=after))
        return self._notice(tx, incident, entries)

    def whole_notice(self, tx: Transaction, incident: Incident) -> Notice:
        """The same with all that happened, one by one: each note once, as it is now."""
        return self._notice(tx, incident, folded(incidents.timeline(tx, incident.id)))

    def _notice(self, tx: Transaction, incident: Incident, entries: Sequence[Entry]) -> Notice:
        alerts = incidents.alerts_of(tx, incident.id, limit=LISTED)
        names = {name for entry in entries for name in _listed(entry.data.get("fingerprints"))}
        notice = Notice(
            incident,
            alerts,
            entries,
            incidents.alerts_named(tx, incident.id, names),
            self.links(incident, alerts),
            contexts.of_incident(tx, incident.id),
            self.related(tx, incident),
            self.runbooks.first_steps(incident.labels.get("alertname", "")),
            silences.of_incident(tx, incident.id),
        )
        return self.masked(notice)

    def masked(self, shown: T) -> T:
        """Anything that is about to be shown, as the configuration lets it be shown."""
        return self.privacy.masked(shown)

    def links(self, incident: Incident, alerts: Sequence[AlertState]) -> Links:
        """Where a message about this incident leads."""
        return links(
            incident,
            alerts,
            public_url=self.public_url,
            runbook_base=self.runbook_base,
            own_runbook=incident.labels.get("alertname") in self.runbooks.pages,
            grafana_url=self.grafana_url,
        )

    def related(self, tx: Transaction, incident: Incident) -> Related:
        """The open incidents up and down the pipeline now, the nearest component first."""
        here = incident.component
        upstream, downstream = self.topology.upstream(here), self.topology.downstream(here)
        if not incident.open or not (upstream or downstream):
            return Related()
        found = incidents.open_at(tx, [*upstream, *downstream], limit=_MOST_RELATED * 4)
        return Related(_nearest(found, upstream), _nearest(found, downstream))


def _nearest(found: Sequence[Incident], distances: dict[str, int]) -> tuple[Neighbour, ...]:
    there = [incident for incident in found if incident.component in distances]
    there.sort(key=lambda incident: distances[incident.component])
    return tuple(Neighbour(i.id, i.title, i.component) for i in there[:_MOST_RELATED])


def _listed(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else ()
