"""One payload on its way to the app, and what became of it."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]
Kind = Literal["interactive", "slash_commands", "events_api"]
_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class SentRequest:
    """A request as it went out, byte for byte, so that a test can send it again or forge it."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What came back. `failure` is why Slack takes it for none: `timeout`, `http_error`,
    `connection_failed`, `too_many_redirects`, `unknown_error`."""

    failure: str | None = None
    status: int = 0
    body: object = None
    """The JSON of an answer or an acknowledgement, text where it is none, None when empty."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def no_retry(self) -> bool:
        return self.headers.get("x-slack-no-retry") == "1"


@dataclass
class Warned:
    """A failure as a person sees it in Slack."""

    user: str
    about: str
    text: str
    detail: str = ""
    expected: bool = False

    def __str__(self) -> str:
        return f"{self.user} sees after {self.about}: {self.text!r} ({self.detail})"


class Delivery:
    """Wait for the app's answer, and what Slack makes of it, with `await` or `wait()`.

    Both fail when the person sees a warning, unless it is asked for: `await delivery.warning()`.
    For an event they wait for the first attempt only; retries go by the emulator's clock.
    """

    def __init__(self, kind: Kind, payload: JsonObject, *, user: str, about: str) -> None:
        self.kind = kind
        self.payload = payload
        self.user = user
        self.about = about
        self.requests: list[SentRequest] = []
        """Over HTTP: every attempt."""
        self.replies: list[Reply] = []
        self.seconds: float | None = None
        """From the first attempt to its answer, by the emulator's clock."""
        self.warned: Warned | None = None
        self._done: concurrent.futures.Future[None] = concurrent.futures.Future()

    @property
    def reply(self) -> Reply:
        """The last one."""
        assert self.replies, f"nothing came back yet for {self.about}"
        return self.replies[-1]

    @property
    def is_done(self) -> bool:
        return self._done.done()

    def finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def __await__(self) -> Generator[Any, None, Delivery]:
        return self._soon().__await__()

    async def _soon(self) -> Delivery:
        await self._finished()
        return self._checked()

    async def settled(self) -> Delivery:
        """Wait, whatever comes."""
        await self._finished()
        return self

    async def warning(self) -> str:
        """What the person is warned of; AssertionError when all went well."""
        await self._finished()
        return self._expected_warning()

    def wait(self, within: float = _WAIT_SECONDS) -> Delivery:
        """`await` for tests without an event loop."""
        self._done.result(within)
        return self._checked()

    def wait_for_warning(self, within: float = _WAIT_SECONDS) -> str:
        self._done.result(within)
        return self._expected_warning()

    async def _finished(self) -> None:
        # Shielded: a test that stops waiting must not stop Slack.
        waiting = asyncio.shield(asyncio.wrap_future(self._done))
        await asyncio.wait_for(waiting, _WAIT_SECONDS)

    def _checked(self) -> Delivery:
        if self.warned is not None and not self.warned.expected:
            raise AssertionError(str(self.warned))
        return self

    def _expected_warning(self) -> str:
        assert self.warned is not None, f"no warning after {self.about}: {self.replies}"
        self.warned.expected = True
        return self.warned.text


def nothing_sent(user: str, about: str) -> Delivery:
    """What a person did that Slack does not tell the app."""
    delivery = Delivery("interactive", {}, user=user, about=about)
    delivery.finish()
    return delivery
