"""A request's arguments, whatever form they came in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message as MimePart
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from .model import SlackError

JsonObject = dict[str, Any]
_TS = re.compile(r"\d{1,12}(\.\d{1,6})?")
_FORM = "application/x-www-form-urlencoded"
_CHARSETS = {"utf-8", "utf8", "iso-8859-1", "latin1"}


@dataclass
class Parsed:
    arguments: JsonObject
    warnings: list[str] = field(default_factory=list)


def parse_request(verb: str, content_type: str, query: str, body: bytes) -> Parsed:
    """Raises SlackError with Slack's own words for what it cannot read."""
    arguments: JsonObject = dict(parse_qsl(query, keep_blank_values=True))
    if verb == "GET" or (not body and not content_type):
        return Parsed(arguments)
    kind, charset = _content_type(content_type)
    if charset and charset.lower() not in _CHARSETS:
        raise SlackError("invalid_charset")
    match kind:
        case "application/json":
            arguments |= _json(body, charset)
            # The token counts in the header only.
            arguments.pop("token", None)
            return Parsed(arguments, [] if charset else ["missing_charset"])
        case "application/x-www-form-urlencoded":
            arguments |= _form(body, charset)
            return Parsed(arguments, ["superfluous_charset"] if charset else [])
        case "multipart/form-data":
            return Parsed(arguments | _multipart(content_type, body))
        case "":
            raise SlackError("missing_post_type")
        case _:
            raise SlackError("invalid_post_type")


def _content_type(header: str) -> tuple[str, str | None]:
    part = MimePart()
    part["Content-Type"] = header
    kind = part.get_content_type() if header.strip() else ""
    charset = part.get_param("charset")
    return kind, charset if isinstance(charset, str) else None


def _json(body: bytes, charset: str | None) -> JsonObject:
    try:
        value = json.loads(body.decode(charset or "utf-8"))
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return {key: part for key, part in value.items() if part is not None}


def _form(body: bytes, charset: str | None) -> JsonObject:
    try:
        text = body.decode(charset or "utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError:
        raise SlackError("invalid_form_data") from None
    return dict(pairs)


def multipart_parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form by name, files among them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise SlackError("invalid_form_data")
    parts: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            parts[name] = payload
    return parts


def _multipart(content_type: str, body: bytes) -> JsonObject:
    try:
        return {name: data.decode() for name, data in multipart_parts(content_type, body).items()}
    except UnicodeDecodeError:
        raise SlackError("invalid_form_data") from None


@dataclass
class Arguments:
    """Arguments read the way Slack reads them: "1" and "true" are true, numbers may be text."""

    raw: JsonObject

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) not in {None, ""} if self._is_plain(name) else True

    def _is_plain(self, name: str) -> bool:
        return not isinstance(self.raw.get(name), list | dict)

    def value(self, name: str) -> object:
        return self.raw.get(name)

    def text(self, name: str) -> str:
        """Empty when missing; a number becomes its digits, as a form would have sent it."""
        value = self.raw.get(name)
        if isinstance(value, list | dict):
            raise SlackError.explained(
                "invalid_arguments", f"must be a string [json-pointer:/{name}]"
            )
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        if name not in self:
            raise SlackError.explained("invalid_arguments", f"missing required field: {name}")
        return self.text(name)

    def flag(self, name: str) -> bool:
        return str(self.raw.get(name, "")).lower() in {"1", "true"}

    def count(self, name: str, *, default: int, most: int) -> int:
        if name not in self:
            return default
        text = self.text(name)
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise SlackError("invalid_limit")
        return int(text)

    def moment(self, name: str, refusal: str) -> float | None:
        """A ts in microseconds, so that comparing is exact."""
        if name not in self:
            return None
        if not _TS.fullmatch(text := self.text(name)):
            raise SlackError(refusal)
        return microseconds(text)


def microseconds(ts: str) -> int:
    whole, _, fraction = ts.partition(".")
    return int(whole) * 1_000_000 + int(fraction.ljust(6, "0") or 0)
