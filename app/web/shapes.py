"""What answers look like, for whoever reads `/docs` or makes a client of it.

`views.py` makes them; a test asks the running service whatever the document allows and holds
every answer against these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_Labels = dict[str, str]


class Shape(BaseModel):
    model_config = ConfigDict(extra="allow")


class Problem(Shape):
    """RFC 9457; `detail` is a sentence that says what to do."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["Incident 3 is already resolved by Ana at 2026-11-23T06:00:00Z."])
    obstacle: str = Field(
        default="", description="Why an action does not fit.", examples=["already_resolved"]
    )
    by: str = Field(default="", description="Who was faster.", examples=["Ana"])
    at: datetime | None = Field(default=None, description="When.")


class Alert(Shape):
    """`value` is what was measured for it last; `unconfirmed` marks a doubtful re-fire."""

    fingerprint: str = Field(examples=["9b1c2d3e4f5a6b7c"])
    status: Literal["firing", "resolved"]
    labels: _Labels
    annotations: _Labels
    starts_at: datetime
    ends_at: datetime | None
    value: float | None
    generator_url: str
    unconfirmed: bool
    resolution: str | None


class Counts(Shape):
    firing: int
    resolved: int


class Links(Shape):
    graph: str | None
    dashboard: str | None
    self: str | None


class Finding(Shape):
    """What one source said; which keys there are depends on the source."""

    at: datetime


class Missing(Shape):
    source: str
    reason: str


class Neighbour(Shape):
    incident: int
    title: str
    component: str


class Context(Shape):
    """What each source said of the opening, what is newer beside it, and what is missing."""

    opening: dict[str, Finding]
    latest: dict[str, Finding]
    missing: list[Missing]
    upstream: list[Neighbour]
    downstream: list[Neighbour]


class Change(Shape):
    """Something that was changed in the pipeline, between `not_before` (if known) and `at`."""

    id: int
    source: str
    kind: str
    title: str
    at: datetime
    not_before: datetime | None
    labels: _Labels
    link: str | None


class KnownChange(Shape):
    state: Literal["known"]


class Model(Shape):
    """The model version that was serving when the incident opened."""

    name: str
    version: str
    alias: str
    run_id: str
    witness: str
    since: datetime | None
    previous_version: str | None
    challenger_version: str | None
    metrics: dict[str, float]
    link: str | None


class Silence(Shape):
    """`silence_id` is Alertmanager's own id, null until it has it."""

    id: int
    silence_id: str | None
    state: str
    by: str
    comment: str
    matchers: list[str]
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    muted: int
    made_here: bool


class Proposal(Shape):
    """What a silence would mute; `mutes` holds at most 100 of the `muted` alerts."""

    matchers: list[str]
    mutes: list[Alert]
    muted: int
    firing: int


class Posting(Shape):
    """One incident as shown at one destination, and the last thing that failed there."""

    id: int
    destination: str
    receiver: str
    state: str
    reference: str | None
    shown_revision: int
    attempts: int
    last_error: str | None
    first_shown_at: datetime | None


class Note(Shape):
    """`text` is null once it is removed."""

    id: int
    by: str
    at: datetime
    text: str | None
    link: str | None
    edited_at: datetime | None
    removed_at: datetime | None
    removed_by: str | None


class Item(Shape):
    """An incident as lists have it, with at most 100 alerts; only what `fields` names, if that
    is given."""

    id: int = Field(default=0, examples=[3])
    title: str = Field(default="", examples=["KafkaLag: lag is 90,000 records"])
    status: Literal["triggered", "acknowledged", "resolved"] = "triggered"
    severity: str = Field(default="", examples=["critical"])
    receiver: str = Field(default="", examples=["fraud-oncall"])
    receivers: list[str] = []
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    assigned_at: datetime | None = None
    assigned_to: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None
    updated_at: datetime | None = None
    revision: int = Field(default=0, description="For `If-Match`.", examples=[2])
    labels: _Labels = Field(default={}, description="Those that all its alerts share.")
    annotations: _Labels = {}
    group_labels: _Labels = {}
    alerts: list[Alert] = []
    alert_counts: Counts | None = None
    runbook_url: str | None = None
    links: Links | None = None
    context: Context | None = None
    changes: list[Change] = []
    model: Model | None = None
    occurrences: int = Field(default=0, description="Firing notifications seen.")
    reopened: int = 0
    truncated: bool = False
    hidden_alerts: int = 0
    unconfirmed: bool = False
    silences: list[Silence] = []
    postings: list[Posting] = []


class Page(Shape):
    """`next` is the cursor of the next page, null on the last. A page can be shorter than
    `limit` and not be the last: where a matcher fits few, each page looks through so many."""

    items: list[Item]
    next: str | None


class Incident(Item):
    """An incident whole; `note` is there where the request was about one."""

    id: int
    title: str
    status: Literal["triggered", "acknowledged", "resolved"]
    severity: str
    revision: int
    notes: list[Note]
    note: Note | None = None


class Entry(Shape):
    """One line of a timeline; `data` depends on the kind."""

    number: int
    kind: str = Field(examples=["acknowledged"])
    at: datetime
    actor: str = Field(examples=["Ana"])
    data: dict[str, Any]


class Timeline(Shape):
    items: list[Entry]


class Receipt(Shape):
    """One webhook body as it came; the body itself only where one receipt is asked for."""

    receipt: int
    state: str
    received_at: datetime
    applied_at: datetime | None
    receiver: str
    problem: str | None
    size: int
    headers: dict[str, str]
    body: str = ""
    body_base64: str = ""


class Receipts(Shape):
    """`next` is the `before` of the next page."""

    items: list[Receipt]
    next: int | None


class Taken(Shape):
    receipt: int
    state: str
    problem: str = ""


class Changes(Shape):
    """`next` is the `before` of the next page."""

    items: list[Change]
    next: int | None


class State(Shape):
    status: str
