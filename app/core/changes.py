"""Which changes are most likely behind an incident: near in time, near along the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from app.core.facts import Change
from app.core.topology import Topology

_FAR = 4  # steps; a component the topology does not connect counts as so far upstream
_DOWNSTREAM = 2  # steps more: an effect seldom travels against the stream
_STEP = timedelta(minutes=15)  # one step of distance weighs as much as so much time
_MOST = 10


def rank(
    changes: Iterable[Change], *, component: str, topology: Topology, opened_at: datetime
) -> Sequence[Change]:
    """The most telling first, at most ten. Changes after `opened_at` are not among them, but for
    those that may have been before it.

    The rule: minutes before the opening, plus a quarter of an hour for each step between the
    change's component and the incident's; two steps more if it lies downstream.
    """
    before = [change for change in changes if change.earliest <= opened_at]

    def weight(change: Change) -> tuple[timedelta, int]:
        steps = distance(change.labels.get("component", ""), component, topology)
        return max(opened_at - change.at, timedelta()) + steps * _STEP, -change.id

    return sorted(before, key=weight)[:_MOST]


def concerns(change: Change, component: str, topology: Topology) -> bool:
    """Whether a change is near enough to an incident's component to stand in its timeline.

    What says nothing of where it was may concern any.
    """
    changed = change.labels.get("component", "")
    return not changed or distance(changed, component, topology) < _FAR


def distance(changed: str, component: str, topology: Topology) -> int:
    """Steps between what was changed and what suffers; 0 for the same component."""
    if changed and changed == component:
        return 0
    upstream, downstream = topology.upstream(component), topology.downstream(component)
    if changed in upstream:
        return min(upstream[changed], _FAR)
    if changed in downstream:
        return min(downstream[changed] + _DOWNSTREAM, _FAR)
    return _FAR
