"""What an Alertmanager says of itself: how long it runs, who notifies us, how often.

Source: prometheus/alertmanager `api/v2/openapi.yaml` (alertmanagerStatus) and
`docs/configuration.md` (route), 0.25 to 0.34.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml

from app.core.durations import DurationError, parse_duration

_WEBHOOK_PATH = "/webhooks/alertmanager"
_GROUP_INTERVAL = timedelta(minutes=5)  # its default


@dataclass(frozen=True, slots=True)
class Running:
    """One Alertmanager that answers. `up_since` is in UTC, None if it does not say.

    `receivers` are those whose webhook is ours; none where its configuration does not tell.
    `group_intervals` says, by receiver, how long it may keep news about a group to itself.
    """

    up_since: datetime | None = None
    receivers: frozenset[str] = frozenset()
    group_intervals: Mapping[str, timedelta] = field(default_factory=dict)

    def news_within(self, receivers: Iterable[str] | None) -> timedelta:
        """How long news may wait there on its way to these receivers (None: to any)."""
        wanted = self.group_intervals if receivers is None else receivers
        known = [self.group_intervals[name] for name in wanted if name in self.group_intervals]
        return max(known, default=timedelta())


def read_status(answer: Mapping[str, Any]) -> Running:
    """Read the answer of `/api/v2/status`; what it does not tell is left out."""
    config = _config(answer)
    try:
        receivers = frozenset(_with_our_webhook(config["receivers"]))
    except (KeyError, TypeError, AttributeError):
        receivers = frozenset()
    intervals: dict[str, timedelta] = {}
    for receiver, interval in _walk(config.get("route"), "", _GROUP_INTERVAL):
        intervals[receiver] = max(interval, intervals.get(receiver, interval))
    return Running(_moment(answer.get("uptime")), receivers, intervals)


def _config(answer: Mapping[str, Any]) -> dict[str, Any]:
    try:
        config = yaml.safe_load(answer["config"]["original"])
    except (KeyError, TypeError, AttributeError, yaml.YAMLError):
        return {}
    return config if isinstance(config, dict) else {}


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _with_our_webhook(receivers: Iterable[dict[str, Any]]) -> set[str]:
    """Newer versions hide webhook addresses: then every receiver with a webhook may be ours."""
    hooks = {
        receiver["name"]: [str(hook.get("url", "")) for hook in receiver["webhook_configs"]]
        for receiver in receivers
        if receiver.get("webhook_configs")
    }
    hidden = {name for name, urls in hooks.items() if any("<secret>" in url for url in urls)}
    ours = {name for name, urls in hooks.items() if any(_WEBHOOK_PATH in url for url in urls)}
    return ours or hidden or set(hooks)


def _walk(route: object, receiver: str, interval: timedelta) -> Iterator[tuple[str, timedelta]]:
    """Each route's receiver and group_interval; both are inherited."""
    if not isinstance(route, dict):
        return
    receiver = str(route.get("receiver") or receiver)
    with suppress(KeyError, DurationError):  # without one of its own, the parent's holds
        interval = parse_duration(str(route["group_interval"]))
    yield receiver, interval
    children = route.get("routes")
    for child in children if isinstance(children, list) else ():
        yield from _walk(child, receiver, interval)
