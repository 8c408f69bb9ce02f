"""What a modal or an App Home may hold (docs.slack.dev/reference/views)."""

from __future__ import annotations

import json

from .blocks import BLOCKS, ELEMENTS, check_unique
from .model import JsonObject, SlackError
from .schema import (
    Check,
    Problems,
    anything,
    boolean,
    both,
    choice,
    integer,
    items,
    plain,
    record,
    text,
    typed,
)
from .validation import stored_blocks

MOST_BLOCKS = 100
MOST_BYTES = 250_000
_FOCUS: dict[str, Check] = {"focus_on_load": boolean, "placeholder": plain(150)}
_NAME: dict[str, Check] = {"action_id": text(255)}
_TYPE: dict[str, Check] = {"type": anything}
_DISPATCH = {"dispatch_action_config": anything}
_NUMBER = text(30)


def _line(**more: Check) -> Check:
    return record(_TYPE, {**_NAME, **_FOCUS, **_DISPATCH, "initial_value": text(3000), **more})


_INPUTS: dict[str, Check] = {
    "plain_text_input": _line(multiline=boolean, min_length=integer, max_length=integer),
    "email_text_input": _line(),
    "url_text_input": _line(),
    "number_input": record(
        {**_TYPE, "is_decimal_allowed": boolean},
        {**_NAME, **_FOCUS, **_DISPATCH, "initial_value": _NUMBER, "min_value": _NUMBER,
         "max_value": _NUMBER},
    ),
    **{
        kind: ELEMENTS[kind]
        for kind in ("static_select", "multi_static_select", "users_select", "multi_users_select",
                     "conversations_select", "channels_select", "datepicker", "timepicker",
                     "datetimepicker", "checkboxes", "radio_buttons", "external_select")
    },
}  # fmt: skip
_INPUT = record(
    {**_TYPE, "label": plain(2000), "element": typed(_INPUTS)},
    {
        "block_id": text(255),
        "hint": plain(2000),
        "optional": boolean,
        "dispatch_action": boolean,
    },
)
_BLOCKS = items(typed({**BLOCKS, "input": _INPUT}), most=MOST_BLOCKS, fewest=0)
_COMMON: dict[str, Check] = {
    "private_metadata": text(3000, shortest=0),
    "callback_id": text(255, shortest=0),
    "external_id": text(255, shortest=0),
}
_MODAL = record(
    {**_TYPE, "title": plain(24), "blocks": _BLOCKS},
    {
        **_COMMON,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME = record({"type": choice("home"), "blocks": _BLOCKS}, _COMMON)


def _submittable(value: object, pointer: str, problems: Problems) -> None:
    if not isinstance(value, dict) or problems:
        return
    if any(block["type"] == "input" for block in value["blocks"]) and "submit" not in value:
        problems.append(
            f"must define `submit` to use an `input` block in modals [json-pointer:{pointer}]"
        )


_VIEWS = {"modal": both(_MODAL, _submittable), "home": _HOME}


def validated_view(value: object, kind: str) -> JsonObject:
    """A view as it is kept; SlackError with Slack's own words for what it refuses."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError.explained("invalid_arguments", "must be valid JSON") from None
    if problems := _problems(value, kind):
        raise SlackError.explained("invalid_arguments", *problems)
    assert isinstance(value, dict)
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_BYTES:
        raise SlackError("view_too_large")
    return _kept(value)


def _problems(value: object, kind: str) -> Problems:
    problems: Problems = []
    typed({kind: _VIEWS[kind]})(value, "/view", problems)
    if not problems and isinstance(value, dict):
        check_unique(value["blocks"], "/view/blocks", problems)
        _check_initial(value["blocks"], problems)
    return problems


def _check_initial(blocks: list[JsonObject], problems: Problems) -> None:
    """What is chosen from the start must be among what can be chosen."""
    for number, block in enumerate(blocks):
        element = block.get("element") or block.get("accessory") or {}
        options = [*element.get("options", [])]
        for group in element.get("option_groups", []):
            options += group["options"]
        chosen = [*element.get("initial_options", [])]
        chosen += [element["initial_option"]] if "initial_option" in element else []
        if options and any(option not in options for option in chosen):
            problems.append(
                "initial option was not found in options "
                f"[json-pointer:/view/blocks/{number}/element]"
            )


def _kept(view: JsonObject) -> JsonObject:
    kept = {"private_metadata": "", "callback_id": "", "external_id": "", **view}
    if view["type"] == "modal":
        defaults = {"clear_on_close": False, "notify_on_close": False, "submit": None,
                    "close": None}  # fmt: skip
        kept = {**defaults, **kept}
    return kept | {"blocks": stored_blocks(view["blocks"])}
