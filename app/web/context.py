"""What the HTTP endpoints work with; `app.main` puts it together, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from app.engine.actions import Actions
from app.engine.clock import Clock
from app.engine.enrich import Enrich
from app.engine.feed import Feed
from app.engine.guard import Guard
from app.engine.intake import Intake
from app.engine.ledger import Ledger
from app.engine.loops import Loops
from app.engine.outlook import Outlook
from app.engine.policy import PolicyInForce
from app.engine.registry_watch import RegistryEvents
from app.engine.signed_links import SignedLinks
from app.engine.silences import Silencing
from app.settings import Settings
from app.store.database import Database

if TYPE_CHECKING:  # it costs 15 MB, and is there only where Slack is set up
    from app.slack.desk import Desk


@dataclass(frozen=True, slots=True)
class Context:
    """`slack` takes what Slack tells us. `reload` reads the configuration anew and raises
    ConfigError, leaving the old in force."""

    settings: Settings
    db: Database
    intake: Intake
    actions: Actions
    slack: Desk | None
    silencing: Silencing
    ledger: Ledger
    enrich: Enrich
    links: SignedLinks
    guard: Guard
    registry: RegistryEvents
    loops: Loops
    feed: Feed
    policy: PolicyInForce
    outlook: Callable[[], Outlook]
    clock: Clock
    reload: Callable[[], None]


def context(request: Request) -> Context:
    """The service's context, from the application's state."""
    return cast("Context", request.app.state.context)


Service = Annotated[Context, Depends(context)]
