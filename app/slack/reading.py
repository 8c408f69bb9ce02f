"""From the bytes that Slack sends to the closed union of `requests.py`; raises only Malformed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json

from app.slack.requests import (
    Caller,
    Challenged,
    Commanded,
    HomeOpened,
    Malformed,
    Marked,
    Mentioned,
    Nothing,
    Payload,
    Pressed,
    Reacted,
    Request,
    Rewritten,
    Spot,
    Submitted,
    View,
)

_MOST_FIELDS = 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TS = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")
_MESSAGES = ("message", "message_attachment")
_CHANGES = ("message_changed", "message_deleted")


def interaction(body: bytes) -> Request:
    """The body of `/slack/interactions`: a form with the payload as JSON in it."""
    return interaction_payload(_json(_form(body).get("payload", "").encode()))


def command(body: bytes) -> Request:
    """The body of `/slack/commands`: a form."""
    return command_payload(_form(body))


def event(body: bytes) -> Request:
    """The body of `/slack/events`: JSON."""
    return event_payload(_json(body))


def interaction_payload(payload: Payload) -> Request:
    """What was pressed, sent or marked."""
    match payload.get("type"):
        case "block_actions":
            return _pressed(payload)
        case "view_submission":
            view = _view(_object(payload, "view"))
            return Submitted(_once(payload), _caller(payload), _trigger(payload), view)
        case "message_action":
            return _marked(payload)
        case str():
            return Nothing()
        case _:
            raise Malformed("type: expected the name of an interaction")


def command_payload(payload: Payload) -> Request:
    """A slash command; Slack also asks now and then whether our certificate is good."""
    if payload.get("ssl_check"):
        return Nothing()
    handle = _text(payload, "user_name", "")
    return Commanded(
        once=_once(payload),
        caller=Caller(_id(payload, "user_id"), handle),
        text=_text(payload, "text", ""),
        channel=_id(payload, "channel_id"),
        trigger=_trigger(payload),
        answer_to=_text(payload, "response_url"),
    )


def event_payload(payload: Payload) -> Request:
    """An event of the Events API, or the question whether this address is ours."""
    match payload.get("type"):
        case "url_verification":
            return Challenged(_text(payload, "challenge"))
        case "event_callback":
            once = f"event:{_text(payload, 'event_id')}"
            return _event(once, _object(payload, "event"))
        case str():
            return Nothing()
        case _:
            raise Malformed("type: expected the name of a callback")


def _event(once: str, happened: Payload) -> Request:
    match happened.get("type"):
        case "reaction_added" | "reaction_removed":
            return _reacted(once, happened)
        case "message" if happened.get("subtype") in _CHANGES:
            return _rewritten(once, happened)
        case "app_mention" if not happened.get("bot_id"):
            spot = Spot(_id(happened, "channel"), _ts(happened, "ts"), _thread(happened))
            caller = Caller(_id(happened, "user"))
            return Mentioned(once, caller, _text(happened, "text", ""), spot)
        case "app_home_opened" if happened.get("tab", "home") == "home":
            return HomeOpened(once, Caller(_id(happened, "user")))
        case str():
            return Nothing()
        case _:
            raise Malformed("event.type: expected the name of an event")


def _reacted(once: str, happened: Payload) -> Request:
    item = _object(happened, "item")
    if item.get("type") != "message":
        return Nothing()
    spot = Spot(_id(item, "channel"), _ts(item, "ts"))
    return Reacted(once, Caller(_id(happened, "user")), _text(happened, "reaction"), spot)


def _rewritten(once: str, happened: Payload) -> Request:
    """Our own edits come back as events, too: of them, and other bots', nothing is noted."""
    deleted = happened.get("subtype") == "message_deleted"
    message = _object(happened, "previous_message" if deleted else "message")
    if message.get("bot_id"):
        return Nothing()
    return Rewritten(once, Spot(_id(happened, "channel"), _ts(message, "ts"), _thread(message)))


def _pressed(payload: Payload) -> Request:
    actions = payload.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        raise Malformed("actions: expected a list with what was pressed")
    view = payload.get("view")
    return Pressed(
        once=_once(payload),
        caller=_caller(payload),
        action=_text(actions[0], "action_id"),
        value=_value(actions[0]),
        trigger=_trigger(payload),
        answer_to=_text(payload, "response_url", ""),
        spot=_spot(payload),
        view=_view(view) if isinstance(view, dict) else None,
    )


def _marked(payload: Payload) -> Request:
    message = _object(payload, "message")
    channel = _id(_object(payload, "channel"), "id")
    return Marked(
        once=_once(payload),
        caller=_caller(payload),
        action=_text(payload, "callback_id"),
        spot=Spot(channel, _ts(message, "ts"), _thread(message)),
        trigger=_trigger(payload),
        answer_to=_text(payload, "response_url", ""),
    )


def _spot(payload: Payload) -> Spot | None:
    """The message the press was made in; None in a modal or a Home."""
    container = payload.get("container")
    if not isinstance(container, dict) or container.get("type") not in _MESSAGES:
        return None
    return Spot(_id(container, "channel_id"), _ts(container, "message_ts"), _thread(container))


def _view(view: Payload) -> View:
    state = view.get("state")
    filled = state.get("values") if isinstance(state, dict) else None
    inputs = list(_inputs(filled if isinstance(filled, dict) else {}))
    return View(
        id=_id(view, "id"),
        kind=_text(view, "type"),
        callback=_text(view, "callback_id", ""),
        metadata=_text(view, "private_metadata", ""),
        values={name: _value(given) for _, name, given in inputs},
        blocks={name: block for block, name, _ in inputs},
    )


def _inputs(filled: Payload) -> Iterator[tuple[str, str, Payload]]:
    """Each input's block, its action_id, and what it holds."""
    for block, inputs in filled.items():
        for name, given in inputs.items() if isinstance(inputs, dict) else ():
            if isinstance(given, dict):
                yield block, name, given


def _value(given: Payload) -> str:
    """What an element holds, whatever its kind; several choices are joined by commas."""
    chosen = given.get("selected_options")
    if isinstance(chosen, list):
        return ",".join(_value(each) for each in chosen if isinstance(each, dict))
    option = given.get("selected_option")
    if isinstance(option, dict):
        return _value(option)
    for key in ("value", "selected_user", "selected_conversation", "selected_channel"):
        if isinstance(found := given.get(key), str):
            return found
    return ""


def _caller(payload: Payload) -> Caller:
    user = _object(payload, "user")
    handle = user.get("name") or user.get("username")
    return Caller(_id(user, "id"), handle if isinstance(handle, str) else "")


def _once(payload: Payload) -> str:
    return f"trigger:{_trigger(payload)}"


def _trigger(payload: Payload) -> str:
    return _text(payload, "trigger_id")


def _thread(payload: Payload) -> str:
    return _ts(payload, "thread_ts") if payload.get("thread_ts") is not None else ""


def _ts(payload: Payload, key: str) -> str:
    found = _text(payload, key)
    if not _TS.fullmatch(found):
        raise Malformed(f"{key}: expected a message's ts")
    return found


def _id(payload: Payload, key: str) -> str:
    found = _text(payload, key)
    if not _ID.fullmatch(found):
        raise Malformed(f"{key}: expected an id")
    return found


def _text(payload: Payload, key: str, default: str | None = None) -> str:
    found = payload.get(key, default)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise Malformed(f"{key}: expected a text")
    return found


def _object(payload: Payload, key: str) -> Mapping[str, Any]:
    found = payload.get(key)
    if not isinstance(found, dict):
        raise Malformed(f"{key}: expected an object")
    return found


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:  # also of bytes that are no UTF-8
        raise Malformed("The body is not a form in UTF-8.") from None
    return dict(pairs)


def _json(body: bytes) -> Payload:
    try:
        found = from_json(body)
    except ValueError:
        raise Malformed("The body is not JSON in UTF-8.") from None
    if not isinstance(found, dict):
        raise Malformed("The body is no JSON object.")
    return found
