"""The database itself, beside a service that may be running on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.errors import PlantaoError

if TYPE_CHECKING:
    from app.settings import Settings
    from app.store.database import Transaction

T = TypeVar("T")

_FIRST_WITH_TOKENS = "0002"


async def in_database(settings: Settings, work: Callable[[Transaction], T]) -> T:
    """Bring the database up to date and do this in one transaction.

    Raises PlantaoError where it cannot be opened: said better here than by whoever comes upon it.
    """
    from app.store import schema  # noqa: PLC0415
    from app.store.database import Database  # noqa: PLC0415

    try:
        db = Database(settings.database_url.get_secret_value(), guest=True)
    except OSError as error:
        told = f"{error.filename}: {error.strerror}"
        raise PlantaoError(
            f"the database cannot be opened: {told} (PLANTAO_DATABASE_URL)"
        ) from None
    try:
        await db.write(schema.migrate)
        return await db.write(work)
    finally:
        db.close()


async def has_token(settings: Settings) -> bool:
    """Whether a token made by `plantao tokens` opens the API now. Nothing is changed."""
    from app.engine.clock import SystemClock  # noqa: PLC0415
    from app.store import schema, tokens  # noqa: PLC0415
    from app.store.database import Database  # noqa: PLC0415

    now = SystemClock().now()

    def live(tx: Transaction) -> bool:
        if (schema.revision(tx) or "") < _FIRST_WITH_TOKENS:
            return False
        return any(token.live(now) for token in tokens.every(tx))

    url = settings.database_url.get_secret_value()
    if not _there(url):
        return False
    db = Database(url, guest=True)
    try:
        return await db.read(live)
    finally:
        db.close()


def _there(url: str) -> bool:
    """Whether there is a database to be asked, and none would be made by asking."""
    file = url.removeprefix("sqlite:///")
    return file == url or Path(file).is_file()
