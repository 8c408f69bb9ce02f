"""Slack's rate limits (docs.slack.dev/apis/web-api/rate-limits), as token buckets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
"""Calls a minute for each method."""

TIERS: dict[str, int] = {
    "apps.connections.open": TIER_3,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "conversations.history": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.info": TIER_3,
    "conversations.join": TIER_3,
    "conversations.list": TIER_2,
    "reactions.add": TIER_3,
    "reactions.remove": TIER_2,
    "reactions.get": TIER_3,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.list": TIER_2,
    "users.info": TIER_4,
    "users.lookupByEmail": TIER_3,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "api.test": TIER_4,
}


@dataclass
class _Bucket:
    rate: float
    size: float
    level: float
    at: float


@dataclass
class RateLimits:
    """`take` answers the seconds to wait, or None when the call may pass.

    Settings may be changed while running; `enabled=False` lets everything pass.
    """

    clock: Callable[[], float]
    enabled: bool = True
    posts_per_second: float = 1.0
    post_burst: int = 4
    tiers: dict[str, int] = field(default_factory=lambda: dict(TIERS))
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def take(self, method: str, token: str, channel: str | None) -> int | None:
        if not self.enabled:
            return None
        if method == "chat.postMessage" and channel:
            return self._take((method, channel), self.posts_per_second, self.post_burst)
        per_minute = self.tiers.get(method)
        if per_minute is None:
            return None
        return self._take((method, token), per_minute / 60, per_minute)

    def _take(self, key: tuple[str, str], rate: float, size: float) -> int | None:
        now = self.clock()
        bucket = self._buckets.setdefault(key, _Bucket(rate, size, size, now))
        bucket.level = min(size, bucket.level + max(0.0, now - bucket.at) * rate)
        bucket.at = now
        # A hair below one: the clock's floats must not cost a caller who waited exactly enough.
        if bucket.level >= 1 - 1e-6:
            bucket.level -= 1
            return None
        return max(1, math.ceil((1 - bucket.level) / rate - 1e-6))

    def reset(self) -> None:
        self._buckets.clear()
