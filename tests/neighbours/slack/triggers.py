"""trigger_ids: each opens one modal, for three seconds (docs.slack.dev/surfaces/modals)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .model import SlackError

SECONDS = 3.0
_SHAPE = re.compile(r"\d+\.\d+\.[0-9a-f]+")


@dataclass
class Trigger:
    user: str
    expires_at: float
    view: str | None
    """The modal it comes from: only there can another be pushed."""
    exchanged: bool = False


class Triggers:
    """Guarded by the workspace."""

    def __init__(self) -> None:
        self._known: dict[str, Trigger] = {}

    def issue(self, user: str, *, now: float, view: str | None = None) -> str:
        number = len(self._known) + 1
        name = f"{int(now * 1000)}.{number}.{number * 2654435761 % 2**32:08x}"
        self._known[name] = Trigger(user, now + SECONDS, view)
        return name

    def exchange(self, name: str, *, now: float) -> Trigger:
        trigger = self._known.get(name)
        if trigger is None or not _SHAPE.fullmatch(name):
            raise SlackError("invalid_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        if now >= trigger.expires_at:
            raise SlackError("expired_trigger_id")
        trigger.exchanged = True
        return trigger
