"""Doing one thing for one person: who it is, whether they may, and why it was not done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.events import PersonEvent
from app.core.incidents import Incident
from app.core.person import Person
from app.engine.actions import Actions
from app.engine.clock import Clock
from app.errors import PlantaoError, Repeated
from app.notifiers.mrkdwn import calm
from app.notifiers.wording import Words
from app.slack.answering import Answers, Talk
from app.slack.rights import NotAllowed, Rights
from app.slack.speech import obstacle

_LONGEST = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Doer:
    """`act` raises what stands in the way; `try_to` tells it to the person."""

    actions: Actions
    answers: Answers
    rights: Rights
    clock: Clock

    async def act(
        self, talk: Talk, number: int, event: Callable[[Person], PersonEvent]
    ) -> Incident:
        """Do it, once for each press; raises NotAllowed, NotFound, NotApplicable."""
        member = await self.rights.check(talk.caller)
        return await self.actions.act(number, event(member.person), once=talk.once)

    async def try_to(
        self, talk: Talk, number: int, event: Callable[[Person], PersonEvent]
    ) -> Incident | None:
        """The incident afterwards; None where it was not done, and they have been told."""
        try:
            return await self.act(talk, number, event)
        except PlantaoError as error:
            await self.explain(talk, number, error)
            return None

    async def explain(self, talk: Talk, number: int, error: PlantaoError) -> None:
        """Tell them why something was not done; of a repeat they know already."""
        if isinstance(error, Repeated):
            return
        await self.answers.tell(talk, lambda words: self.reason(words, number, error))

    def reason(self, words: Words, number: int, error: PlantaoError) -> str:
        """Why something was not done, as a sentence of mrkdwn."""
        if isinstance(error, NotAllowed):
            groups = ", ".join(f"@{name.lstrip('@')}" for name in self.rights.groups)
            return calm(words.say(str(error), groups=groups), _LONGEST)
        return obstacle(words, number, error, now=self.clock.now())
