"""What a report about alerts makes of the incident they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.core.alerts import Labels, severity, shared, worst
from app.core.copying import replace
from app.core.episodes import conclude, named, recorded
from app.core.events import AlertsReported, Origin, Source
from app.core.incidents import ALERTMANAGER, OURSELVES, Decision, Entry, EntryKind, Incident, title
from app.core.transitions import Effect, Ending, Transition, transition


def report(incident: Incident | None, event: AlertsReported, *, now: datetime) -> Decision:
    """Apply each alert's own status to what is known of it, then the whole to the incident."""
    known = incident.alerts if incident else {}
    judged = [transition(known.get(alert.fingerprint), alert, at=now) for alert in event.alerts]
    steps = [step for step in judged if step.effect is not Effect.NOTHING]
    if incident is None:
        return _open(event, steps, now)
    after = _absorb(incident, steps, event)
    return conclude(incident, after, steps, _entries(steps, now, _actor(event)), now=now)


def _open(event: AlertsReported, steps: Sequence[Transition], now: datetime) -> Decision:
    if not any(step.state.firing for step in steps):
        return Decision(None)  # the end of something nobody was told of
    blank = _blank(event.origin, now)
    after = _absorb(blank, steps, event)
    return recorded(blank, after, steps, [_opened(event, steps, now)], now=now)


def _blank(origin: Origin, now: datetime) -> Incident:
    return replace(
        _BLANK,
        key=origin.key,
        receivers=origin.receivers,
        opened_at=now,
        updated_at=now,
        group_labels=dict(origin.group_labels),
        group_key=origin.group_key,
        external_url=origin.external_url,
    )


# To copy the defaults costs a third of setting them.
_SOME_TIME = datetime.min.replace(tzinfo=UTC)
_BLANK = Incident(key="", receivers=(), opened_at=_SOME_TIME, updated_at=_SOME_TIME)


def _actor(event: AlertsReported) -> str:
    return OURSELVES if event.source is Source.OURSELVES else ALERTMANAGER


def _opened(event: AlertsReported, steps: Sequence[Transition], now: datetime) -> Entry:
    data = named(steps)
    if event.truncated:
        data["truncated"] = event.truncated
    if event.source is Source.ASKED:
        data["missed"] = True
    return Entry(EntryKind.OPENED, now, _actor(event), data)


def _entries(steps: Sequence[Transition], now: datetime, actor: str) -> list[Entry]:
    """One entry for each kind of thing that happened, however many alerts it happened to."""
    told: dict[EntryKind, list[Transition]] = {kind: [] for kind in _TOLD}
    for step in steps:
        if (kind := _kind(step)) is not None:
            told[kind].append(step)
    return [Entry(kind, now, actor, named(those)) for kind, those in told.items() if those]


_TOLD = (
    EntryKind.ALERTS_FIRING,
    EntryKind.UNCONFIRMED,
    EntryKind.ALERTS_RESOLVED,
    EntryKind.ALERTS_VANISHED,
)


def _kind(step: Transition) -> EntryKind | None:
    match step.effect:
        case Effect.JOINED | Effect.REFIRED:
            return EntryKind.ALERTS_FIRING
        case Effect.DOUBTED:
            return EntryKind.UNCONFIRMED
        case Effect.ENDED if step.state.ending is Ending.NO_LONGER_REPORTED:
            return EntryKind.ALERTS_VANISHED
        case Effect.ENDED:
            return EntryKind.ALERTS_RESOLVED
        case _:
            return None


def _absorb(incident: Incident, steps: Sequence[Transition], event: AlertsReported) -> Incident:
    """The incident with the counts, severity, labels and title that follow from the steps.

    The changes are put together before they are made: copying an incident is what costs.
    """
    changes = _hidden(incident, event)
    if steps:
        counts = _counts(incident, steps)
        fired = any(step.state.firing for step in steps)
        receivers = tuple(dict.fromkeys((*incident.receivers, *event.origin.receivers)))
        changes |= counts
        changes |= _labels(incident, steps, total=counts["firing"] + counts["resolved"])
        changes["occurrences"] = incident.occurrences + fired
        changes["severity"] = _severity(incident, steps)
        changes["receivers"] = receivers
    return replace(incident, **changes) if changes else incident


def _counts(incident: Incident, steps: Sequence[Transition]) -> dict[str, int]:
    firing, resolved, doubtful = incident.firing, incident.resolved, incident.doubtful
    for step in steps:
        known, state = incident.alerts.get(step.state.alert.fingerprint), step.state
        if known is not None:
            firing -= known.firing
            resolved -= not known.firing
            doubtful -= known.unconfirmed
        firing += state.firing
        resolved += not state.firing
        doubtful += state.unconfirmed
    return {"firing": firing, "resolved": resolved, "doubtful": doubtful}


def _severity(incident: Incident, steps: Sequence[Transition]) -> str:
    firing = [severity(step.state.alert.labels) for step in steps if step.state.firing]
    return worst(incident.severity, *firing) if incident.total else worst(*firing)


def _labels(
    incident: Incident, steps: Sequence[Transition], *, total: int
) -> dict[str, Labels | str]:
    """What all alerts share: taken anew when the report covers them all, else narrowed."""
    alerts = [step.state.alert for step in steps]
    labels, annotations = incident.labels, incident.annotations
    if len(alerts) >= total:
        first = alerts.pop(0)
        labels, annotations = first.labels, first.annotations
    for alert in alerts:
        labels = shared(labels, alert.labels)
        annotations = shared(annotations, alert.annotations)
    name = title(labels, annotations, incident.group_labels)
    return {"labels": labels, "annotations": annotations, "title": name}


def _hidden(incident: Incident, event: AlertsReported) -> dict[str, Any]:
    """`hidden` follows the group it was said of; another group's list does not unsay it."""
    group = event.origin.group_key
    if event.truncated:
        return {"hidden": event.truncated, "hidden_group": group, "truncated": True}
    if event.source is Source.WEBHOOK and group == incident.hidden_group and incident.hidden:
        return {"hidden": 0}
    return {}
