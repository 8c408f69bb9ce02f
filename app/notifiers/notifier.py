"""What every transport offers the deliverer. A new transport is one new file and its test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from pydantic_core import to_json

from app.core.chart import Chart
from app.core.digest import Digest
from app.core.incidents import Entry
from app.core.notices import Notice

#: The entry numbers that mark the root, the details below it, and the chart.
ROOT = 0
DETAILS = -1
CHART = -2


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message, in the transport's own form: plain JSON values.

    `chart` is to be shown in it where that can be done; it is no part of how the message looks.
    `whole` says that a root holds already what the details below it would say.
    """

    payload: Mapping[str, Any]
    chart: Chart | None = None
    whole: bool = False

    @property
    def digest(self) -> str:
        """The same for messages that look the same."""
        return hashlib.sha256(to_json(self.payload)).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """Our mark on a message, by which it can be found again. It holds nothing private.

    `entry` is ROOT, DETAILS, CHART, or the number of the last timeline entry that a reply tells.
    """

    incident: int
    token: str
    entry: int


@dataclass(frozen=True, slots=True)
class Sought:
    """A posting to look for: its address, its token, its root if that is known.

    Nothing of it is older than `since` (UTC). `beside` is a reference of any message at this
    address, if there is one: it tells what an address alone may not.
    """

    address: str
    token: str
    since: datetime
    root: str | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What was found of a posting at its destination; `told` and `chart` as in Posting."""

    root: str | None
    details: str | None
    told: int
    chart: str | None = None


class Notifier(Protocol):
    """One transport. Rendering is pure; the calls raise DeliveryFailed and nothing else.

    `edits` says whether a message can be changed after it was shown. `interval` is the
    least time in seconds between two calls to one destination, `burst` how many may go
    without it; `edit_interval` and `edit_burst` are the same for edits at all destinations
    together. References are opaque to the caller.
    """

    edits: bool
    interval: float
    burst: int
    edit_interval: float
    edit_burst: int

    def root(self, notice: Notice, *, locale: str, plain: bool) -> Message:
        """The first message: status and severity, what is wrong, since when, where to look."""

    def details(self, notice: Notice, *, locale: str, plain: bool) -> Message | None:
        """The first reply: context, labels and alerts. None where there is nothing to add."""

    def reply(
        self, notice: Notice, entries: Sequence[Entry], *, locale: str, plain: bool
    ) -> Message:
        """A reply that tells these entries, oldest first."""

    def digest(self, digest: Digest, *, receiver: str, locale: str) -> Message:
        """The message that tells a receiver of a week; `post` shows it."""

    async def post(
        self, address: str, message: Message, mark: Mark, *, root: str | None = None
    ) -> str:
        """Show a message, below `root` if given, and return its reference."""

    async def edit(self, address: str, reference: str, message: Message, mark: Mark) -> None:
        """Change a message that was shown."""

    async def survey(self, sought: Sought) -> Shown | None:
        """Look for our marks; None where this transport cannot look."""

    async def close(self) -> None:
        """Give back connections."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """Who was not reached though others were, and why. `pause` is in seconds until it is worth
    trying them again; None: it is not."""

    why: str
    pause: float | None


@runtime_checkable
class ReachesMany(Protocol):
    """A transport whose messages reach several people, each of whom may be out of reach."""

    def unreached(self, root: str) -> Unreached | None:
        """Who lacks something of this thread; None where nobody does."""

    async def catch_up(self, root: str) -> None:
        """Try those again whom it is worth trying."""


@runtime_checkable
class ShowsCharts(Protocol):
    """A transport that shows a chart as a message of its own."""

    def chart(self, notice: Notice, *, locale: str) -> Message | None:
        """The chart of an incident; None as long as there is none."""

    async def post_chart(self, address: str, message: Message, mark: Mark, *, root: str) -> str:
        """Show it below the root, and return its reference."""
