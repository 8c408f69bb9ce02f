"""Postings: one incident as shown at one destination, and the one step that repairs it.

Delivery is a reconciler, not a queue of messages: it compares what should be shown with
what is shown and takes the step that brings them closer. A thousand changes in a minute
become a few edits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, auto

from app.core.alerts import severity_rank
from app.core.incidents import Entry, EntryKind, Incident, Status
from app.core.replies import coalesce, due, is_told

#: What a destination's kind may be.
SLACK, EMAIL, CONSOLE = "slack", "email", "console"

#: How long one mail may take to be handed in, to all its recipients together.
MAIL_DEADLINE = timedelta(seconds=40)

#: How long a posting stays in the hands of a replica before another takes it. Nobody can look for
#: a mail: that must be longer than handing one in takes, its picture (10 s) and farewell included.
LEASE = MAIL_DEADLINE + timedelta(seconds=20)


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """Where an incident is shown: `kind` names the transport, `address` the place there."""

    kind: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.address}" if self.address else self.kind

    @staticmethod
    def parse(text: str) -> Destination:
        kind, _, address = text.partition(":")
        return Destination(kind, address)


@dataclass(frozen=True, slots=True)
class Place:
    """A destination an incident must be shown at, and the receiver that names it."""

    receiver: str
    destination: Destination


class PostingState(StrEnum):
    """As people see it: nothing there yet, up to date, behind and failing, given up by hand, or
    relieved: it stood in for a destination that works again."""

    PENDING = "pending"
    SHOWN = "shown"
    FAILING = "failing"
    STOPPED = "stopped"
    RELIEVED = "relieved"


@dataclass(frozen=True, slots=True)
class Posting:
    """What is shown of one incident at one destination. Times are in UTC.

    `token` marks our messages there, so that they can be found again after a crash; it is
    random, because incident numbers start anew with a new database and channels do not.
    `told` is the number of the last timeline entry that the thread tells. `in_doubt` says
    that an earlier call may have been carried out without our knowing. `last_error` says why it
    is not shown, or, where it is, who of those there lacks it and why. `plain` says that
    the destination refused the rich form. `chart` is the reference of the chart, CHART_AGAIN
    after a first failure and NO_CHART after the last. `stands_in_for` is the destination that
    failed, where this one is only shown because of that.
    """

    id: int
    token: str
    incident_id: int
    receiver: str
    destination: Destination
    created_at: datetime
    state: PostingState = PostingState.PENDING
    root: str | None = None
    root_digest: str = ""
    details: str | None = None
    details_digest: str = ""
    chart: str | None = None
    told: int = 0
    shown_revision: int = 0
    in_doubt: bool = False
    plain: bool = False
    attempts: int = 0
    last_error: str | None = None
    first_shown_at: datetime | None = None
    asked: int = 0
    stands_in_for: str | None = None


#: A chart is never worth holding up words for: it is tried twice, and then left out.
CHART_AGAIN = "again"
NO_CHART = "none"


class StepKind(StrEnum):
    POST_ROOT = auto()
    POST_DETAILS = auto()
    EDIT_ROOT = auto()
    REPLY = auto()
    EDIT_DETAILS = auto()
    POST_CHART = auto()
    REST = auto()


#: Steps that change what is there, instead of adding to it.
EDITS = frozenset({StepKind.EDIT_ROOT, StepKind.EDIT_DETAILS})


@dataclass(frozen=True, slots=True)
class Step:
    """The next call to make; `entries` are what a reply tells, oldest first."""

    kind: StepKind
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should be shown: digests of the rendered root and details, and what to tell.

    `edits` says whether the destination can change what it once showed; where it cannot,
    the root and details are shown once and only replies follow. `chart` says whether there is
    a chart to show on its own, `muted` that replies are muted now.
    """

    root_digest: str
    details_digest: str | None
    entries: Sequence[Entry]
    edits: bool = True
    chart: bool = False
    muted: bool = False


def next_step(posting: Posting, wanted: Wanted) -> Step:
    """The one call that brings `posting` closest to `wanted`; the most telling first."""
    if posting.state is PostingState.RELIEVED:
        return _leave(posting, wanted)
    if posting.root is None:
        return Step(StepKind.POST_ROOT)
    if wanted.edits and posting.root_digest != wanted.root_digest:
        return Step(StepKind.EDIT_ROOT)
    if wanted.details_digest is not None and posting.details is None:
        return Step(StepKind.POST_DETAILS)
    untold = [entry for entry in wanted.entries if entry.number > posting.told]
    telling = due(untold, root=posting.root, edits=wanted.edits, muted=wanted.muted)
    if telling:
        return Step(StepKind.REPLY, telling)
    if (
        wanted.edits
        and wanted.details_digest is not None
        and posting.details_digest != wanted.details_digest
    ):
        return Step(StepKind.EDIT_DETAILS)
    if wanted.chart and posting.chart in {None, CHART_AGAIN}:
        return Step(StepKind.POST_CHART)
    return Step(StepKind.REST)


def _leave(posting: Posting, wanted: Wanted) -> Step:
    """What a stand-in still tells: what it has not told, and that it is no longer needed."""
    untold = [entry for entry in wanted.entries if entry.number > posting.told]
    last = max((entry.number for entry in untold if relieves(entry)), default=0)
    telling = coalesce(
        e for e in untold if e.number <= last and (relieves(e) or is_told(e, edits=wanted.edits))
    )
    if posting.root is None or not telling:
        return Step(StepKind.REST)
    return Step(StepKind.REPLY, tuple(telling))


def relieves(entry: Entry) -> bool:
    """Whether this entry says that a destination shows the incident again."""
    return entry.kind is EntryKind.DELIVERY and not entry.data.get("instead")


def after_chart_failure(posting: Posting, *, for_good: bool) -> Posting:
    """The posting after its chart was not shown: one more try, when it is next due."""
    again = posting.chart is None and not for_good
    return replace(posting, chart=CHART_AGAIN if again else NO_CHART)


#: Postings with a lower priority number than this are those of urgent incidents.
URGENT_BELOW = 4


def priority(incident: Incident, *, root_shown: bool) -> int:
    """The order under storm, lowest first: urgent before others, new before changed.

    An incident that is already over can wait for those that are not.
    """
    worth = 4 - severity_rank(incident.severity)
    over = incident.status is Status.RESOLVED
    return 4 * worth + 2 * over + root_shown
