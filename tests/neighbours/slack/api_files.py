"""Uploading: ask for an address, put the bytes there, complete it into a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import mrkdwn, validation
from .api_chat import room_by_id
from .model import Content, File, JsonObject, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace


def get_upload_url(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    """The emulator puts its own address before `upload_url`'s path when it answers."""
    length = arguments.required("length")
    if not length.isdecimal() or int(length) < 1:
        raise SlackError("invalid_arguments")
    file_id = f"F{len(workspace.files):010d}"
    workspace.files[file_id] = File(
        file_id,
        arguments.required("filename"),
        int(length),
        alt_text=arguments.text("alt_txt"),
    )
    return {"upload_url": f"/upload/v1/{file_id}", "file_id": file_id}


def receive(workspace: Workspace, file_id: str, data: bytes) -> bool:
    """The bytes at the upload address; False when they are not those announced."""
    with workspace.changed:
        file = workspace.files.get(file_id)
        if file is None or file.shared or len(data) != file.length:
            return False
        file.data = data
        return True


def complete_upload(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    given = validation.objects(arguments.value("files"), "invalid_arguments")
    files = [_uploaded(workspace, item) for item in given]
    shown: list[JsonObject] = []
    for file, item in zip(files, given, strict=True):
        file.title = str(item.get("title") or file.name)
        shown.append({"id": file.id, "title": file.title, "name": file.name})
    if "channel_id" in arguments:
        room = room_by_id(workspace, arguments.text("channel_id"))
        if room.archived:
            raise SlackError("is_archived")
        if not room.bot_is_member:
            raise SlackError("not_in_channel")
        thread = arguments.text("thread_ts") or None
        text = mrkdwn.escape_stray(arguments.text("initial_comment"))
        workspace.post(
            room.id, Content(text), user=caller.bot_user, bot=caller, thread=thread, files=shown
        )
    for file in files:
        file.shared = True
    return {"files": shown}


def _uploaded(workspace: Workspace, item: object) -> File:
    file = workspace.files.get(str(item.get("id"))) if isinstance(item, dict) else None
    if file is None or not file.data:
        raise SlackError("file_not_found")
    return file
