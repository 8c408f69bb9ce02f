"""chat.postMessage, chat.update and chat.delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import blocks as block_kit
from . import mrkdwn, shapes, validation
from .arguments import microseconds
from .model import Channel, Content, JsonObject, Message, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace

PUBLIC = "chat:write.public"


def post_message(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = _room_by_any_name(workspace, arguments.text("channel"))
    _check_may_post(room, caller)
    content, truncated = _posted_content(workspace, arguments)
    thread = _thread(workspace, room, arguments)
    broadcast = bool(thread) and arguments.flag("reply_broadcast")
    message = workspace.post(
        room.id, content, user=caller.bot_user, bot=caller, thread=thread, broadcast=broadcast
    )
    if name := arguments.text("username"):
        message.username = name
    shown = shapes.message(workspace, message, metadata=True)
    answer: JsonObject = {"channel": room.id, "ts": message.ts, "message": shown}
    if truncated:
        answer["warning"] = "message_truncated"
        answer["response_metadata"] = {"warnings": ["message_truncated"]}
    return answer


def update(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = room_by_id(workspace, arguments.required("channel"))
    _check_may_post(room, caller)
    message = _own_message(workspace, room, caller, arguments, "cant_update_message")
    if workspace.edit_window is not None:
        age = workspace.clock() - microseconds(message.ts) / 1_000_000
        if age > workspace.edit_window:
            raise SlackError("edit_window_closed")
    given = _given_content(workspace, arguments)
    if len(given.text) > validation.UPDATE_TEXT:
        raise SlackError("msg_too_long")
    content = _edited(message.content, given, arguments)
    if not (content.text.strip() or content.blocks or content.attachments):
        raise SlackError("no_text")
    validation.check_together(list(content.blocks), list(content.attachments))
    workspace.edit(message, content, mark="blocks" not in arguments.raw)
    shown = shapes.message(workspace, message, metadata=True)
    return {"channel": room.id, "ts": message.ts, "text": content.text, "message": shown}


def delete(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = room_by_id(workspace, arguments.required("channel"))
    message = _own_message(workspace, room, caller, arguments, "cant_delete_message")
    workspace.remove(message)
    return {"channel": room.id, "ts": message.ts}


def room_by_id(workspace: Workspace, channel: str) -> Channel:
    """Every method but chat.postMessage wants the id, and knows no names."""
    room = workspace.channels.get(channel)
    if room is None or (room.private and not room.bot_is_member):
        raise SlackError("channel_not_found")
    return room


def _room_by_any_name(workspace: Workspace, name: str) -> Channel:
    try:
        room = workspace.channels[workspace.channel_id(name)]
    except KeyError:
        raise SlackError("channel_not_found") from None
    return room_by_id(workspace, room.id)


def _check_may_post(room: Channel, caller: Token) -> None:
    if room.archived:
        raise SlackError("is_archived")
    if not room.bot_is_member and PUBLIC not in caller.scopes:
        raise SlackError("not_in_channel")
    if room.read_only:
        raise SlackError("restricted_action")


def _posted_content(workspace: Workspace, arguments: Arguments) -> tuple[Content, bool]:
    content = _given_content(workspace, arguments)
    if not (content.text.strip() or content.blocks or content.attachments):
        raise SlackError("no_text")
    validation.check_together(list(content.blocks), list(content.attachments))
    truncated = len(content.text) > validation.POST_TEXT
    return replace(content, text=content.text[: validation.POST_TEXT]), truncated


def _given_content(workspace: Workspace, arguments: Arguments) -> Content:
    blocks = attachments = ()  # type: tuple[JsonObject, ...]
    if "blocks" in arguments:
        valid = validation.validated_blocks(arguments.value("blocks"))
        _check_files(workspace, valid)
        blocks = tuple(validation.stored_blocks(valid))
    if "attachments" in arguments:
        given = validation.validated_attachments(arguments.value("attachments"))
        _check_files(workspace, given)
        attachments = tuple(validation.stored_attachments(given))
    metadata = None
    if "metadata" in arguments:
        metadata = validation.validated_metadata(arguments.value("metadata"))
    text = mrkdwn.escape_stray(arguments.text("text"))
    parse = arguments.text("parse") or "none"
    return Content(text, blocks, attachments, metadata, parse, arguments.flag("link_names"))


def _edited(before: Content, given: Content, arguments: Arguments) -> Content:
    """Slack's rules (docs.slack.dev/reference/methods/chat.update): `text` without `blocks`
    removes the blocks; attachments and metadata stay unless given, an empty one removes them."""
    has_text = "text" in arguments.raw
    has_blocks = "blocks" in arguments.raw
    has_attachments = "attachments" in arguments.raw
    if not (has_text or has_blocks or has_attachments):
        raise SlackError("no_text")
    return replace(
        given,
        text=given.text if has_text or has_blocks else before.text,
        blocks=given.blocks if has_text or has_blocks else before.blocks,
        attachments=given.attachments if has_attachments else before.attachments,
        metadata=given.metadata if "metadata" in arguments.raw else before.metadata,
    )


def _check_files(workspace: Workspace, parts: list[JsonObject]) -> None:
    for reference in block_kit.file_references(parts):
        known = workspace.files.get(str(reference.get("id") or reference.get("url", "")[-11:]))
        if known is None or not known.data:
            raise SlackError.explained("invalid_blocks", "invalid slack file", errors=True)


def _own_message(
    workspace: Workspace, room: Channel, caller: Token, arguments: Arguments, refusal: str
) -> Message:
    message = workspace.find(room.id, arguments.required("ts"))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    if message.bot_id != caller.bot_id:
        raise SlackError(refusal)
    return message


def _thread(workspace: Workspace, room: Channel, arguments: Arguments) -> str | None:
    """The root to reply to; a reply, or a message of another channel, is none."""
    if "thread_ts" not in arguments:
        return None
    root = workspace.find(room.id, arguments.text("thread_ts"))
    if root is not None and root.is_root:
        return root.ts
    if workspace.missing_thread == "unthread":
        return None
    raise SlackError("thread_not_found")
