"""Context: what sources say of an incident, the change ledger, the model that was serving.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW = ("component", "model", "model_version", "context_due_at")


def upgrade() -> None:
    _widen_incidents()
    op.create_table(
        "incident_context",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("incident_id", "source", "moment"),
    )
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "delivery", name="changes_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("changes_by_time", "changes", ["at"])
    op.add_column("postings", sa.Column("chart", sa.Text(), nullable=True))


def _widen_incidents() -> None:
    # An empty component is right for what is over; the open ones get theirs with their next event.
    op.add_column("incidents", sa.Column("component", sa.Text(), nullable=False, server_default=""))
    op.add_column("incidents", sa.Column("model", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("model_version", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("context_due_at", sa.BigInteger(), nullable=True))
    op.create_index("incidents_by_model", "incidents", ["model", "model_version"])
    for name, column, where in (
        ("incidents_open", "component", "status != 'resolved'"),
        ("incidents_context_due", "context_due_at", "context_due_at IS NOT NULL"),
    ):
        op.create_index(
            name,
            "incidents",
            [column],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    op.drop_column("postings", "chart")
    op.drop_table("changes")
    op.drop_table("incident_context")
    for index in ("incidents_context_due", "incidents_open", "incidents_by_model"):
        op.drop_index(index, "incidents")
    for column in _NEW:
        op.drop_column("incidents", column)
