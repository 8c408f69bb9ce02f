"""Messages of people, as Slack shows them now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.engine.clock import Clock
from app.errors import DeliveryFailed, TryLater
from app.notifiers.slack_api import SlackApi
from app.slack.requests import Caller, Spot

_PAUSES = (1.0, 5.0, 20.0)  # seconds; nobody waits for these
_LONGEST = timedelta(seconds=60)
_GONE = {"thread_not_found", "message_not_found"}

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Written:
    """A message. The author's id is empty where that is no person; `emoji` are the reactions."""

    spot: Spot
    author: Caller
    at: datetime
    text: str
    emoji: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()


class Messages:
    """Needs the scope to read the channel's history."""

    def __init__(self, api: SlackApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    async def read(self, spot: Spot, *, patient: bool = False) -> Written | None:
        """A message; None if it is not there (any more). Raises DeliveryFailed.

        `patient` tries again for a while where that can help.
        """
        if patient:
            return await self.patiently(lambda: self._read(spot))
        return await self._read(spot)

    async def permalink(self, spot: Spot) -> str:
        """Where a message can be read; nothing where Slack does not say."""
        asked = {"channel": spot.channel, "message_ts": spot.ts}
        try:
            answer = await self._api.look("chat.getPermalink", asked)
        except DeliveryFailed:
            return ""
        return str(answer.get("permalink") or "")

    async def _read(self, spot: Spot) -> Written | None:
        # Asked with the ts of a reply, Slack gives that reply alone.
        asked = {
            "channel": spot.channel,
            "ts": spot.ts,
            "oldest": spot.ts,
            "latest": spot.ts,
            "inclusive": True,
            "limit": 1,
        }
        try:
            answer = await self._api.look("conversations.replies", asked)
        except DeliveryFailed as error:
            if error.code in _GONE:
                return None
            raise
        found = (each for each in answer.get("messages") or [] if isinstance(each, dict))
        message = next((each for each in found if each.get("ts") == spot.ts), None)
        if message is None or message.get("subtype") == "tombstone":
            return None
        return _written(spot.channel, message)

    async def patiently(self, work: Callable[[], Awaitable[Found]]) -> Found:
        """What `work` gives, tried again for half a minute while it raises TryLater."""
        for pause in _PAUSES:
            try:
                return await work()
            except TryLater as error:
                asked = error.after or timedelta()
                await self._clock.sleep(max(pause, min(asked, _LONGEST).total_seconds()))
        return await work()


def _written(channel: str, message: Mapping[str, Any]) -> Written:
    ts = str(message["ts"])
    author = "" if message.get("bot_id") else str(message.get("user") or "")
    reactions = [each for each in message.get("reactions") or [] if isinstance(each, dict)]
    files = [each for each in message.get("files") or [] if isinstance(each, dict)]
    return Written(
        Spot(channel, ts, str(message.get("thread_ts") or "")),
        Caller(author),
        datetime.fromtimestamp(float(ts), UTC),
        str(message.get("text") or ""),
        frozenset(str(each.get("name")) for each in reactions),
        tuple(str(each.get("title") or each.get("name") or "") for each in files),
    )
