"""Modals in stacks of three, and App Homes: what each person has before their eyes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import content, elements
from .elements import Control
from .model import Content, SlackError

JsonObject = dict[str, Any]
DEEPEST = 3


@dataclass
class View:
    """One modal or App Home. `content` is what the app gave, as Slack keeps it."""

    id: str
    user: str
    content: JsonObject
    hash: str
    root: str
    previous: str | None = None
    is_open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    """What the last submission was refused for, by block_id."""
    warning: str | None = None
    people: dict[str, str] = field(default_factory=dict, repr=False)
    _held: dict[tuple[str, str], JsonObject] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return str(self.content.get("title", {}).get("text", ""))

    @property
    def visible_text(self) -> str:
        """Title, blocks, errors and buttons, line by line, as a person reads them."""
        blocks = content.visible_text(Content(blocks=tuple(self.content["blocks"])), self.people)
        ends = [self.content.get(name) for name in ("submit", "close")]
        lines = [self.title, blocks, *self.errors.values(), self.warning or ""]
        return "\n".join([*filter(None, lines), *(end["text"] for end in ends if end)])

    @property
    def controls(self) -> list[Control]:
        return list(elements.controls(self.content["blocks"]))

    def __contains__(self, words: str) -> bool:
        return words in self.visible_text

    def holds(self, control: Control) -> JsonObject:
        """What an element holds now."""
        held = self._held.get((control.block_id, control.action_id))
        return held or elements.initial(control.element)

    def hold(self, control: Control, held: JsonObject) -> None:
        self._held[control.block_id, control.action_id] = held

    def values(self) -> JsonObject:
        """`state.values`."""
        found: JsonObject = {}
        for control in self.controls:
            if control.kind not in elements.STATELESS:
                found.setdefault(control.block_id, {})[control.action_id] = self.holds(control)
        return found

    def replace(self, new: JsonObject, number: str) -> None:
        """Another content; what a person entered stays where block_id and action_id stay."""
        self.content = new
        self.hash = number
        self.errors, self.warning = {}, None
        there = {(c.block_id, c.action_id): c.kind for c in self.controls}
        self._held = {k: v for k, v in self._held.items() if there.get(k) == v["type"]}


class Views:
    """Guarded by the workspace; `next_ts` numbers what is new."""

    def __init__(self, next_ts: Callable[[], str], people: Callable[[], dict[str, str]]) -> None:
        self._next_ts = next_ts
        self._people = people
        self._known: dict[str, View] = {}
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def all(self) -> list[View]:
        """Every modal there ever was, oldest first."""
        return [v for v in self._known.values() if v.content["type"] == "modal"]

    def top(self, user: str) -> View | None:
        stack = self._stacks.get(user)
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def open(self, user: str, given: JsonObject) -> View:
        """A new modal; one that was open is gone."""
        self._check_external(given)
        self.clear(user)
        view = self._new(user, given)
        self._stacks[user] = [view]
        return view

    def push(self, user: str, given: JsonObject) -> View:
        stack = self._stacks.get(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= DEEPEST:
            raise SlackError("push_limit_reached")
        self._check_external(given)
        view = self._new(user, given)
        view.root, view.previous = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def update(self, view: View, given: JsonObject, *, known: str | None = None) -> None:
        """`known`: the hash the app believes it has."""
        if known and known != view.hash:
            raise SlackError("hash_conflict")
        self._check_external(given, besides=view)
        view.replace(given, self._hash())

    def publish(self, user: str, given: JsonObject, *, known: str | None = None) -> View:
        present = self._homes.get(user)
        if present is None:
            present = self._homes[user] = self._new(user, given)
        else:
            self.update(present, given, known=known)
        return present

    def find(self, *, view_id: str = "", external_id: str = "") -> View:
        for view in self._known.values():
            external = bool(external_id) and view.content["external_id"] == external_id
            if view.is_open and (view.id == view_id or external):
                return view
        raise SlackError("not_found")

    def close(self, view: View) -> None:
        """This one alone: the one below is seen again."""
        view.is_open = False
        self._stacks[view.user] = [v for v in self._stacks.get(view.user, []) if v is not view]

    def clear(self, user: str) -> list[View]:
        """The whole stack; those that were open."""
        gone = self._stacks.pop(user, [])
        for view in gone:
            view.is_open = False
        return gone

    def _new(self, user: str, given: JsonObject) -> View:
        number = f"V{len(self._known) + 1:010d}"
        view = View(number, user, given, self._hash(), root=number, people=self._people())
        self._known[number] = view
        return view

    def _hash(self) -> str:
        stamp = self._next_ts()
        return f"{stamp.split('.', maxsplit=1)[0]}.{int(stamp[-6:]):08x}"

    def _check_external(self, given: JsonObject, *, besides: View | None = None) -> None:
        name = given["external_id"]
        if name and any(
            v.is_open and v is not besides and v.content["external_id"] == name
            for v in self._known.values()
        ):
            raise SlackError("duplicate_external_id")
