"""Where requests from Slack arrive, over HTTP and Socket Mode alike: answered, then done."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, assert_never

from app.notifiers.wording import words
from app.slack import marks, modals
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
)

_REMEMBERED = 10_000

Answer = dict[str, object]


class Desk:
    """Takes what has been read; the answer is there before anything is asked of anybody."""

    def __init__(
        self,
        errands: Errands,
        interactions: Interactions,
        commands: Commands,
        marks: Marks,
        home: Home,
        *,
        zone: str,
    ) -> None:
        self._errands = errands
        self._interactions = interactions
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
            case Submitted() if complaint := self._complaint(request):
                return {"response_action": "errors", "errors": complaint}
        if request.once not in self._taken:
            self._errands.take(lambda: self._work(request), key=_key(request))
            self._remember(request.once)
        return None

    def _complaint(self, request: Submitted) -> dict[str, str]:
        about = modals.subject(request.view.metadata)
        speech = words(about.locale, self._zone)
        return modals.complaint(speech, request.view.callback, request.view.values)

    def _remember(self, once: str) -> None:
        self._taken[once] = None
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)

    def _work(self, request: Request) -> Coroutine[Any, Any, None]:
        match request:
            case Pressed():
                return self._pressed(request)
            case Submitted():
                return self._interactions.submitted(request)
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

    async def _pressed(self, request: Pressed) -> None:
        if request.action == marks.REMOVE:
            await self._marks.unmarked(request)
            return
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
