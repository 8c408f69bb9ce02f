"""The incidents of a model's version in the order in which they opened; the words in the index.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("incidents_by_version", "incidents")
    op.create_index("incidents_by_version", "incidents", ["model_version", "opened_at", "id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE search_words USING fts5vocab(search, instance)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    op.drop_index("incidents_by_version", "incidents")
    op.create_index("incidents_by_version", "incidents", ["model_version"])
