"""App Home: my open incidents, all open ones by severity, each with its next step.

It is shown anew on every change to those who have opened it lately: all changes of a few
seconds at once, and only where it looks different.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from pydantic_core import to_json

from app.core.incidents import Incident
from app.engine.clock import Clock
from app.engine.outlook import Outlook
from app.errors import DeliveryFailed, StoreUnavailable, TryLater
from app.notifiers.mrkdwn import Block, section
from app.notifiers.slack_api import SlackApi
from app.notifiers.wording import Words
from app.slack import listing, modals
from app.slack.commands import open_incidents
from app.slack.directory import Directory
from app.slack.requests import Caller
from app.slack.speech import Speech
from app.store.database import Database

_EVERY = 5.0  # seconds between two looks at what has changed
_LATELY = timedelta(hours=12)
_MOST_VIEWERS = 200
_MINE, _ALL = 20, 60  # incidents; Slack takes 100 blocks in a Home
_BETWEEN = 0.6  # seconds between two people: views.publish allows some 100 a minute

log = structlog.get_logger()


class Home:
    """A loop, and what is shown at once to who opens it. Not safe for several event loops."""

    def __init__(
        self,
        db: Database,
        api: SlackApi,
        *,
        directory: Directory,
        speech: Speech,
        outlook: Callable[[], Outlook],
        clock: Clock,
    ) -> None:
        self._db = db
        self._api = api
        self._directory = directory
        self._speech = speech
        self._outlook = outlook
        self._clock = clock
        self._viewers: OrderedDict[str, datetime] = OrderedDict()
        self._shown: dict[str, str] = {}

    async def opened(self, caller: Caller) -> None:
        """Show it to somebody who has opened it, and keep it fresh from now on."""
        self._viewers[caller.id] = self._clock.now()
        self._viewers.move_to_end(caller.id)
        while len(self._viewers) > _MOST_VIEWERS:
            self._forget(next(iter(self._viewers)))
        self._shown.pop(caller.id, None)
        try:
            found, total = await self._db.read(open_incidents)
            await self._show(caller, found, total)
        except (DeliveryFailed, StoreUnavailable) as error:
            log.warning("App Home could not be shown", why=str(error))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(_EVERY)
            try:
                await self._refresh()
            except TryLater as error:
                await self._clock.sleep(error.after.total_seconds() if error.after else _EVERY)
            except (DeliveryFailed, StoreUnavailable) as error:
                log.warning("App Home could not be refreshed", why=str(error))

    async def _refresh(self) -> None:
        now = self._clock.now()
        for viewer in [who for who, at in self._viewers.items() if now - at > _LATELY]:
            self._forget(viewer)
        if not self._viewers:
            return
        found, total = await self._db.read(open_incidents)
        for viewer in list(self._viewers):
            if await self._show(Caller(viewer), found, total):
                await asyncio.sleep(0)
                await self._clock.sleep(_BETWEEN)

    async def _show(self, caller: Caller, found: Sequence[Incident], total: int) -> bool:
        """Whether it looks different than before, and so was shown anew."""
        member = await self._directory.member(caller)
        words, outlook, now = self._speech.of(member.locale), self._outlook(), self._clock.now()

        def seen(incidents: Sequence[Incident]) -> Block:
            own = listing.mine(incidents, member.person.refs)
            return view(words, own, incidents, total, page=outlook.public_url, now=now)

        digest = hashlib.sha256(to_json(seen(found))).hexdigest()
        if self._shown.get(caller.id) == digest:
            return False
        # Masked, and so counted, only on its way out: not at every look whether it has changed.
        shown = seen(outlook.masked(found))
        await self._api.call("views.publish", {"user_id": caller.id, "view": shown})
        self._shown[caller.id] = digest
        return True

    def _forget(self, viewer: str) -> None:
        self._viewers.pop(viewer, None)
        self._shown.pop(viewer, None)


def view(
    words: Words,
    own: Sequence[Incident],
    found: Sequence[Incident],
    total: int,
    *,
    page: str,
    now: datetime,
) -> Block:
    """What App Home looks like: `own` and `found` are open incidents, the worst first."""
    blocks = [_header(words.say("My open incidents"))]
    if own:
        blocks += listing.listed(words, own, most=_MINE, total=len(own), public_url=page, now=now)
    else:
        blocks.append(section(words.say("None is yours.")))
    blocks.append(_header(words.say("All open incidents")))
    if found:
        blocks += listing.listed(words, found, most=_ALL, total=total, public_url=page, now=now)
    else:
        blocks.append(section(words.say("🟢 No incident is open.")))
    return {"type": "home", "blocks": blocks}


def _header(text: str) -> Block:
    return {"type": "header", "text": modals.plain(text)}
