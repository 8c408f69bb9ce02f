"""The pipeline's shape: which component feeds which, as `topology:` in plantao.yml says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topology:
    """A directed graph without cycles. Components it does not name are near nothing."""

    feeds: Mapping[str, tuple[str, ...]]
    fed_by: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(edges: Iterable[tuple[str, str]]) -> Topology:
        """The graph of these (from, to) pairs."""
        feeds: dict[str, tuple[str, ...]] = {}
        fed_by: dict[str, tuple[str, ...]] = {}
        for source, target in edges:
            feeds[source] = (*feeds.get(source, ()), target)
            fed_by[target] = (*fed_by.get(target, ()), source)
        return Topology(feeds, fed_by)

    def upstream(self, component: str) -> dict[str, int]:
        """All that feed the component, directly or not, with their distance; nearest first."""
        return _reach(self.fed_by, component)

    def downstream(self, component: str) -> dict[str, int]:
        """All that the component feeds, directly or not, with their distance; nearest first."""
        return _reach(self.feeds, component)


def _reach(steps: Mapping[str, tuple[str, ...]], start: str) -> dict[str, int]:
    distance = {start: 0}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in steps.get(here, ()):
            if there not in distance:
                distance[there] = distance[here] + 1
                waiting.append(there)
    del distance[start]
    return distance
