"""Databases for the store's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.store import schema
from app.store.database import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of each kind."""
    db = Database(database_url)
    await db.write(schema.migrate)
    yield db
    db.close()
