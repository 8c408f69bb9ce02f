"""Messages, channels and users as the Web API gives them back."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from .model import Channel, JsonObject, Message, User, UserGroup

if TYPE_CHECKING:
    from .views import View
    from .workspace import Workspace


def message(workspace: Workspace, shown: Message, *, metadata: bool) -> JsonObject:
    """`metadata`: only asked for with include_all_metadata, or given back to who just sent it."""
    shape: JsonObject = {
        "type": "message",
        "user": shown.bot_user,
        "ts": shown.ts,
        "team": workspace.team["id"],
        "text": shown.text,
    }
    if shown.bot_id:
        shape |= {"bot_id": shown.bot_id, "app_id": shown.app_id, "bot_profile": _bot(shown)}
    if shown.deleted:
        shape |= {"subtype": "tombstone", "hidden": True, "user": "USLACKBOT"}
    elif shown.text and not shown.bot_id:
        shape |= {"client_msg_id": _client_id(shown), "blocks": [_rich_text(shown.text)]}
    if shown.blocks:
        shape["blocks"] = shown.blocks
    if shown.attachments:
        shape["attachments"] = shown.attachments
    if shown.files:
        shape["files"] = shown.files
    if shown.reactions:
        shape["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in shown.reactions.items()
        ]
    if shown.edited_ts:
        shape["edited"] = {"user": shown.bot_user, "ts": shown.edited_ts}
    if metadata and shown.metadata:
        shape["metadata"] = shown.metadata
    return shape | _thread(workspace, shown)


def _client_id(shown: Message) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{shown.channel} {shown.ts}"))


def _rich_text(text: str) -> JsonObject:
    """What people write comes as rich text too; here as one piece without its styles."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": "typed", "elements": [section]}


def _bot(shown: Message) -> JsonObject:
    return {"id": shown.bot_id, "app_id": shown.app_id, "name": shown.username, "deleted": False}


def _thread(workspace: Workspace, shown: Message) -> JsonObject:
    if shown.thread_ts:
        root = workspace.find(shown.channel, shown.thread_ts)
        part: JsonObject = {"thread_ts": shown.thread_ts}
        if root is not None:
            part["parent_user_id"] = root.bot_user
        return part | ({"subtype": "thread_broadcast"} if shown.broadcast else {})
    if not shown.replies:
        return {}
    found = [workspace.find(shown.channel, ts) for ts in shown.replies]
    writers = list(dict.fromkeys(reply.bot_user for reply in found if reply))
    return {
        "thread_ts": shown.ts,
        "reply_count": len(shown.replies),
        "reply_users_count": len(writers),
        "latest_reply": shown.replies[-1],
        "reply_users": writers,
        "is_locked": False,
        "subscribed": False,
    }


def channel(workspace: Workspace, room: Channel) -> JsonObject:
    return {
        "id": room.id,
        "name": room.name,
        "name_normalized": room.name,
        "is_channel": not room.private,
        "is_group": room.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": room.private,
        "is_archived": room.archived,
        "is_general": False,
        "is_member": room.bot_is_member,
        "is_read_only": room.read_only,
        "context_team_id": workspace.team["id"],
        "created": 1_700_000_000,
    }


def user(workspace: Workspace, person: User, *, email: bool) -> JsonObject:
    profile: JsonObject = {"real_name": person.real_name, "display_name": person.display_name}
    if email and person.email:
        profile["email"] = person.email
    return {
        "id": person.id,
        "team_id": workspace.team["id"],
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_restricted": person.guest,
        "is_ultra_restricted": False,
        "tz": "America/Sao_Paulo",
        "profile": profile,
    }


def group(workspace: Workspace, shown: UserGroup, *, users: bool) -> JsonObject:
    shape: JsonObject = {
        "id": shown.id,
        "team_id": workspace.team["id"],
        "is_usergroup": True,
        "name": shown.name,
        "handle": shown.handle,
        "date_delete": 1_700_000_000 if shown.disabled else 0,
        "user_count": len(shown.users),
    }
    return shape | ({"users": list(shown.users)} if users else {})


def view(workspace: Workspace, shown: View) -> JsonObject:
    bot = workspace.bot
    return shown.content | {
        "id": shown.id,
        "team_id": workspace.team["id"],
        "app_installed_team_id": workspace.team["id"],
        "app_id": bot.app_id,
        "bot_id": bot.bot_id,
        "state": {"values": shown.values()},
        "hash": shown.hash,
        "root_view_id": shown.root,
        "previous_view_id": shown.previous,
    }
