"""What becomes of an incident when something happens to its silences.

A silence never changes an incident's status: what is muted still fires, and whoever has
acknowledged it still has it. It only changes what is said.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from app.core.episodes import recorded
from app.core.incidents import ALERTMANAGER, OURSELVES, Decision, Entry, EntryKind, Incident
from app.core.revisions import check_revision
from app.core.silence_events import (
    SilenceChanged,
    Silenced,
    SilenceDelayed,
    SilenceEnded,
    SilenceEvent,
    SilenceExpiring,
    SilenceFound,
    SilenceNotMade,
)
from app.core.silences import Silence
from app.errors import NotApplicable


def silence(incident: Incident, event: SilenceEvent, *, now: datetime) -> Decision:
    """The incident with what happened in its timeline; its status stays as it is."""
    told = _entry(incident, event, now)
    if told is None:
        return Decision(incident, changed=True)
    return recorded(incident, incident, [], [told], now=now)


def check_may_silence(incident: Incident, revision: int | None) -> None:
    """Raise RevisionConflict or NotApplicable where there is nothing to silence any more."""
    check_revision(incident, revision)
    if not incident.open:
        raise NotApplicable(f"Incident {incident.id} is over: there is nothing to silence.")
    if not incident.firing:
        raise NotApplicable(f"No known alert of incident {incident.id} fires now.")


def _entry(incident: Incident, event: SilenceEvent, now: datetime) -> Entry | None:
    of = event.silence
    match event:
        case Silenced():
            return Entry(EntryKind.SILENCED, now, of.by, _data(of))
        case SilenceFound():
            return Entry(EntryKind.SILENCE_FOUND, now, ALERTMANAGER, _data(of))
        case SilenceExpiring():
            return Entry(EntryKind.SILENCE_EXPIRING, now, OURSELVES, _data(of))
        case SilenceDelayed():
            return Entry(EntryKind.SILENCE_DELAYED, now, of.by, _data(of))
        case SilenceNotMade():
            data = {**_data(of), "reason": of.problem}
            return Entry(EntryKind.SILENCE_NOT_MADE, now, OURSELVES, data)
        case SilenceChanged(before=before):
            return _changed(of, before, now)
        case SilenceEnded(early=early):
            return _ended(incident, of, now, early=early)
        case _:
            assert_never(event)


def _changed(of: Silence, before: Silence, now: datetime) -> Entry | None:
    """Only another end is told; what else changed, the messages show."""
    if of.ends_at == before.ends_at:
        return None
    data = {**_data(of), "before": before.ends_at.isoformat()}
    return Entry(EntryKind.SILENCE_CHANGED, now, ALERTMANAGER, data)


def _ended(incident: Incident, of: Silence, now: datetime, *, early: bool) -> Entry | None:
    """That it ended at its time after the incident was over is news to nobody."""
    if not early and not incident.open:
        return None
    data = {**_data(of), "early": early}
    return Entry(EntryKind.SILENCE_ENDED, now, of.ended_by or ALERTMANAGER, data)


def _data(of: Silence) -> dict[str, object]:
    return {
        "silence": of.id,
        "reference": of.reference,
        "by": of.by,
        "until": of.ends_at.isoformat(),
        "comment": of.comment,
        "matchers": [str(matcher) for matcher in of.matchers],
        "link": of.link,
        "count": of.muted,
    }
