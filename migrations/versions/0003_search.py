"""Search and the live stream: the count of changes, urgency, words to be found by, indexes.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEXES = {
    "incidents_by_opening": (
        *("opened_at", "id", "status", "severity", "model", "model_version", "component"),
    ),
    "incidents_by_update": ("updated_at", "id"),
    "incidents_by_urgency": ("urgency", "id", "severity"),
    "incidents_by_change": ("change",),
    "incidents_by_version": ("model_version",),
}

# As core/alerts.py ranks them.
_URGENCY = """
UPDATE incidents SET change = id, urgency = CASE
  WHEN severity = 'none' THEN 0
  WHEN severity IN ('info', 'informational', 'notice', 'low') THEN 1
  WHEN severity IN ('error', 'high', 'major') THEN 3
  WHEN severity IN ('critical', 'crit', 'page', 'fatal', 'emergency', 'disaster') THEN 4
  ELSE 2 END
"""

_FULL_TEXT = (
    "CREATE VIRTUAL TABLE search USING fts5("
    "words, labels, content='texts', content_rowid='incident_id', columnsize=0)",
    "CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN "
    "INSERT INTO search(rowid, words, labels) VALUES (new.incident_id, new.words, new.labels); "
    "END",
    "CREATE TRIGGER texts_gone AFTER DELETE ON texts BEGIN "
    "INSERT INTO search(search, rowid, words, labels) "
    "VALUES ('delete', old.incident_id, old.words, old.labels); END",
)


def upgrade() -> None:
    _add_columns()
    words = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")
    op.create_table(
        "texts",
        sa.Column(
            "incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("words", words, nullable=False),
        sa.Column("labels", words, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    # What is there is put into the index of words by the loop that keeps it.
    op.execute("INSERT INTO counters SELECT 'changes', coalesce(max(id), 0) FROM incidents")
    op.drop_index("incidents_by_opening", "incidents")
    for name, columns in _INDEXES.items():
        op.create_index(name, "incidents", columns, unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for statement in _FULL_TEXT:
            op.execute(statement)
    else:
        op.create_index("texts_by_word", "texts", ["words"], postgresql_using="gin")
        op.create_index("texts_by_label", "texts", ["labels"], postgresql_using="gin")


def _add_columns() -> None:
    # Never by making the table anew, as Alembic's batches do: dropping the old one would take
    # along what belongs to its rows.
    op.add_column(
        "incidents", sa.Column("change", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "incidents", sa.Column("urgency", sa.Integer(), server_default="2", nullable=False)
    )
    op.execute(_URGENCY)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search")
    op.drop_table("texts")
    op.drop_table("counters")
    for name in _INDEXES:
        op.drop_index(name, "incidents")
    op.drop_column("incidents", "change")
    op.drop_column("incidents", "urgency")
    op.create_index("incidents_by_opening", "incidents", ["opened_at"], unique=False)
