"""Expectations of what only one person sees: ephemeral messages, modals, warnings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .delivery import Delivery, Warned
from .expectations import Expectations
from .modals import Modal
from .model import Message

if TYPE_CHECKING:
    from .people import Person
    from .views import Views


class Sightings(Expectations):
    """Mixed into the workspace, which keeps what is seen."""

    views: Views

    def __init__(self) -> None:
        super().__init__()
        self.whispers: list[Message] = []
        """Every ephemeral message still on somebody's screen, oldest first."""
        self.warnings: list[Warned] = []
        self.lost_events: list[Delivery] = []
        """Events Slack gave up on after its last retry."""
        self.withheld_events: list[tuple[str, str]] = []
        """Events Slack did not send for want of a scope: (event, scope)."""
        self._seen: set[str] = set()

    def ephemeral(self, user: str) -> list[Message]:
        """What one person has of them on screen; by id."""
        with self.changed:
            return [m for m in self.whispers if m.visible_to == user]

    def warn(self, delivery: Delivery, shown: str, why: object) -> None:
        """Let a person see that something went wrong; `why` is for the test's author."""
        delivery.warned = Warned(delivery.user, delivery.about, shown, str(why))
        self.warnings.append(delivery.warned)
        self.changed.notify_all()

    def surprises(self) -> list[str]:
        told = [
            f"{m.visible_to} is told: {m.visible_text!r}"
            for m in self.whispers
            if (m.channel, m.ts) not in self._consumed
        ]
        opened = [
            f"{v.user} gets a modal: {v.visible_text!r}"
            for v in self.views.all()
            if v.id not in self._seen
        ]
        warned = [str(w) for w in self.warnings if not w.expected]
        lost = [f"event lost: {d.about}, {d.replies}" for d in self.lost_events]
        return told + opened + warned + lost

    def expect_ephemeral(self, user: str, containing: str, *, within: float) -> Message:
        what = f"{user} to be told {containing!r}"
        return self._wait(self._whisper(user, containing), what, within)

    async def expect_ephemeral_soon(self, user: str, containing: str, *, within: float) -> Message:
        what = f"{user} to be told {containing!r}"
        return await self._wait_soon(self._whisper(user, containing), what, within)

    def _whisper(self, user: str, containing: str) -> Callable[[], Message | None]:
        def look() -> Message | None:
            for message in self.ephemeral(user):
                if (message.channel, message.ts) not in self._consumed and containing in message:
                    self.consume(message)
                    return message
            return None

        return look

    def expect_modal(self, person: Person, containing: str, *, within: float) -> Modal:
        what = f"{person.user.name} to see a modal with {containing!r}"
        return self._wait(self._modal(person, containing), what, within)

    async def expect_modal_soon(self, person: Person, containing: str, *, within: float) -> Modal:
        what = f"{person.user.name} to see a modal with {containing!r}"
        return await self._wait_soon(self._modal(person, containing), what, within)

    def _modal(self, person: Person, containing: str) -> Callable[[], Modal | None]:
        def look() -> Modal | None:
            top = self.views.top(person.id)
            if top is None or containing not in top:
                return None
            self._seen.add(top.id)
            return Modal(person, top)

        return look
