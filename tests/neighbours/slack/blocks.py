"""Block Kit's rules for messages (docs.slack.dev/reference/block-kit), as a table of checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .schema import (
    Check,
    Problems,
    anything,
    boolean,
    both,
    choice,
    image_url,
    integer,
    items,
    plain,
    record,
    text,
    text_object,
    typed,
    url,
)

JsonObject = dict[str, Any]
MOST_BLOCKS = 50

_TYPE: dict[str, Check] = {"type": anything}
_ACTION: dict[str, Check] = {"action_id": text(255)}
_BLOCK: dict[str, Check] = {"block_id": text(255)}
_STYLE: Check = choice("primary", "danger")

_CONFIRM = record(
    {"title": plain(100), "text": text_object(300)},
    {"confirm": plain(30), "deny": plain(30), "style": _STYLE},
)
_OPTION = record(
    {"text": text_object(75), "value": text(150)},
    {"description": text_object(75), "url": url()},
)
_PLAIN_OPTION = record(
    {"text": plain(75), "value": text(150)},
    {"description": plain(75), "url": url()},
)
"""Menus show no mrkdwn; checkboxes and radio buttons do."""
_GROUP = record({"label": plain(75), "options": items(_PLAIN_OPTION, most=100)})
_FOCUS: dict[str, Check] = {"confirm": _CONFIRM, "focus_on_load": boolean}
_MENU: dict[str, Check] = {**_ACTION, **_FOCUS, "placeholder": plain(150)}
_SLACK_FILE = record({}, {"id": text(255), "url": url()})

_BUTTON = record(
    {**_TYPE, "text": plain(75)},
    {
        **_ACTION,
        "url": url(3000),
        "value": text(2000),
        "style": _STYLE,
        "confirm": _CONFIRM,
        "accessibility_label": text(75),
    },
)


def _one_of_options(value: object, pointer: str, problems: Problems) -> None:
    if isinstance(value, dict) and ("options" in value) == ("option_groups" in value):
        problems.append(f"must provide options or option_groups [json-pointer:{pointer}]")


def _select(**more: Check) -> Check:
    return record(_TYPE, {**_MENU, **more})


def _static(**more: Check) -> Check:
    choices = {"options": items(_PLAIN_OPTION, most=100), "option_groups": items(_GROUP, most=100)}
    return both(_select(**choices, **more), _one_of_options)


def _picked(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, anything)


_ID: Check = text(255)
_IDS: Check = items(_ID, most=100, fewest=0)
_MULTI: dict[str, Check] = {"max_selected_items": integer}
_TEN_OPTIONS = {**_TYPE, "options": items(_OPTION, most=10)}
ELEMENTS: dict[str, Check] = {
    "button": _BUTTON,
    "workflow_button": anything,
    "static_select": _static(initial_option=_PLAIN_OPTION),
    "multi_static_select": _static(initial_options=items(_PLAIN_OPTION, most=100), **_MULTI),
    "external_select": _select(initial_option=_PLAIN_OPTION, min_query_length=integer),
    "users_select": _select(initial_user=_ID),
    "multi_users_select": _select(initial_users=_IDS, **_MULTI),
    "conversations_select": _select(
        initial_conversation=_ID,
        default_to_current_conversation=boolean,
        response_url_enabled=boolean,
        filter=anything,
    ),
    "channels_select": _select(initial_channel=_ID, response_url_enabled=boolean),
    "overflow": record({**_TYPE, "options": items(_PLAIN_OPTION, most=5)}, {**_ACTION, **_FOCUS}),
    "datepicker": _select(initial_date=text(10)),
    "timepicker": _select(initial_time=text(5), timezone=text(64)),
    "datetimepicker": record(_TYPE, {**_ACTION, **_FOCUS, "initial_date_time": integer}),
    "checkboxes": record(_TEN_OPTIONS, {**_ACTION, **_FOCUS, **_picked("initial_options")}),
    "radio_buttons": record(_TEN_OPTIONS, {**_ACTION, **_FOCUS, **_picked("initial_option")}),
}


def _one_image(value: object, pointer: str, problems: Problems) -> None:
    if isinstance(value, dict) and ("image_url" in value) == ("slack_file" in value):
        problems.append(f"must provide image_url or slack_file [json-pointer:{pointer}]")


_IMAGE_PARTS = {"image_url": image_url, "slack_file": _SLACK_FILE}
_IMAGE_ELEMENT = both(record({**_TYPE, "alt_text": text(2000)}, _IMAGE_PARTS), _one_image)
_IMAGE_BLOCK = both(
    record({**_TYPE, "alt_text": text(2000)}, {**_BLOCK, **_IMAGE_PARTS, "title": plain(2000)}),
    _one_image,
)
_SECTION_PARTS: dict[str, Check] = {
    **_BLOCK,
    "text": text_object(3000),
    "fields": items(text_object(2000), most=10),
    "accessory": typed({**ELEMENTS, "image": _IMAGE_ELEMENT}),
    "expand": boolean,
}


def _has_content(value: object, pointer: str, problems: Problems) -> None:
    if isinstance(value, dict) and not {"text", "fields"} & value.keys():
        problems.append(f"missing required field: text or fields [json-pointer:{pointer}]")


_CONTEXT_ELEMENTS = {
    **{
        kind: text_object(3000, kinds=(kind,))  # undocumented; text objects hold 3,000 everywhere
        for kind in ("plain_text", "mrkdwn")
    },
    "image": _IMAGE_ELEMENT,
}
_RICH = typed(
    dict.fromkeys(
        ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"),
        anything,
    )
)
BLOCKS: dict[str, Check] = {
    "section": both(record(_TYPE, _SECTION_PARTS), _has_content),
    "header": record({**_TYPE, "text": plain(150)}, {**_BLOCK, "level": integer}),
    "divider": record(_TYPE, _BLOCK),
    "context": record({**_TYPE, "elements": items(typed(_CONTEXT_ELEMENTS), most=10)}, _BLOCK),
    "actions": record({**_TYPE, "elements": items(typed(ELEMENTS), most=25)}, _BLOCK),
    "image": _IMAGE_BLOCK,
    "markdown": record({**_TYPE, "text": text(12000)}, _BLOCK),
    "rich_text": record({**_TYPE, "elements": items(_RICH, most=100)}, _BLOCK),
}
_MESSAGE = items(typed(BLOCKS), most=MOST_BLOCKS, fewest=0)


def check_blocks(blocks: object, pointer: str = "/blocks") -> Problems:
    """Everything Slack would refuse about these blocks; an empty list when it takes them."""
    problems: Problems = []
    _MESSAGE(blocks, pointer, problems)
    if not problems and isinstance(blocks, list):
        check_unique(blocks, pointer, problems)
    return problems


def check_unique(blocks: list[JsonObject], pointer: str, problems: Problems) -> None:
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        if (block_id := block.get("block_id")) is not None:
            if block_id in seen:
                problems.append(
                    f"`block_id` already exists: {block_id} "
                    f"[json-pointer:{pointer}/{number}/block_id]"
                )
            seen.add(block_id)
        _check_actions(block, f"{pointer}/{number}", problems)


def _check_actions(block: JsonObject, pointer: str, problems: Problems) -> None:
    seen: set[str] = set()
    for number, element in enumerate(block.get("elements", [])):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if action_id is not None and action_id in seen:
            problems.append(
                f"`action_id` already exists: {action_id} "
                f"[json-pointer:{pointer}/elements/{number}/action_id]"
            )
        if action_id is not None:
            seen.add(action_id)


def file_references(node: object) -> Iterator[JsonObject]:
    """Every `slack_file` in blocks, which must name an uploaded file."""
    match node:
        case list():
            for item in node:
                yield from file_references(item)
        case dict():
            if isinstance(node.get("slack_file"), dict):
                yield node["slack_file"]
            for value in node.values():
                yield from file_references(value)
        case _:
            return
