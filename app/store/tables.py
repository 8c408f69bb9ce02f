"""Every table. Migrations in `migrations/` make them; a test holds the two equal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.store import columns

# The numbering must not start again after the newest rows are deleted: people say them.
_KEEP_COUNTING = {"sqlite_autoincrement": True}


class ReceiptRow(SQLModel, table=True):
    """One webhook body as it came, kept before anything else happens."""

    __tablename__ = "receipts"
    __table_args__ = (
        sa.Index(
            "receipts_waiting",
            "id",
            sqlite_where=sa.text("state = 'accepted'"),
            postgresql_where=sa.text("state = 'accepted'"),
        ),
        sa.Index("receipts_by_time", "received_at"),
        _KEEP_COUNTING,
    )

    id: int = columns.number()
    received_at: datetime = columns.time()
    state: str = columns.text()
    problem: str | None = columns.text(nullable=True)
    receiver: str = columns.text()
    headers: Mapping[str, str] = columns.json()
    body: bytes = Field(sa_type=cast("Any", columns.Packed))
    size: int
    applied_at: datetime | None = columns.time(nullable=True)
    replayed: bool = False


class IncidentRow(SQLModel, table=True):
    """One episode of related alerts."""

    __tablename__ = "incidents"
    __table_args__ = (
        sa.Index("incidents_by_key", "key", "id"),
        sa.Index("incidents_by_status", "status", "opened_at"),
        # What is filtered by stands in it too: a page is found without reading whole rows.
        sa.Index(
            "incidents_by_opening",
            *("opened_at", "id", "status", "severity", "model", "model_version", "component"),
        ),
        sa.Index("incidents_by_update", "updated_at", "id"),
        sa.Index("incidents_by_urgency", "urgency", "id", "severity"),
        sa.Index("incidents_by_change", "change"),
        sa.Index("incidents_by_end", "resolved_at"),
        sa.Index("incidents_by_model", "model", "model_version"),
        sa.Index("incidents_by_version", "model_version", "opened_at", "id"),
        sa.Index(
            "incidents_open",
            "component",
            sqlite_where=sa.text("status != 'resolved'"),
            postgresql_where=sa.text("status != 'resolved'"),
        ),
        sa.Index(
            "incidents_context_due",
            "context_due_at",
            sqlite_where=sa.text("context_due_at IS NOT NULL"),
            postgresql_where=sa.text("context_due_at IS NOT NULL"),
        ),
        _KEEP_COUNTING,
    )

    id: int = columns.number()
    key: str = columns.text()
    receivers: list[str] = columns.json()
    status: str = columns.text()
    severity: str = columns.text()
    title: str = columns.text()
    labels: Mapping[str, str] = columns.json()
    annotations: Mapping[str, str] = columns.json()
    group_labels: Mapping[str, str] = columns.json()
    group_key: str = columns.text()
    external_url: str = columns.text()
    firing: int
    resolved: int
    doubtful: int
    hidden: int
    hidden_group: str = columns.text()
    truncated: bool
    occurrences: int
    reopened: int
    revision: int
    opened_at: datetime = columns.time()
    updated_at: datetime = columns.time()
    acknowledged_at: datetime | None = columns.time(nullable=True)
    acknowledged_by: str | None = columns.text(nullable=True)
    acknowledged_ref: str | None = columns.text(nullable=True)
    assigned_at: datetime | None = columns.time(nullable=True)
    assigned_to: str | None = columns.text(nullable=True)
    assigned_ref: str | None = columns.text(nullable=True)
    resolved_at: datetime | None = columns.time(nullable=True)
    resolved_by: str | None = columns.text(nullable=True)
    resolved_ref: str | None = columns.text(nullable=True)
    ending: str | None = columns.text(nullable=True)
    replies_muted_at: datetime | None = columns.time(nullable=True)
    replies_muted_by: str | None = columns.text(nullable=True)
    component: str = columns.text()
    model: str | None = columns.text(nullable=True)
    model_version: str | None = columns.text(nullable=True)
    context_due_at: datetime | None = columns.time(nullable=True)
    change: int = Field(sa_type=sa.BigInteger, sa_column_kwargs={"server_default": "0"})
    urgency: int = Field(sa_column_kwargs={"server_default": "2"})


class AlertRow(SQLModel, table=True):
    """One alert as its incident knows it."""

    __tablename__ = "incident_alerts"
    __table_args__ = (
        sa.Index("alerts_by_fingerprint", "fingerprint", "incident_id"),
        sa.Index(
            "alerts_firing",
            "incident_id",
            sqlite_where=sa.text("status = 'firing'"),
            postgresql_where=sa.text("status = 'firing'"),
        ),
    )

    incident_id: int = Field(
        sa_type=sa.BigInteger, foreign_key="incidents.id", primary_key=True, ondelete="CASCADE"
    )
    fingerprint: str = columns.text(primary_key=True)
    status: str = columns.text()
    labels: Mapping[str, str] = columns.json()
    annotations: Mapping[str, str] = columns.json()
    starts_at: datetime = columns.time()
    ends_at: datetime | None = columns.time(nullable=True)
    generator_url: str = columns.text()
    reported_at: datetime = columns.time()
    unconfirmed: bool
    ending: str | None = columns.text(nullable=True)
    expires_at: datetime | None = columns.time(nullable=True)


class TextRow(SQLModel, table=True):
    """What an incident is found by: its words, and one word for each label of its alerts.

    On SQLite the full-text index `search` stands beside it, kept by triggers. On PostgreSQL the
    columns are made of such words themselves, and have indexes of their own.
    """

    __tablename__ = "texts"

    incident_id: int = Field(
        sa_type=cast("Any", columns.ROW_NUMBER),
        foreign_key="incidents.id",
        primary_key=True,
        ondelete="CASCADE",
    )
    words: str = Field(sa_type=cast("Any", columns.WORDS))
    labels: str = Field(sa_type=cast("Any", columns.WORDS))


#: What a person does about an incident; SQLite uses a partial index only for its own words.
PEOPLE_ACTED = "kind IN ('acknowledged', 'assigned', 'note', 'silenced')"


class TimelineRow(SQLModel, table=True):
    """One line of an incident's append-only account."""

    __tablename__ = "timeline"
    __table_args__ = (
        sa.Index("timeline_by_incident", "incident_id", "number"),
        sa.Index(
            "timeline_of_people",
            "incident_id",
            "kind",
            "at",
            sqlite_where=sa.text(PEOPLE_ACTED),
            postgresql_where=sa.text(PEOPLE_ACTED),
        ),
        _KEEP_COUNTING,
    )

    number: int = columns.number()
    incident_id: int = Field(sa_type=sa.BigInteger, foreign_key="incidents.id", ondelete="CASCADE")
    kind: str = columns.text()
    at: datetime = columns.time()
    actor: str = columns.text()
    actor_ref: str = columns.text()
    data: Mapping[str, object] = columns.json()


class PostingRow(SQLModel, table=True):
    """One incident as shown at one destination; the row is its own queue entry.

    It waits for delivery while `due_at` is set, and is in somebody's hands while
    `lease_until` is in the future.
    """

    __tablename__ = "postings"
    __table_args__ = (
        sa.UniqueConstraint("incident_id", "destination", name="postings_once"),
        sa.Index(
            "postings_due",
            "destination",
            "priority",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
        sa.Index("postings_by_root", "root"),
        _KEEP_COUNTING,
    )

    id: int = columns.number()
    token: str = columns.text()
    incident_id: int = Field(sa_type=sa.BigInteger, foreign_key="incidents.id", ondelete="CASCADE")
    receiver: str = columns.text()
    destination: str = columns.text()
    created_at: datetime = columns.time()
    state: str = columns.text()
    root: str | None = columns.text(nullable=True)
    root_digest: str = columns.text()
    details: str | None = columns.text(nullable=True)
    details_digest: str = columns.text()
    chart: str | None = columns.text(nullable=True)
    told: int = Field(sa_type=sa.BigInteger)
    shown_revision: int
    in_doubt: bool
    plain: bool
    attempts: int
    last_error: str | None = columns.text(nullable=True)
    first_shown_at: datetime | None = columns.time(nullable=True)
    priority: int
    asked: int
    stands_in_for: str | None = columns.text(nullable=True)
    due_at: datetime | None = columns.time(nullable=True)
    lease_until: datetime | None = columns.time(nullable=True)
    lease_by: str | None = columns.text(nullable=True)


class ContextRow(SQLModel, table=True):
    """What one source said about one incident: of its opening, and the latest beside it."""

    __tablename__ = "incident_context"

    incident_id: int = Field(
        sa_type=sa.BigInteger, foreign_key="incidents.id", primary_key=True, ondelete="CASCADE"
    )
    source: str = Field(sa_type=sa.Text, primary_key=True)
    moment: str = Field(sa_type=sa.Text, primary_key=True)
    at: datetime = columns.time()
    kind: str = columns.text()
    facts: str = columns.text()


class ChangeRow(SQLModel, table=True):
    """Something that was changed in the pipeline. `delivery` makes a repeat harmless.

    `not_before` is set where it was only noticed: then `at` is when.
    """

    __tablename__ = "changes"
    __table_args__ = (
        sa.Index("changes_by_time", "at"),
        sa.UniqueConstraint("source", "delivery", name="changes_once"),
        _KEEP_COUNTING,
    )

    id: int = columns.number()
    source: str = columns.text()
    kind: str = columns.text()
    title: str = columns.text()
    at: datetime = columns.time()
    labels: Mapping[str, str] = columns.json()
    link: str | None = columns.text(nullable=True)
    delivery: str | None = columns.text(nullable=True)
    not_before: datetime | None = columns.time(nullable=True)


class SightRow(SQLModel, table=True):
    """What one watched neighbour showed last, to be compared with what it shows next."""

    __tablename__ = "sights"

    name: str = columns.text(primary_key=True)
    at: datetime = columns.time()
    state: str = columns.text()
    revision: int = Field(sa_type=sa.BigInteger)


class SeenRow(SQLModel, table=True):
    """Something Slack told us that had its effect; Slack tells some of it twice."""

    __tablename__ = "slack_seen"
    __table_args__ = (sa.Index("slack_seen_by_time", "at"),)

    key: str = Field(sa_type=sa.Text, primary_key=True)
    at: datetime = columns.time()


class CounterRow(SQLModel, table=True):
    """A count that never goes back, whatever is deleted."""

    __tablename__ = "counters"

    name: str = Field(sa_type=sa.Text, primary_key=True)
    value: int = Field(sa_type=sa.BigInteger)


class KeyRow(SQLModel, table=True):
    """A key that signs what leaves the service. Whoever reads it can sign in our name."""

    __tablename__ = "keys"

    name: str = Field(sa_type=sa.Text, primary_key=True)
    key: bytes = Field(sa_type=sa.LargeBinary)
    made_at: datetime = columns.time()


class SilenceRow(SQLModel, table=True):
    """A silence of Alertmanager's as one incident knows it, or the wish to have one made."""

    __tablename__ = "silences"
    __table_args__ = (
        sa.UniqueConstraint("incident_id", "reference", name="silences_once"),
        sa.Index("silences_by_reference", "reference"),
        sa.Index("silences_by_token", "token"),
        sa.Index(
            "silences_live",
            "incident_id",
            sqlite_where=sa.text("state NOT IN ('ended', 'not made')"),
            postgresql_where=sa.text("state NOT IN ('ended', 'not made')"),
        ),
        _KEEP_COUNTING,
    )

    id: int = columns.number()
    incident_id: int = Field(sa_type=sa.BigInteger, foreign_key="incidents.id", ondelete="CASCADE")
    state: str = columns.text()
    reference: str | None = columns.text(nullable=True)
    token: str = columns.text()
    here: bool
    matchers: list[list[str]] = columns.json()
    by: str = columns.text()
    comment: str = columns.text()
    link: str = columns.text()
    starts_at: datetime = columns.time()
    ends_at: datetime = columns.time()
    muted: int
    warned: bool
    ending_by: str | None = columns.text(nullable=True)
    ended_at: datetime | None = columns.time(nullable=True)
    ended_by: str | None = columns.text(nullable=True)
    unknown_since: datetime | None = columns.time(nullable=True)
    due_at: datetime | None = columns.time(nullable=True)
    problem: str = columns.text()


class DigestRow(SQLModel, table=True):
    """One week's digest at one destination; like a posting, the row is its own queue entry."""

    __tablename__ = "digests"

    until: datetime = Field(sa_type=columns.UtcTime, primary_key=True)
    destination: str = columns.text(primary_key=True)
    token: str = columns.text()
    created_at: datetime = columns.time()
    attempts: int
    in_doubt: bool
    last_error: str | None = columns.text(nullable=True)
    sent_at: datetime | None = columns.time(nullable=True)
    due_at: datetime | None = columns.time(nullable=True)
    lease_until: datetime | None = columns.time(nullable=True)


class AnswerRow(SQLModel, table=True):
    """What a request with an idempotency key was answered with."""

    __tablename__ = "answers"
    __table_args__ = (sa.Index("answers_by_time", "at"),)

    key: str = columns.text(primary_key=True)
    digest: str = columns.text()
    at: datetime = columns.time()
    revision: int
    body: bytes = Field(sa_type=sa.LargeBinary)


class TokenRow(SQLModel, table=True):
    """A token of the API. Rows stay when tokens end: who acted with one remains to be seen."""

    __tablename__ = "tokens"
    __table_args__ = (_KEEP_COUNTING,)

    id: int = columns.number()
    name: str = columns.text()
    access: str = columns.text()
    digest: str = columns.text(unique=True)
    made_at: datetime = columns.time()
    expires_at: datetime | None = columns.time(nullable=True)
    revoked_at: datetime | None = columns.time(nullable=True)
    used_at: datetime | None = columns.time(nullable=True)


def table(model: type[SQLModel]) -> sa.Table:
    """The SQLAlchemy table behind a model."""
    return cast("sa.Table", model.__table__)  # type: ignore[attr-defined]


metadata = SQLModel.metadata

#: SQLite's full-text index over `texts`. It keeps no copy of them, nor their lengths.
FULL_TEXT = (
    "CREATE VIRTUAL TABLE search USING fts5("
    "words, labels, content='texts', content_rowid='incident_id', columnsize=0)",
    "CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN "
    "INSERT INTO search(rowid, words, labels) VALUES (new.incident_id, new.words, new.labels); "
    "END",
    "CREATE TRIGGER texts_gone AFTER DELETE ON texts BEGIN "
    "INSERT INTO search(search, rowid, words, labels) "
    "VALUES ('delete', old.incident_id, old.words, old.labels); END",
    # Its words, one by one, which beginnings are completed from.
    "CREATE VIRTUAL TABLE search_words USING fts5vocab(search, instance)",
)
#: The same on PostgreSQL.
WORD_INDEXES = (
    "CREATE INDEX texts_by_word ON texts USING gin (words)",
    "CREATE INDEX texts_by_label ON texts USING gin (labels)",
)
for _kind, _statements in (("sqlite", FULL_TEXT), ("postgresql", WORD_INDEXES)):
    for _statement in _statements:
        _ddl = sa.DDL(_statement).execute_if(dialect=_kind)  # type: ignore[no-untyped-call]
        sa.event.listen(table(TextRow), "after_create", _ddl)
