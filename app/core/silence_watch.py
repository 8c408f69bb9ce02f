"""Our view of silences against Alertmanager's: what happened to them meanwhile.

known      listed             → then
─────────  ─────────────────  ──────────────────────────────────────────────────────────────
wanted,    with our mark      active: we, or the call we gave up, had it made after all (and if
doubtful                      it is over by now, it ends in the next pass)
wanted     not listed, its    not made
           end is past
doubtful   not listed, after  forgotten: it failed, as its author was told
           a while
active     expired            ended: at its time, or early, by whom we know or elsewhere
active     not listed         ended, but only if every member was asked and it is not brand new
active     another end        changed
ended      active, after a    active again: the end was lost on its way through the cluster
           while
—          active, mutes ours found
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from app.core.alerts import Labels
from app.core.silence_events import (
    SilenceChanged,
    Silenced,
    SilenceEnded,
    SilenceEvent,
    SilenceExpiring,
    SilenceFound,
    SilenceNotMade,
)
from app.core.silences import ListedSilence, Silence, SilenceState, page

#: Gossip takes a moment, and so does a call that was given up.
SETTLED = timedelta(minutes=1)
TOO_LATE = "Alertmanager did not answer before it was over"

_SAME = timedelta(seconds=1)  # Alertmanager's clock, and its milliseconds

Firing: TypeAlias = Mapping[int, Mapping[str, Labels]]
"""The labels of firing alerts by incident number and fingerprint."""


@dataclass(frozen=True, slots=True)
class Step:
    """One silence before and after. `before` is None for one that is new to its incident,
    `event` where it is only forgotten."""

    before: Silence | None
    after: Silence
    event: SilenceEvent | None


@dataclass(frozen=True, slots=True)
class View:
    """What Alertmanager listed at `asked_at` (UTC); `complete` if every member was asked.

    `base` is the address of its own pages.
    """

    listed: Mapping[str, ListedSilence]
    asked_at: datetime
    complete: bool
    base: str

    def marked(self, token: str) -> list[ListedSilence]:
        """Those with our mark, the first one first, those that are over last."""
        found = [each for each in self.listed.values() if token and each.token == token]
        return sorted(found, key=lambda each: (not each.active, each.starts_at, each.reference))


def compare(ours: Iterable[Silence], view: View, firing: Firing) -> list[Step]:
    """What happened to the silences we know, and what was made elsewhere."""
    ours = list(ours)
    steps = [step for each in ours if (step := _judge(each, view, firing.get(each.incident, {})))]
    return [*steps, *_found(ours, view, firing)]


def to_end(ours: Iterable[Silence], view: View) -> list[str]:
    """What Alertmanager should end: what was made twice, and what somebody wanted ended."""
    twice = (
        each.reference
        for silence in ours
        if silence.state in {SilenceState.ACTIVE, SilenceState.ENDED} and silence.here
        for each in view.marked(silence.token)
        if each.active and each.reference != silence.reference
    )
    ending = {each.reference for each in ours if each.mutes_now and each.ending_by}
    active = (each.reference for each in view.listed.values() if each.active)
    return list(dict.fromkeys([*twice, *(name for name in active if name in ending)]))


def expiring(
    ours: Iterable[Silence], firing: Firing, now: datetime, *, before: timedelta
) -> list[Step]:
    """Silences that end soon while alerts fire that no other silence mutes for longer."""
    active = [each for each in ours if each.mutes_now]
    return [
        Step(each, warned := replace(each, warned=True), SilenceExpiring(warned))
        for each in active
        if not each.warned and each.warns_at(before) <= now < each.ends_at
        if _uncovered(each, active, firing.get(each.incident, {}))
    ]


def _uncovered(silence: Silence, active: Sequence[Silence], firing: Mapping[str, Labels]) -> bool:
    longer = [
        each
        for each in active
        if each.incident == silence.incident and each.ends_at > silence.ends_at
    ]
    muted = (labels for labels in firing.values() if silence.mutes(labels))
    return any(not any(each.mutes(labels) for each in longer) for labels in muted)


def unknown(ours: Iterable[Silence], since: datetime) -> list[Step]:
    """Alertmanager has not answered since then: what we know is said to be not confirmed."""
    return [
        Step(each, after := replace(each, unknown_since=since), SilenceChanged(after, each))
        for each in ours
        if each.mutes_now and each.unknown_since is None
    ]


def next_turn(ours: Iterable[Silence], now: datetime, *, before: timedelta) -> datetime | None:
    """When the next warning or end is due after that time (UTC), None if none is."""
    active = [each for each in ours if each.mutes_now]
    turns = [each.ends_at for each in active]
    turns += [each.warns_at(before) for each in active if not each.warned]
    return min((at for at in turns if at > now), default=None)


def _judge(silence: Silence, view: View, firing: Mapping[str, Labels]) -> Step | None:
    match silence.state:
        case SilenceState.WANTED | SilenceState.DOUBTFUL:
            return _made_after_all(silence, view, firing)
        case SilenceState.ACTIVE:
            return _still_there(silence, view, firing)
        case SilenceState.ENDED:
            return _back_again(silence, view, firing)
        case SilenceState.NOT_MADE:
            return None


def _made_after_all(silence: Silence, view: View, firing: Mapping[str, Labels]) -> Step | None:
    if marked := view.marked(silence.token):
        first = marked[0]
        after = made(silence, first.reference, page(view.base, first.reference), firing)
        return Step(silence, after, Silenced(after))
    if silence.state is SilenceState.DOUBTFUL:
        waited = view.asked_at - silence.starts_at >= SETTLED
        return Step(silence, silence, None) if waited and view.complete else None
    if view.asked_at < silence.ends_at:
        return None
    late = replace(silence, state=SilenceState.NOT_MADE, due_at=None, problem=TOO_LATE)
    return Step(silence, late, SilenceNotMade(late))


def made(silence: Silence, reference: str, link: str, firing: Mapping[str, Labels]) -> Silence:
    """The silence once Alertmanager has it."""
    return replace(
        silence,
        state=SilenceState.ACTIVE,
        reference=reference,
        link=link,
        muted=_count(silence, firing),
        due_at=None,
        problem="",
    )


def _still_there(silence: Silence, view: View, firing: Mapping[str, Labels]) -> Step | None:
    seen = view.listed.get(silence.reference or "")
    if seen is None:
        gone = view.complete and view.asked_at - silence.starts_at >= SETTLED
        return _ended(silence, view.asked_at) if gone else None
    if seen.state == "expired":
        return _ended(silence, seen.ends_at)
    moved = abs(seen.ends_at - silence.ends_at) > _SAME
    after = replace(
        silence,
        ends_at=seen.ends_at if moved else silence.ends_at,
        warned=silence.warned and not moved,
        muted=_count(silence, firing),
        unknown_since=None,
    )
    return Step(silence, after, SilenceChanged(after, silence)) if after != silence else None


def _ended(silence: Silence, at: datetime) -> Step:
    early = at < silence.ends_at - _SAME
    after = ended(silence, at=at, by=silence.ending_by if early else None)
    return Step(silence, after, SilenceEnded(after, early=early))


def ended(silence: Silence, *, at: datetime, by: str | None) -> Silence:
    """The silence once it is over; `by` is None at its time, and where nobody knows."""
    return replace(
        silence,
        state=SilenceState.ENDED,
        ended_at=at,
        ended_by=by,
        ending_by=None,
        unknown_since=None,
        due_at=None,
        muted=0,
    )


def _back_again(silence: Silence, view: View, firing: Mapping[str, Labels]) -> Step | None:
    seen = view.listed.get(silence.reference or "")
    over = silence.ended_at or silence.ends_at
    if seen is None or not seen.active or view.asked_at - over < SETTLED:
        return None
    active = replace(silence, state=SilenceState.ACTIVE, ended_at=None, ended_by=None)
    after = replace(active, ends_at=seen.ends_at, warned=False, muted=_count(silence, firing))
    return Step(silence, after, SilenceFound(after))


def _found(ours: Iterable[Silence], view: View, firing: Firing) -> Iterator[Step]:
    known = {(each.incident, each.reference) for each in ours}
    known |= {(each.incident, each.token) for each in ours if each.token}
    for listed in view.listed.values():
        if not listed.active:
            continue
        for incident, alerts in firing.items():
            if {(incident, listed.reference), (incident, listed.token)} & known:
                continue
            silence = _as_ours(listed, incident, view.base)
            if muted := _count(silence, alerts):
                after = replace(silence, muted=muted)
                yield Step(None, after, SilenceFound(after))


def _as_ours(listed: ListedSilence, incident: int, base: str) -> Silence:
    return Silence(
        incident=incident,
        matchers=listed.matchers,
        by=listed.by,
        comment=listed.reason,
        starts_at=listed.starts_at,
        ends_at=listed.ends_at,
        state=SilenceState.ACTIVE,
        reference=listed.reference,
        link=page(base, listed.reference),
        here=False,
    )


def _count(silence: Silence, firing: Mapping[str, Labels]) -> int:
    return sum(map(silence.mutes, firing.values()))
