"""Where requests from Slack arrive, over HTTP and Socket Mode alike: answered, then done."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, assert_never

from app.notifiers import slack_buttons
from app.notifiers.wording import Words, words
from app.slack import marks, modals, silence_modal
from app.slack.commands import Commands
from app.slack.errands import Errands
from app.slack.home import Home
from app.slack.interactions import Interactions
from app.slack.marks import Marks
from app.slack.requests import (
    Challenged,
    Commanded,
    HomeOpened,
    Marked,
    Mentioned,
    Nothing,
    Pressed,
    Reacted,
    Request,
    Rewritten,
    Submitted,
    View,
)
from app.slack.silences import Silences

_REMEMBERED = 10_000

Answer = dict[str, object]


class Desk:
    """Takes what has been read; the answer is there before anything is asked of anybody."""

    def __init__(
        self,
        errands: Errands,
        *,
        interactions: Interactions,
        silences: Silences,
        commands: Commands,
        marks: Marks,
        home: Home,
        zone: str,
    ) -> None:
        self._errands = errands
        self._interactions = interactions
        self._silences = silences
        self._commands = commands
        self._marks = marks
        self._home = home
        self._zone = zone
        self._taken: OrderedDict[str, None] = OrderedDict()

    def take(self, request: Request) -> Answer | None:
        """What to answer at once; the work goes on after it. Raises Busy.

        What was taken a moment ago is answered, and not done again; the database remembers
        for longer, with the effect.
        """
        match request:
            case Challenged(challenge):
                return {"challenge": challenge}
            case Nothing():
                return None
            case Submitted() if complaint := self._complaint(request.view):
                return {"response_action": "errors", "errors": complaint}
        if request.once not in self._taken:
            self._errands.take(lambda: self._work(request), key=_key(request))
            self._remember(request.once)
        return self._meanwhile(request)

    def _complaint(self, view: View) -> dict[str, str]:
        """What is wrong with what was filled in, by block; empty where nothing is."""
        speech = self._words(view)
        if view.callback == silence_modal.CALLBACK:
            found = silence_modal.complaint(speech, view)
        else:
            found = modals.complaint(speech, view.callback, view.values)
        return {view.blocks.get(name, name): told for name, told in found.items()}

    def _meanwhile(self, request: Request) -> Answer | None:
        """What stands in a modal while the work goes on; others close."""
        if not isinstance(request, Submitted) or request.view.callback != silence_modal.CALLBACK:
            return None
        about = modals.subject(request.view.metadata)
        name = silence_modal.name_of(request.once)
        view = silence_modal.asking(self._words(request.view), about, name=name)
        return {"response_action": "push", "view": view}

    def _words(self, view: View) -> Words:
        return words(modals.subject(view.metadata).locale, self._zone)

    def _remember(self, once: str) -> None:
        self._taken[once] = None
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)

    def _work(self, request: Request) -> Coroutine[Any, Any, None]:
        match request:
            case Pressed():
                return self._pressed(request)
            case Submitted():
                return self._submitted(request)
            case Commanded():
                return self._commands.commanded(request)
            case Mentioned():
                return self._commands.mentioned(request)
            case Marked():
                return self._marks.asked(request)
            case Reacted():
                return self._marks.reacted(request)
            case Rewritten():
                return self._marks.rewritten(request)
            case HomeOpened():
                return self._home.opened(request.caller)
            case Challenged() | Nothing():
                raise AssertionError("there is nothing to do")
            case _:
                assert_never(request)

    async def _submitted(self, request: Submitted) -> None:
        if request.view.callback == silence_modal.CALLBACK:
            await self._silences.submitted(request)
        else:
            await self._interactions.submitted(request)

    async def _pressed(self, request: Pressed) -> None:
        match request.action:
            case marks.REMOVE:
                await self._marks.unmarked(request)
            case slack_buttons.SILENCE:
                await self._silences.ask(request)
            case slack_buttons.END_SILENCE:
                await self._silences.end(request)
            case silence_modal.ALERTS if request.view:
                await self._silences.chose(request, request.view)
            case silence_modal.RETRY if request.view:
                await self._silences.again(request, request.view)
            case _:
                await self._interactions.pressed(request)
        if request.view and request.view.kind == "home":
            await self._home.opened(request.caller)


def _key(request: Request) -> str:
    """What concerns one message is done in order."""
    match request:
        case Marked(spot=spot) | Reacted(spot=spot) | Rewritten(spot=spot):
            return f"{spot.channel}:{spot.ts}"
        case _:
            return ""
