"""Which incident an alert belongs to."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core.alerts import Alert
from app.core.incidents import Incident
from app.core.transitions import AlertState, Ending


def choose(
    alert: Alert,
    *,
    known: AlertState | None,
    holder: Incident | None,
    keyed: Incident | None,
    now: datetime,
    reopen_within: timedelta,
) -> Incident | None:
    """The incident that takes the report about `alert`; None for a new one.

    `holder` is the newest incident that holds the alert, as `known` there; `keyed` the
    newest with its correlation key. In this order:
    1. an alert in an open incident stays there, whatever group brings it, so that HA twins
       and `continue` routes do not double it;
    2. what says nothing new (an end told again, a replay, the occurrence a person ended)
       goes where it was, to change nothing there;
    3. the open incident with the key;
    4. the holder, then the keyed one, if it was resolved within `reopen_within`.
    """
    if holder is not None and known is not None and _stays(alert, known, holder, now):
        return holder
    if keyed is not None and keyed.open:
        return keyed
    for candidate in (holder, keyed):
        if candidate is not None and alert.firing and _recent(candidate, now, reopen_within):
            return candidate
    return None


def _stays(alert: Alert, known: AlertState, holder: Incident, now: datetime) -> bool:
    replayed = now <= known.reported_at
    same_occurrence = alert.starts_at <= known.alert.starts_at
    ended_by_person = known.ending is Ending.BY_PERSON and same_occurrence
    return holder.open or not alert.firing or replayed or ended_by_person


def _recent(incident: Incident, now: datetime, window: timedelta) -> bool:
    return incident.resolved_at is not None and now - incident.resolved_at <= window
