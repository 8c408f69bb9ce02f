"""What an event makes of an incident. Pure: the same arguments give the same decision.

`tests/core/test_decide.py` holds the table of cases. What one report means for one alert
is in `transitions.py`, when an episode begins again or ends in `episodes.py`, what silences
say in `silencing.py`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import assert_never

from app.core.episodes import conclude, named, recorded
from app.core.events import (
    AlertsConfirmed,
    AlertsReported,
    AlertsVanished,
    ChangeLanded,
    ContextFound,
    DeliveryChanged,
    EndingDoubted,
    Event,
    HiddenSettled,
    PersonEvent,
)
from app.core.incidents import ALERTMANAGER, OURSELVES, Decision, Entry, EntryKind, Incident
from app.core.learning import learn
from app.core.people import act
from app.core.reports import report
from app.core.silence_events import SilenceEvent
from app.core.silencing import silence
from app.core.transitions import AlertState, Effect, Ending, Transition


def decide(incident: Incident | None, event: Event, *, now: datetime) -> Decision:
    """The incident after `event`, with the timeline entries and alert states to store.

    `now` is the time of the event in UTC; for a webhook, when its receipt arrived.
    Raises NotApplicable (or RevisionConflict) when a person's action no longer fits.
    """
    if isinstance(event, AlertsReported):
        return report(incident, event, now=now)
    if incident is None:
        return Decision(None)
    if isinstance(event, PersonEvent):
        return act(incident, event, now=now)
    if isinstance(event, SilenceEvent):
        return silence(incident, event, now=now)
    match event:
        case AlertsConfirmed() | AlertsVanished() | HiddenSettled() | EndingDoubted():
            return _verified(incident, event, now)
        case DeliveryChanged():
            return Decision(incident, (Entry(EntryKind.DELIVERY, now, OURSELVES, asdict(event)),))
        case ContextFound() | ChangeLanded():
            return learn(incident, event, now=now)
        case _:
            assert_never(event)


def _verified(
    incident: Incident,
    event: AlertsConfirmed | AlertsVanished | HiddenSettled | EndingDoubted,
    now: datetime,
) -> Decision:
    match event:
        case AlertsConfirmed():
            return _confirmed(incident, event, now)
        case AlertsVanished():
            return _vanished(incident, event, now)
        case HiddenSettled(reason):
            return _hidden_settled(incident, reason, now)
        case EndingDoubted(reason):
            return _ending_doubted(incident, reason, now)
        case _:
            assert_never(event)


def _confirmed(incident: Incident, event: AlertsConfirmed, now: datetime) -> Decision:
    listed = [
        (known, expires_at)
        for name, expires_at in event.expiries.items()
        if (known := incident.alerts.get(name)) is not None and known.firing
    ]
    pairs = [(known, _believed(known, expires_at)) for known, expires_at in listed]
    steps = [Transition(Effect.REPEATED, new) for known, new in pairs if new != known]
    cleared = [Transition(Effect.REFIRED, new) for known, new in pairs if known.unconfirmed]
    after = replace(incident, doubtful=incident.doubtful - len(cleared))
    if not cleared:
        return recorded(incident, after, steps, [], now=now)
    entry = Entry(EntryKind.ALERTS_FIRING, now, ALERTMANAGER, named(cleared))
    decision = conclude(incident, after, steps, [entry], now=now)
    return decision if event.asked else _with_data(decision, unconfirmed=True)


def _believed(known: AlertState, expires_at: datetime | None) -> AlertState:
    return replace(known, unconfirmed=False, ending=None, expires_at=expires_at)


def _vanished(incident: Incident, event: AlertsVanished, now: datetime) -> Decision:
    gone = [
        known
        for name in sorted(event.fingerprints)
        if (known := incident.alerts.get(name)) is not None and known.firing
    ]
    steps = [_ended(known, now) for known in gone]
    late = sum(known.unconfirmed for known in gone)
    after = replace(
        incident,
        firing=incident.firing - len(steps),
        resolved=incident.resolved + len(steps),
        doubtful=incident.doubtful - late,
    )
    real = [step for step, known in zip(steps, gone, strict=True) if not known.unconfirmed]
    told = [Entry(EntryKind.ALERTS_VANISHED, now, OURSELVES, named(real))] if real else []
    decision = conclude(incident, after, steps, told, now=now, vanished=bool(real))
    return _with_data(decision, reason=event.reason)


def _ended(known: AlertState, now: datetime) -> Transition:
    """An unconfirmed firing that vanished was a late repeat: how it had ended still holds."""
    before = known.ending if known.unconfirmed else None
    return Transition(Effect.ENDED, known.ended(before or Ending.NO_LONGER_REPORTED, at=now))


def _hidden_settled(incident: Incident, reason: str, now: datetime) -> Decision:
    if not incident.hidden:
        return Decision(incident)
    after = replace(incident, hidden=0)
    decision = conclude(incident, after, [], [], now=now, vanished=bool(reason))
    return _with_data(decision, reason=reason) if reason else decision


def _ending_doubted(incident: Incident, reason: str, now: datetime) -> Decision:
    if incident.open or incident.ending is not Ending.RESOLVED:
        return Decision(incident)
    after = replace(incident, ending=Ending.NO_LONGER_REPORTED)
    entry = Entry(EntryKind.NO_LONGER_REPORTED, now, OURSELVES, {"reason": reason})
    return recorded(incident, after, [], [entry], now=now)


def _with_data(decision: Decision, **data: object) -> Decision:
    entries = tuple(replace(entry, data={**entry.data, **data}) for entry in decision.entries)
    return replace(decision, entries=entries)
