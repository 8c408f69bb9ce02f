"""Brings a database to the schema this version of the service needs."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from app.errors import StoreUnavailable
from app.store.database import Transaction, alone

HEAD = "0005"
"""The newest migration. Known here so that a database that is up to date costs no more than
one query at start; a test holds it equal to `migrations/versions/`."""

_SCRIPTS = Path(__file__).parents[2] / "migrations"


def migrate(tx: Transaction) -> None:
    """Run the migrations that are missing. Raises StoreUnavailable on a newer database."""
    alone(tx)
    present = revision(tx)
    if present == HEAD:
        return
    if present is not None and present > HEAD:
        raise StoreUnavailable(
            f"The database is at revision {present}, newer than this version of Plantão "
            f"({HEAD}): start the newer version, or restore a backup."
        )
    # Imported only when there is something to do: it costs a third of a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = tx
    command.upgrade(config, "head")


def revision(tx: Transaction) -> str | None:
    """The newest migration that was run; None for an empty database."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    found: str | None = tx.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def touch(tx: Transaction) -> None:
    """Write something that changes nothing, to learn whether writing works."""
    tx.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
