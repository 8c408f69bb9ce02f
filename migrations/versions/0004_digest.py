"""The weekly digest, and an index for the statistics: what people did about an incident.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PEOPLE_ACTED = "kind IN ('acknowledged', 'assigned', 'note', 'silenced')"


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("until", "destination"),
    )
    op.create_index(
        "timeline_of_people",
        "timeline",
        ["incident_id", "kind", "at"],
        unique=False,
        sqlite_where=sa.text(_PEOPLE_ACTED),
        postgresql_where=sa.text(_PEOPLE_ACTED),
    )


def downgrade() -> None:
    op.drop_index("timeline_of_people", "timeline")
    op.drop_table("digests")
