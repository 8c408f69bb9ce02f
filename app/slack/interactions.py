"""What people press and fill in: each is an event through `decide`, or a modal that leads to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.core.events import (
    Acknowledged,
    Assigned,
    NoteAdded,
    PersonEvent,
    ResolvedByPerson,
    Unacknowledged,
)
from app.engine.actions import Actions
from app.engine.clock import Clock
from app.errors import DeliveryFailed, NotApplicable, Obstacle, PlantaoError
from app.notifiers.mrkdwn import Block
from app.notifiers.slack_api import SlackApi
from app.notifiers.wording import N_, Words
from app.slack import modals
from app.slack.answering import Answers, Talk, talk_of
from app.slack.directory import Directory
from app.slack.requests import Caller, Pressed, Submitted
from app.slack.rights import NotAllowed, Rights
from app.slack.speech import obstacle

_TOO_LATE = N_("Slack gave us no time to ask you more: press again.")


@dataclass(frozen=True, slots=True)
class Doer:
    """Does one thing for one person, or tells them why not."""

    actions: Actions
    answers: Answers
    rights: Rights
    clock: Clock

    async def act(
        self, talk: Talk, number: int, event: Callable[[Caller], Awaitable[PersonEvent]]
    ) -> bool:
        """Whether it was done; where it was not, they have been told."""
        try:
            await self.actions.act(number, await event(talk.caller), once=talk.once)
        except PlantaoError as error:
            await self.explain(talk, number, error)
            return False
        return True

    async def explain(self, talk: Talk, number: int, error: PlantaoError) -> None:
        """Why something was not done."""
        now = self.clock.now()
        if isinstance(error, NotAllowed):
            groups = ", ".join(f"@{name.lstrip('@')}" for name in self.rights.groups)
            await self.answers.tell(talk, lambda words: words.say(str(error), groups=groups))
        else:
            await self.answers.tell(talk, lambda words: obstacle(words, number, error, now=now))
