"""What a message that is sent may hold, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import blocks as block_kit
from . import mrkdwn, validation
from .model import Content, JsonObject, SlackError

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace


def posted_content(workspace: Workspace, arguments: Arguments) -> tuple[Content, bool]:
    """A new message's content, and whether its text had to be cut."""
    content = given_content(workspace, arguments)
    if not (content.text.strip() or content.blocks or content.attachments):
        raise SlackError("no_text")
    validation.check_together(list(content.blocks), list(content.attachments))
    truncated = len(content.text) > validation.POST_TEXT
    return replace(content, text=content.text[: validation.POST_TEXT]), truncated


def given_content(workspace: Workspace, arguments: Arguments) -> Content:
    blocks = attachments = ()  # type: tuple[JsonObject, ...]
    if "blocks" in arguments:
        valid = validation.validated_blocks(arguments.value("blocks"))
        check_files(workspace, valid)
        blocks = tuple(validation.stored_blocks(valid))
    if "attachments" in arguments:
        given = validation.validated_attachments(arguments.value("attachments"))
        check_files(workspace, given)
        attachments = tuple(validation.stored_attachments(given))
    metadata = None
    if "metadata" in arguments:
        metadata = validation.validated_metadata(arguments.value("metadata"))
    text = mrkdwn.escape_stray(arguments.text("text"))
    parse = arguments.text("parse") or "none"
    return Content(text, blocks, attachments, metadata, parse, arguments.flag("link_names"))


def check_files(workspace: Workspace, parts: list[JsonObject]) -> None:
    for reference in block_kit.file_references(parts):
        known = workspace.files.get(str(reference.get("id") or reference.get("url", "")[-11:]))
        if known is None or not known.data:
            raise SlackError.explained("invalid_blocks", "invalid slack file", errors=True)
