"""chat.postMessage, chat.postEphemeral, chat.update, chat.delete and chat.getPermalink."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import shapes, validation
from .arguments import microseconds
from .model import Channel, Content, JsonObject, Message, SlackError, Token
from .posting import given_content, posted_content

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace

PUBLIC = "chat:write.public"


def post_message(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = _room_by_any_name(workspace, arguments.text("channel"))
    _check_may_post(room, caller)
    content, truncated = posted_content(workspace, arguments)
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


def post_ephemeral(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = _room_by_any_name(workspace, arguments.required("channel"))
    _check_may_post(room, caller)
    reader = workspace.users.get(arguments.required("user"))
    if reader is None or reader.deleted or reader.id in room.absent:
        raise SlackError("user_not_in_channel")
    content, _ = posted_content(workspace, arguments)
    thread = _thread(workspace, room, arguments)
    message = workspace.whisper(room.id, content, to=reader.id, bot=caller, thread=thread)
    return {"message_ts": message.ts}


def get_permalink(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = room_by_id(workspace, arguments.required("channel"))
    message = workspace.find(room.id, arguments.required("message_ts"))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    return {"channel": room.id, "permalink": permalink(workspace, message)}


def permalink(workspace: Workspace, message: Message) -> str:
    """A reply's names its thread, as Slack's own do."""
    url = f"{workspace.team['url']}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    return (
        f"{url}?thread_ts={message.thread_ts}&cid={message.channel}" if message.thread_ts else url
    )


def update(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = room_by_id(workspace, arguments.required("channel"))
    _check_may_post(room, caller)
    message = _own_message(workspace, room, caller, arguments, "cant_update_message")
    if workspace.edit_window is not None:
        age = workspace.clock() - microseconds(message.ts) / 1_000_000
        if age > workspace.edit_window:
            raise SlackError("edit_window_closed")
    given = given_content(workspace, arguments)
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
