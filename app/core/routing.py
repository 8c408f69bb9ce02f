"""The route tree: which receivers an alert with these labels gets, and by which route.

The rules are Alertmanager's (`dispatch/route.go`), so that its documentation is also ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.core.matchers import Matcher

ALL_LABELS = ("...",)
"""`group_by` that keeps every label set apart, in Alertmanager's spelling."""


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree.

    `receiver` and `group_by` are inherited from the parent where they are None. A root without
    `group_by` leaves the grouping to Alertmanager; `()` puts all alerts of a receiver together.
    `location` is where the route is written, for people (`routes.routes[0]`).
    """

    receiver: str | None
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = None
    continue_: bool = False
    routes: tuple[Route, ...] = ()
    location: str = "routes"
    _description: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        conditions = ", ".join(str(matcher) for matcher in self.matchers) or "every alert"
        object.__setattr__(self, "_description", f"{self.location}: {conditions}")

    def __str__(self) -> str:
        return self._description


@dataclass(frozen=True, slots=True)
class Match:
    """Where an alert goes. `path` tells, from the root down, by which routes it got there."""

    receiver: str
    group_by: tuple[str, ...] | None
    path: tuple[str, ...]


def match(root: Route, labels: Mapping[str, str]) -> tuple[Match, ...]:
    """All receivers for these labels, in the tree's order; never none.

    Depth first; a route stands for itself only if none of its children matches; after a child
    that matched its siblings are asked only if it says `continue`. The root always matches, and
    must name a receiver. One receiver can be reached twice, by two routes.
    """
    if root.receiver is None:
        raise ValueError("the root route must name a receiver")
    reached = Match(root.receiver, root.group_by, (str(root),))
    return tuple(_descend(root, reached, labels))


def _descend(route: Route, reached: Match, labels: Mapping[str, str]) -> list[Match]:
    """The matches below a route that itself matches, or that route."""
    found: list[Match] = []
    for child in route.routes:
        if not all(matcher.matches(labels) for matcher in child.matchers):
            continue
        found += _descend(child, _inherit(child, reached), labels)
        if not child.continue_:
            break
    return found or [reached]


def _inherit(child: Route, parent: Match) -> Match:
    return Match(
        receiver=parent.receiver if child.receiver is None else child.receiver,
        group_by=parent.group_by if child.group_by is None else child.group_by,
        path=(*parent.path, str(child)),
    )


def correlation_key(
    match: Match, labels: Mapping[str, str], group_labels: Mapping[str, str]
) -> str:
    """The key of the incident an alert belongs to when no open incident owns its fingerprint.

    Equal exactly if the receiver and the grouping label pairs are. `group_labels` are those of
    the notification, used where the route leaves grouping to Alertmanager. A label that is empty
    is as good as absent, as everywhere in Prometheus.
    """
    pairs = sorted((name, value) for name, value in _grouping(match, labels, group_labels) if value)
    return _AS_TEXT([match.receiver, pairs])


_AS_TEXT = json.JSONEncoder(separators=(",", ":")).encode


def _grouping(
    match: Match, labels: Mapping[str, str], group_labels: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    if match.group_by is None:
        return group_labels.items()
    if match.group_by == ALL_LABELS:
        return labels.items()
    return ((name, labels.get(name, "")) for name in set(match.group_by))
