"""Tests that read like a story: expect what must come, and fail on what nobody expected."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .model import Message

Words = str | Sequence[str]
Found = TypeVar("Found")
_POLL_SECONDS = 0.01


def _all(words: Words) -> Sequence[str]:
    return [words] if isinstance(words, str) else words


@dataclass(frozen=True)
class _Wanted:
    channel: str | None
    containing: Sequence[str]
    thread: str | None
    anywhere: bool
    matching: Callable[[Message], bool] | None

    def fits(self, message: Message) -> bool:
        return (
            (self.channel is None or message.channel == self.channel)
            and (self.anywhere or message.thread_ts == self.thread)
            and all(words in message for words in self.containing)
            and (self.matching is None or self.matching(message))
        )

    def __str__(self) -> str:
        where = f"in {self.channel or 'any channel'}"
        thread = f", thread {self.thread}" if self.thread else ""
        return f"a message {where}{thread} containing {list(self.containing)}"


class Expectations:
    """The part of a workspace that stories use; `Workspace` fills in where messages come from."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._consumed: set[tuple[str, str]] = set()
        self._allowed: list[_Wanted] = []

    def all_messages(self) -> list[Message]:
        raise NotImplementedError

    def channel_id(self, name: str) -> str:
        raise NotImplementedError

    def _wanted(
        self,
        channel: str | None,
        containing: Words,
        thread_of: Message | str | None,
        matching: Callable[[Message], bool] | None,
        *,
        anywhere: bool = False,
    ) -> _Wanted:
        thread = thread_of.ts if isinstance(thread_of, Message) else thread_of
        if channel is None and isinstance(thread_of, Message):
            channel = thread_of.channel
        room = None if channel is None else self.channel_id(channel)
        return _Wanted(room, _all(containing), thread, anywhere, matching)

    def expect_message(
        self,
        *,
        channel: str | None = None,
        containing: Words = (),
        thread_of: Message | str | None = None,
        matching: Callable[[Message], bool] | None = None,
        within: float = 10.0,
    ) -> Message:
        """The oldest message nobody has expected yet that fits; waits for it up to `within`
        seconds. Without `thread_of` a root message, with it a reply in that thread."""
        wanted = self._wanted(channel, containing, thread_of, matching)
        return self._wait(lambda: self._consume(wanted), str(wanted), within)

    async def expect_message_soon(
        self,
        *,
        channel: str | None = None,
        containing: Words = (),
        thread_of: Message | str | None = None,
        matching: Callable[[Message], bool] | None = None,
        within: float = 10.0,
    ) -> Message:
        """`expect_message` for tests that share their event loop with the service."""
        wanted = self._wanted(channel, containing, thread_of, matching)
        return await self._wait_soon(lambda: self._consume(wanted), str(wanted), within)

    def expect_shown(
        self, message: Message, containing: Words, *, without: Words = (), within: float = 10.0
    ) -> Message:
        """Waits until the message, edited as often as it takes, shows all these words."""
        look, what = self._showing(message, containing, without)
        return self._wait(look, what, within)

    async def expect_shown_soon(
        self, message: Message, containing: Words, *, without: Words = (), within: float = 10.0
    ) -> Message:
        look, what = self._showing(message, containing, without)
        return await self._wait_soon(look, what, within)

    def allow(
        self,
        *,
        channel: str | None = None,
        containing: Words = (),
        thread_of: Message | str | None = None,
        matching: Callable[[Message], bool] | None = None,
    ) -> None:
        """Messages that may come, or not, as often as they like; roots and replies alike."""
        anywhere = thread_of is None
        wanted = self._wanted(channel, containing, thread_of, matching, anywhere=anywhere)
        with self.changed:
            self._allowed.append(wanted)

    def consume(self, message: Message) -> None:
        with self.changed:
            self._consumed.add((message.channel, message.ts))

    def came(
        self, containing: Words, *, thread_of: Message | None, channel: str | None = None
    ) -> bool:
        """Whether what `expect_message` would find is there, without expecting it."""
        wanted = self._wanted(channel, containing, thread_of, None)
        return any(wanted.fits(message) for message in self.unexpected())

    def unexpected(self) -> list[Message]:
        with self.changed:
            return [
                message
                for message in self.all_messages()
                if (message.channel, message.ts) not in self._consumed
                and not any(wanted.fits(message) for wanted in self._allowed)
            ]

    def assert_nothing_unexpected(self) -> None:
        """For the end of a test, in its fixture: no message, ephemeral message, modal, warning
        or lost event that nobody expected."""
        extra = self.unexpected()
        assert not extra, "unexpected messages in Slack:\n" + _listing(extra)
        with self.changed:
            surprises = self.surprises()
        assert not surprises, "unexpected in Slack:\n" + "\n".join(surprises)

    def surprises(self) -> list[str]:
        """Besides messages in channels."""
        raise NotImplementedError

    def _consume(self, wanted: _Wanted) -> Message | None:
        for message in self.all_messages():
            if (message.channel, message.ts) not in self._consumed and wanted.fits(message):
                self.consume(message)
                return message
        return None

    def _showing(
        self, message: Message, containing: Words, without: Words
    ) -> tuple[Callable[[], Message | None], str]:
        def look() -> Message | None:
            shown = all(words in message for words in _all(containing))
            return message if shown and not any(w in message for w in _all(without)) else None

        return look, f"message {message.ts} to show {_all(containing)}, not {_all(without)}"

    def _wait(self, look: Callable[[], Found | None], what: str, within: float) -> Found:
        deadline = time.monotonic() + within
        with self.changed:
            while (found := look()) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._failure(what)
                self.changed.wait(left)
        return found

    async def _wait_soon(self, look: Callable[[], Found | None], what: str, within: float) -> Found:
        deadline = time.monotonic() + within
        while True:
            with self.changed:
                if (found := look()) is not None:
                    return found
                if time.monotonic() >= deadline:
                    raise self._failure(what)
            await asyncio.sleep(_POLL_SECONDS)

    def _failure(self, what: str) -> AssertionError:
        with self.changed:
            seen = [_listing(self.all_messages()), *self.surprises()]
        return AssertionError(f"expected {what}; there are:\n" + "\n".join(seen))


def _listing(messages: Sequence[Message]) -> str:
    lines = [
        f"  {m.channel} {m.ts}" + (f" (thread {m.thread_ts})" if m.thread_ts else "")
        + f": {m.visible_text!r}"
        for m in messages
    ]  # fmt: skip
    return "\n".join(lines) or "  none"
