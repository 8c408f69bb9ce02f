"""What people press and fill in: an event through `decide`, or a modal that leads to one."""

from __future__ import annotations

from app.core.events import (
    Acknowledged,
    Assigned,
    NoteAdded,
    PersonEvent,
    RepliesMuted,
    RepliesUnmuted,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.person import Person
from app.errors import DeliveryFailed, NotApplicable, Obstacle, PlantaoError
from app.notifiers import slack_buttons
from app.notifiers.mrkdwn import Block
from app.notifiers.slack_api import SlackApi
from app.notifiers.wording import N_
from app.slack import modals
from app.slack.answering import Talk, talk_of
from app.slack.directory import Directory
from app.slack.doing import Doer
from app.slack.requests import Caller, Pressed, Submitted

_NO_PERSON = N_("An incident can only be assigned to an active person of this workspace.")


class Interactions:
    """Buttons and modals, wherever they are: in a thread, in App Home, in an answer."""

    def __init__(self, doer: Doer, api: SlackApi, directory: Directory) -> None:
        self._doer = doer
        self._api = api
        self._directory = directory

    async def pressed(self, request: Pressed) -> None:
        """One of our buttons; one we do not know (any more) does nothing."""
        talk, number = talk_of(request), modals.number(request.value)
        match request.action:
            case slack_buttons.ACKNOWLEDGE:
                await self._doer.try_to(talk, number, Acknowledged)
            case slack_buttons.UNACKNOWLEDGE:
                await self._doer.try_to(talk, number, Unacknowledged)
            case slack_buttons.RESOLVE:
                await self.resolve(talk, number)
            case slack_buttons.MORE:
                await self._more(talk, request.value)
            case slack_buttons.NOTE | slack_buttons.ASSIGN:
                await self._ask(talk, number, request.action)
            case _:
                pass

    async def submitted(self, request: Submitted) -> None:
        """A modal of ours; what was filled in has been checked already."""
        talk, about = talk_of(request), modals.subject(request.view.metadata)
        match request.view.callback:
            case modals.NOTE:
                text = modals.text(request.view.values)
                await self._doer.try_to(talk, about.incident, lambda by: NoteAdded(by, text))
            case modals.ASSIGN:
                await self._assign(talk, about.incident, request.view.values.get("person", ""))
            case modals.RESOLVE:
                await self._doer.try_to(
                    talk, about.incident, lambda by: ResolvedByPerson(by, force=True)
                )
            case _:
                pass

    async def resolve(self, talk: Talk, number: int) -> bool:
        """Whether it is resolved; while alerts fire they are asked what to do, if they can be."""
        try:
            await self._doer.act(talk, number, ResolvedByPerson)
        except NotApplicable as error:
            if error.obstacle is Obstacle.STILL_FIRING and talk.trigger:
                await self._ask_to_resolve(talk, number, error.firing)
            else:
                await self._doer.explain(talk, number, error)
            return False
        except PlantaoError as error:
            await self._doer.explain(talk, number, error)
            return False
        return True

    async def _more(self, talk: Talk, value: str) -> None:
        """The menu; what leads somewhere by itself is only told of."""
        wanted, _, number = value.partition(":")
        match wanted:
            case "mute":
                await self._doer.try_to(talk, modals.number(number), RepliesMuted)
            case "unmute":
                await self._doer.try_to(talk, modals.number(number), RepliesUnmuted)
            case _:
                pass

    async def _ask_to_resolve(self, talk: Talk, number: int, firing: int) -> None:
        words = await self._doer.answers.words(talk)
        await self._open(talk, modals.resolve(words, talk.about(number, words), firing=firing))

    async def _ask(self, talk: Talk, number: int, action: str) -> None:
        words = await self._doer.answers.words(talk)
        about = talk.about(number, words)
        if action == modals.NOTE:
            view = modals.note(words, about)
        else:
            view = modals.assign(words, about, proposed=talk.caller.id)
        await self._open(talk, view)

    async def _open(self, talk: Talk, view: Block) -> None:
        try:
            await self._api.call("views.open", {"trigger_id": talk.trigger, "view": view})
        except DeliveryFailed:
            await self._doer.answers.tell(talk, lambda words: words.say(modals.TOO_LATE))

    async def _assign(self, talk: Talk, number: int, chosen: str) -> None:
        member = await self._directory.member(Caller(chosen))
        if not member.may_act:
            await self._doer.answers.tell(talk, lambda words: words.say(_NO_PERSON))
            return

        def event(by: Person) -> PersonEvent:
            return Assigned(by, member.person)

        await self._doer.try_to(talk, number, event)
