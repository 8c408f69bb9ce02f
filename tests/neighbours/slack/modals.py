"""A modal in a person's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import elements, interactions, payloads
from .delivery import Delivery, nothing_sent
from .elements import Choice

if TYPE_CHECKING:
    from .people import Person
    from .views import View


class Modal:
    """One view of a stack; what a test holds stays the same view through updates."""

    def __init__(self, person: Person, view: View) -> None:
        self._person = person
        self._workspace = person.workspace
        self.view = view

    @property
    def title(self) -> str:
        return self.view.title

    @property
    def visible_text(self) -> str:
        return self.view.visible_text

    @property
    def is_open(self) -> bool:
        return self.view.is_open

    @property
    def errors(self) -> dict[str, str]:
        """By block_id, as the app answered."""
        return self.view.errors

    def __contains__(self, words: str) -> bool:
        return words in self.view

    def value(self, field: str) -> object:
        """What a field holds: its text, or the values of its chosen options."""
        held = self.view.holds(elements.find(self.view.controls, field))
        return next((_plain(value) for name, value in held.items() if name != "type"), None)

    def fill(self, field: str, choice: Choice) -> Delivery:
        """By label, block_id or action_id: text, a number, an option's value or label, a user's
        id, a moment, or a list of options. The app hears of it only where it asked to."""
        return self._person.use_view(self.view, field, choice)

    def click(self, name: str, *, value: str | None = None) -> Delivery:
        return self._person.use_view(self.view, name, None, value=value)

    def submit(self) -> Delivery:
        """AssertionError for what the client itself does not let pass: fields left empty."""
        workspace = self._workspace
        with workspace.changed:
            self._check_on_top()
            assert self.view.content["submit"], f"{self.title!r} has no submit button"
            self._check_complete()
            payload = payloads.view_submission(workspace, self._person.user, self.view)
            then = interactions.submission_answer(workspace, self.view)
            about = f"submitted {self.title!r}"
            return interactions.tell(workspace, self._person.user, payload, about, then=then)

    def close(self) -> Delivery:
        """Cancel, back, or Esc: this view only, unless it clears all."""
        return self._closed(everything=bool(self.view.content["clear_on_close"]))

    def dismiss(self) -> Delivery:
        """The cross in the corner: the whole stack."""
        return self._closed(everything=True)

    def _closed(self, *, everything: bool) -> Delivery:
        workspace, user = self._workspace, self._person.user
        with workspace.changed:
            self._check_on_top()
            gone = [self.view]
            if everything:
                gone = workspace.views.clear(user.id)
            else:
                workspace.views.close(self.view)
            workspace.changed.notify_all()
            told = [interactions.closed(workspace, user, v, cleared=everything) for v in gone]
        sent = [delivery for delivery in told if delivery]
        return sent[-1] if sent else nothing_sent(user.id, f"closed {self.title!r}")

    def _check_on_top(self) -> None:
        assert self.view.is_open, f"{self.title!r} is closed"
        top = self._workspace.views.top(self._person.id)
        assert top is self.view, f"{top.title if top else 'nothing'!r} lies over {self.title!r}"

    def _check_complete(self) -> None:
        for control in self.view.controls:
            if control.block["type"] != "input":
                continue
            held = self.view.holds(control)
            empty = elements.is_empty(held)
            assert control.optional or not empty, f"please complete this field: {control.label!r}"
            shortest = control.element.get("min_length", 0)
            assert empty or len(str(held.get("value", ""))) >= shortest, f"too short: {held}"


def _plain(value: object) -> object:
    match value:
        case {"value": str(inner)}:
            return inner
        case list():
            return [_plain(item) for item in value]
        case _:
            return value
