"""Interactive elements: where they stand, and what they hold when a person has used them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

JsonObject = dict[str, Any]
Choice = str | int | float | datetime | list[str] | None

STATELESS = {"button", "overflow", "workflow_button"}
_ONE_OPTION = {"static_select", "radio_buttons", "overflow", "external_select"}
_MANY_OPTIONS = {"multi_static_select", "checkboxes", "multi_external_select"}
_TEXTS = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_NAMED = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
_INITIAL = {
    "selected_user": "initial_user",
    "selected_conversation": "initial_conversation",
    "selected_channel": "initial_channel",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}
INTERACTIVE = STATELESS | _ONE_OPTION | _MANY_OPTIONS | _TEXTS | _NAMED.keys() | {
    "multi_users_select"
}  # fmt: skip


@dataclass(frozen=True)
class Control:
    """One interactive element in its block."""

    element: JsonObject
    block: JsonObject
    attachment: int | None = None

    @property
    def action_id(self) -> str:
        return str(self.element["action_id"])

    @property
    def block_id(self) -> str:
        return str(self.block["block_id"])

    @property
    def kind(self) -> str:
        return str(self.element["type"])

    @property
    def label(self) -> str:
        """The words a person knows it by."""
        for part in (self.block.get("label"), self.element.get("text"),
                     self.element.get("placeholder")):  # fmt: skip
            if isinstance(part, dict):
                return str(part["text"])
        return self.action_id

    @property
    def dispatches(self) -> bool:
        """Whether using it tells the app at once."""
        return self.block["type"] != "input" or bool(self.block.get("dispatch_action"))

    @property
    def optional(self) -> bool:
        return bool(self.block.get("optional"))


def controls(
    blocks: Iterable[JsonObject], attachments: Iterable[JsonObject] = ()
) -> Iterator[Control]:
    """In reading order."""
    yield from _of_blocks(blocks, None)
    for attachment in attachments:
        yield from _of_blocks(attachment.get("blocks", []), attachment["id"])


def _of_blocks(blocks: Iterable[JsonObject], attachment: int | None) -> Iterator[Control]:
    for block in blocks:
        parts = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for part in parts:
            if isinstance(part, dict) and part.get("type") in INTERACTIVE:
                yield Control(part, block, attachment)


def find(present: Iterable[Control], name: str, *, value: str | None = None) -> Control:
    """By action_id, block_id or label, and the button's value; fails when there is not exactly
    one, as nobody can click what is not there."""
    there = list(present)
    found = [
        control
        for control in there
        if name in {control.action_id, control.block_id, control.label}
        and (value is None or control.element.get("value") == value)
    ]
    listing = ", ".join(f"{c.action_id} ({c.label!r})" for c in there) or "none"
    assert found, f"nothing called {name!r} here; there is: {listing}"
    assert len(found) == 1, f"{len(found)} are called {name!r}; name a value: {listing}"
    return found[0]


def initial(element: JsonObject) -> JsonObject:
    """What it holds before anybody touched it, as `state.values` says it."""
    kind = element["type"]
    if kind in _TEXTS:
        return {"type": kind, "value": element.get("initial_value")}
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in _MANY_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    if kind == "multi_users_select":
        return {"type": kind, "selected_users": element.get("initial_users", [])}
    key = _NAMED[kind]
    return {"type": kind, key: element.get(_INITIAL[key])}


def holding(element: JsonObject, choice: Choice) -> JsonObject:
    """What it holds after a person chose this; AssertionError for what the client refuses."""
    kind = element["type"]
    if kind in _TEXTS:
        return {"type": kind, "value": _typed(element, choice)}
    if kind in _ONE_OPTION:
        option = None if choice is None else _option(element, str(choice))
        return {"type": kind, "selected_option": option}
    if kind in _MANY_OPTIONS:
        return {"type": kind, "selected_options": [_option(element, c) for c in _list(choice)]}
    if kind == "multi_users_select":
        return {"type": kind, "selected_users": _list(choice)}
    if kind == "datetimepicker" and isinstance(choice, datetime):
        choice = int(choice.timestamp())
    return {"type": kind, _NAMED[kind]: choice}


def is_empty(held: JsonObject) -> bool:
    return not any(value for name, value in held.items() if name != "type")


def _list(choice: Choice) -> list[str]:
    assert isinstance(choice, list), f"choose a list here, not {choice!r}"
    return choice


def _option(element: JsonObject, wanted: str) -> JsonObject:
    groups = element.get("option_groups", [])
    options = [*element.get("options", []), *(o for g in groups for o in g["options"])]
    found = [o for o in options if wanted in {o.get("value"), o["text"]["text"]}]
    offered = ", ".join(repr(o["text"]["text"]) for o in options)
    assert found, f"no option {wanted!r}; offered are {offered}"
    return dict(found[0])


def _typed(element: JsonObject, choice: Choice) -> str | None:
    text = "" if choice is None else str(choice)
    if element["type"] == "number_input":
        _check_number(element, text)
    assert len(text) <= element.get("max_length", 3000), f"the client takes no more of {text!r}"
    return text or None


def _check_number(element: JsonObject, text: str) -> None:
    if not text:
        return
    assert element.get("is_decimal_allowed") or "." not in text, f"no decimals: {text}"
    number = float(text)
    assert number >= float(element.get("min_value", "-inf")), f"too small: {text}"
    assert number <= float(element.get("max_value", "inf")), f"too large: {text}"
