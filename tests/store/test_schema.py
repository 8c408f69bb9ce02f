"""Migrations make exactly what the models declare, on both databases."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.errors import StoreUnavailable
from app.store import schema
from app.store.database import Database, Transaction
from app.store.tables import metadata
from tests.house import serving

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """An empty database of each kind."""
    db = Database(database_url)
    yield db
    db.close()


def _config(tx: Transaction | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    return config


def _differences(tx: Transaction) -> list[Any]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, _kind, _parents: not _is_of_full_text(name),
    }
    return list(compare_metadata(MigrationContext.configure(tx, opts=options), metadata))


def _tables(tx: Transaction) -> set[str]:
    names = sa.inspect(tx).get_table_names()
    return {name for name in names if not _is_of_full_text(name)} - {"alembic_version"}


def _is_of_full_text(name: str | None) -> bool:
    """What only one of the databases has for its full-text index."""
    return name is not None and name.startswith(("search", "texts_by_"))


async def test_migrations_make_what_the_models_declare(db: Database) -> None:
    await db.write(schema.migrate)
    assert await db.read(_differences) == []
    assert await db.read(_tables) == set(metadata.tables)


async def test_migrating_again_changes_nothing(db: Database) -> None:
    await db.write(schema.migrate)
    await db.write(schema.migrate)
    assert await db.read(schema.revision) == schema.HEAD


async def test_down_and_up_again(db: Database) -> None:
    await db.write(schema.migrate)
    await db.write(lambda tx: command.downgrade(_config(tx), "base"))
    assert await db.read(_tables) == set()
    await db.write(schema.migrate)
    assert await db.read(_differences) == []


async def test_a_newer_database_is_refused(db: Database) -> None:
    await db.write(schema.migrate)
    newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
    await db.write(lambda tx: tx.execute(newer))
    with pytest.raises(StoreUnavailable, match=r"revision 9999, newer .* start the newer version"):
        await db.write(schema.migrate)


async def test_the_service_does_not_start_on_a_newer_database(tmp_path: Path) -> None:
    async with serving(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "plantao.db", isolation_level=None)) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="newer"):
        async with serving(tmp_path):
            pass


def test_the_newest_migration_is_the_one_the_service_expects() -> None:
    scripts = ScriptDirectory.from_config(_config())
    assert scripts.get_heads() == [schema.HEAD]


def test_migrations_are_numbered_in_their_order() -> None:
    """`schema.migrate` tells newer from older by comparing the numbers."""
    numbers = [each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()]
    assert numbers == sorted(numbers, reverse=True)


def _statements(path: Path) -> dict[str, list[str]]:
    """What makes each table and index, its parts in an order of their own."""
    with closing(sqlite3.connect(path)) as plain:
        rows = plain.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            name: sorted(re.split(r"[\s,]*[,\n]\s*", sql.removesuffix(")").strip()))
            for name, sql in rows
        }


async def test_on_sqlite_they_are_equal_to_the_letter(tmp_path: Path) -> None:
    """Partial indexes and AUTOINCREMENT, too, which Alembic does not compare."""
    migrated, declared = tmp_path / "migrated.db", tmp_path / "declared.db"
    for path, make in ((migrated, schema.migrate), (declared, metadata.create_all)):
        db = Database(f"sqlite:///{path}")
        await db.write(make)
        db.close()
    made = _statements(migrated)
    made.pop("alembic_version", None)
    assert made == _statements(declared)
