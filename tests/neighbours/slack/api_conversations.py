"""conversations.*: reading channels and threads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import shapes
from .api_chat import room_by_id
from .arguments import microseconds
from .model import Channel, JsonObject, Message, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace

_PREFIX = "next_ts:"


def history(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    """Newest first, without replies. With `oldest` alone the pages start at the oldest end
    (slackhq/slack-api-docs issue 4): a caller that wants everything must follow the cursor."""
    room = _readable(workspace, caller, arguments)
    roots = [m for m in workspace.messages(room.id) if m.is_root or m.broadcast]
    found = _between(roots, arguments)
    forward = "oldest" in arguments and "latest" not in arguments
    ordered = found if forward else found[::-1]
    page, cursor = _page(ordered, arguments, default=100)
    newest_first = sorted(page, key=lambda m: microseconds(m.ts), reverse=True)
    answer = _answer(workspace, newest_first, cursor, arguments)
    return answer | {"pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}


def replies(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    """Oldest first; the root leads the first page, whatever `oldest` says."""
    room = _readable(workspace, caller, arguments)
    root = workspace.find(room.id, arguments.required("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    found = [root]
    if root.is_root:
        found += _between(workspace.replies(root), arguments)
    page, cursor = _page(found, arguments, default=1000)
    return _answer(workspace, page, cursor, arguments)


def info(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    return {
        "channel": shapes.channel(workspace, room_by_id(workspace, arguments.required("channel")))
    }


def list_all(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    kinds = (arguments.text("types") or "public_channel").split(",")
    if set(kinds) - {"public_channel", "private_channel", "mpim", "im"}:
        raise SlackError("invalid_types")
    rooms = [
        room
        for room in workspace.channels.values()
        if ("private_channel" if room.private else "public_channel") in kinds
        and (room.bot_is_member or not room.private)
        and not (room.archived and arguments.flag("exclude_archived"))
    ]
    start = page_start(arguments, "next_channel:")
    limit = arguments.count("limit", default=100, most=1000)
    cursor = page_cursor(f"next_channel:{start + limit}") if start + limit < len(rooms) else ""
    shown = [shapes.channel(workspace, room) for room in rooms[start : start + limit]]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def join(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    room = room_by_id(workspace, arguments.required("channel"))
    if room.archived:
        raise SlackError("is_archived")
    if room.private:
        raise SlackError("method_not_supported_for_channel_type")
    already = room.bot_is_member
    room.bot_is_member = True
    answer: JsonObject = {"channel": shapes.channel(workspace, room)}
    if already:
        answer["warning"] = "already_in_channel"
        answer["response_metadata"] = {"warnings": ["already_in_channel"]}
    return answer


def _readable(workspace: Workspace, caller: Token, arguments: Arguments) -> Channel:
    room = room_by_id(workspace, arguments.required("channel"))
    needed = "groups:history" if room.private else "channels:history"
    if needed not in caller.scopes:
        provided = ",".join(sorted(caller.scopes))
        raise SlackError("missing_scope", needed=needed, provided=provided)
    if not room.bot_is_member:
        raise SlackError("not_in_channel")
    return room


def _between(messages: Sequence[Message], arguments: Arguments) -> list[Message]:
    oldest = arguments.moment("oldest", "invalid_ts_oldest")
    latest = arguments.moment("latest", "invalid_ts_latest")
    inclusive = arguments.flag("inclusive")

    def inside(message: Message) -> bool:
        at = microseconds(message.ts)
        if inclusive and at in {oldest, latest}:
            return True
        return (not oldest or at > oldest) and (latest is None or at < latest)

    return [message for message in messages if inside(message)]


def _page(
    ordered: Sequence[Message], arguments: Arguments, *, default: int
) -> tuple[Sequence[Message], str]:
    """A page and the cursor to the next; the cursor names a message, so new ones do not shift
    the pages."""
    limit = arguments.count("limit", default=default, most=1000 if default == 1000 else 999)
    at = page_start(arguments, _PREFIX)
    start = 0
    if at:
        found = [n for n, m in enumerate(ordered) if microseconds(m.ts) == at]
        if not found:
            raise SlackError("invalid_cursor")
        start = found[0]
    rest = ordered[start + limit :]
    cursor = page_cursor(f"{_PREFIX}{microseconds(rest[0].ts)}") if rest else ""
    return ordered[start : start + limit], cursor


def page_cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def page_start(arguments: Arguments, prefix: str) -> int:
    if "cursor" not in arguments:
        return 0
    try:
        text = base64.b64decode(arguments.text("cursor"), validate=True).decode()
        return int(text.removeprefix(prefix)) if text.startswith(prefix) else int("none")
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None


def _answer(
    workspace: Workspace, page: Sequence[Message], cursor: str, arguments: Arguments
) -> JsonObject:
    metadata = arguments.flag("include_all_metadata")
    answer: JsonObject = {
        "messages": [shapes.message(workspace, m, metadata=metadata) for m in page],
        "has_more": bool(cursor),
    }
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer
