"""What a message may hold: blocks, attachments, metadata and their totals."""

from __future__ import annotations

import json
import re
from typing import Any

from .blocks import check_blocks
from .content import text_length
from .elements import INTERACTIVE
from .model import SlackError

JsonObject = dict[str, Any]
MOST_ATTACHMENTS = 100
# Measured by others, not documented (slackapi/bolt-js issues 2509 and 2867): 11,341 characters of
# text were refused, 9,597 accepted. Refusing more than Slack does keeps its clients honest.
MOST_TEXT_IN_BLOCKS = 11_000
MOST_JSON = 13_000
MOST_METADATA = 8_000
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_-]{1,255}")
_COLOR = re.compile(r"#?[0-9a-fA-F]{6}|#?[0-9a-fA-F]{3}")
_NAMED_COLORS = {"good": "2eb886", "warning": "daa038", "danger": "a30200"}
_ATTACHMENT_FIELDS = {
    "actions", "author_icon", "author_link", "author_name", "blocks", "callback_id", "color",
    "fallback", "fields", "footer", "footer_icon", "id", "image_url", "mrkdwn_in", "pretext",
    "text", "thumb_url", "title", "title_link", "ts",
}  # fmt: skip
_LEGACY_CONTENT = _ATTACHMENT_FIELDS - {"blocks", "callback_id", "color", "id", "mrkdwn_in", "ts"}


def objects(value: object, refusal: str) -> list[JsonObject]:
    """A list of objects, given as itself (JSON) or as a JSON string (form); else `refusal`."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError(refusal) from None
    if not isinstance(value, list):
        raise SlackError(refusal)
    return value


def validated_blocks(value: object) -> list[JsonObject]:
    blocks = objects(value, "invalid_blocks_format")
    if problems := check_blocks(blocks):
        raise SlackError.explained("invalid_blocks", *problems, errors=True)
    _check_total(blocks)
    return blocks


def validated_attachments(value: object) -> list[JsonObject]:
    attachments = objects(value, "invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    problems: list[str] = []
    for number, attachment in enumerate(attachments):
        problems += _attachment_problems(attachment, f"/attachments/{number}")
    if problems:
        code = "invalid_blocks" if any("/blocks" in p for p in problems) else "invalid_attachments"
        raise SlackError.explained(code, *problems, errors=True)
    _check_total(attachments)
    return attachments


def check_together(blocks: list[JsonObject], attachments: list[JsonObject]) -> None:
    """Blocks and attachments share one total."""
    _check_total([*blocks, *attachments])


def _check_total(parts: list[JsonObject]) -> None:
    size = len(json.dumps(parts, ensure_ascii=False, separators=(",", ":")))
    if size > MOST_JSON or text_length(parts) > MOST_TEXT_IN_BLOCKS:
        raise SlackError("msg_blocks_too_long")


def _attachment_problems(attachment: object, pointer: str) -> list[str]:
    if not isinstance(attachment, dict):
        return [f"must provide an object [json-pointer:{pointer}]"]
    problems = [
        f"invalid additional property: {name} [json-pointer:{pointer}]"
        for name in attachment
        if name not in _ATTACHMENT_FIELDS
    ]
    color = attachment.get("color")
    if color is not None and not (
        isinstance(color, str) and (color in _NAMED_COLORS or _COLOR.fullmatch(color))
    ):
        problems.append(f"must be a valid color [json-pointer:{pointer}/color]")
    if "blocks" in attachment:
        problems += check_blocks(attachment["blocks"], f"{pointer}/blocks")
    elif not _LEGACY_CONTENT & attachment.keys():
        problems.append(f"no content [json-pointer:{pointer}]")
    return problems


def stored_attachments(attachments: list[JsonObject]) -> list[JsonObject]:
    """As Slack gives them back: numbered, the color without `#`, a fallback."""
    stored = []
    for number, attachment in enumerate(attachments, start=1):
        kept = {**attachment, "id": number}
        if color := attachment.get("color"):
            kept["color"] = _NAMED_COLORS.get(color, color.removeprefix("#"))
        if "blocks" in kept:
            kept["blocks"] = stored_blocks(kept["blocks"])
        kept.setdefault("fallback", "[no preview available]")
        stored.append(kept)
    return stored


def stored_blocks(blocks: list[JsonObject]) -> list[JsonObject]:
    """As Slack gives them back: every block with a block_id, texts with their defaults."""
    stored = []
    for number, block in enumerate(blocks):
        kept = _with_defaults(block)
        kept.setdefault("block_id", f"b{number:03d}")
        _name_elements(kept)
        stored.append(kept)
    return stored


def _name_elements(block: JsonObject) -> None:
    """Slack makes up the action_ids nobody gave."""
    parts = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    for number, part in enumerate(parts):
        if isinstance(part, dict) and part.get("type") in INTERACTIVE:
            part.setdefault("action_id", f"a{number:02d}")


def _with_defaults(node: JsonObject) -> JsonObject:
    kept = {key: _default_of(value) for key, value in node.items()}
    if kept.get("type") == "plain_text":
        kept.setdefault("emoji", True)
    if kept.get("type") == "mrkdwn":
        kept.setdefault("verbatim", False)
    return kept


def _default_of(value: object) -> object:
    match value:
        case dict():
            return _with_defaults(value)
        case list():
            return [_default_of(item) for item in value]
        case _:
            return value


def validated_metadata(value: object) -> JsonObject | None:
    """`event_type` and `event_payload`; an empty object means none (and removes, in an edit)."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError("invalid_metadata_format") from None
    if not isinstance(value, dict):
        raise SlackError("invalid_metadata_format")
    if not value:
        return None
    if problems := _metadata_problems(value):
        raise SlackError.explained("invalid_metadata_format", *problems)
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) > MOST_METADATA:
        raise SlackError("metadata_too_large")
    return value


def _metadata_problems(metadata: JsonObject) -> list[str]:
    problems = [
        f"missing required field: {name} [json-pointer:/metadata]"
        for name in ("event_type", "event_payload")
        if name not in metadata
    ]
    problems += [
        f"invalid additional property: {name} [json-pointer:/metadata]"
        for name in metadata
        if name not in {"event_type", "event_payload"}
    ]
    event_type = metadata.get("event_type", "ok")
    # A dot makes Slack drop the metadata elsewhere (slackapi/bolt-python issue 863).
    if not isinstance(event_type, str) or not _EVENT_TYPE.fullmatch(event_type):
        problems.append("must be alphanumeric [json-pointer:/metadata/event_type]")
    payload = metadata.get("event_payload", {})
    if not isinstance(payload, dict):
        problems.append("must provide an object [json-pointer:/metadata/event_payload]")
    else:
        for key, value in payload.items():
            problems += _payload_problems(value, f"/metadata/event_payload/{key}", depth=1)
    return problems


def _payload_problems(value: object, pointer: str, *, depth: int) -> list[str]:
    """Values are text, numbers, booleans, flat objects of those, or arrays of either."""
    match value:
        case str() | bool() | int() | float():
            return []
        case list() if depth == 1:
            inner = enumerate(value)
            return [p for n, v in inner for p in _payload_problems(v, f"{pointer}/{n}", depth=1)]
        case dict() if depth == 1:
            pairs = value.items()
            return [p for k, v in pairs for p in _payload_problems(v, f"{pointer}/{k}", depth=2)]
        case _:
            return [f"unsupported value [json-pointer:{pointer}]"]
