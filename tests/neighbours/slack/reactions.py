"""reactions.*, and what people do with emoji."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import events, shapes
from .api_chat import room_by_id
from .model import JsonObject, Message, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .delivery import Delivery
    from .workspace import Workspace

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
MOST_EACH = 23
"""Different emoji one person may put on a message."""


def add(workspace: Workspace, message: Message, user: str, emoji: str) -> Delivery:
    with workspace.changed:
        chosen = message.reactions.setdefault(emoji, [])
        if user in chosen:
            raise SlackError("already_reacted")
        if sum(user in users for users in message.reactions.values()) >= MOST_EACH:
            raise SlackError("too_many_emoji")
        chosen.append(user)
        workspace.changed.notify_all()
        return events.reacted(workspace, message, user, emoji, added=True)


def remove(workspace: Workspace, message: Message, user: str, emoji: str) -> Delivery:
    with workspace.changed:
        chosen = message.reactions.get(emoji, [])
        if user not in chosen:
            raise SlackError("no_reaction")
        chosen.remove(user)
        if not chosen:
            del message.reactions[emoji]
        workspace.changed.notify_all()
        return events.reacted(workspace, message, user, emoji, added=False)


def api_add(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    add(workspace, _named(workspace, arguments), caller.bot_user, _emoji(arguments))
    return {}


def api_remove(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    remove(workspace, _named(workspace, arguments), caller.bot_user, _emoji(arguments))
    return {}


def api_get(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    message = _named(workspace, arguments)
    shown = shapes.message(workspace, message, metadata=False)
    return {"type": "message", "channel": message.channel, "message": shown}


def _named(workspace: Workspace, arguments: Arguments) -> Message:
    if "timestamp" not in arguments or "channel" not in arguments:
        raise SlackError("no_item_specified")
    room = room_by_id(workspace, arguments.text("channel"))
    if not room.bot_is_member:
        raise SlackError("not_in_channel")
    if room.archived:
        raise SlackError("is_archived")
    message = workspace.find(room.id, arguments.text("timestamp"))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    return message


def _emoji(arguments: Arguments) -> str:
    name = arguments.required("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return name
