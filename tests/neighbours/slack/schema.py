"""A small schema language that complains in Slack's own words, JSON pointers included."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

Problems = list[str]
Check = Callable[[object, str, Problems], None]


def anything(value: object, pointer: str, problems: Problems) -> None:
    """A part of Block Kit this emulator takes as it comes."""


def text(longest: int, *, shortest: int = 1) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.append(f"must be a string [json-pointer:{pointer}]")
        elif len(value) > longest:
            problems.append(f"must be less than {longest + 1} characters [json-pointer:{pointer}]")
        elif len(value) < shortest:
            problems.append(f"must be more than {shortest - 1} characters [json-pointer:{pointer}]")

    return check


def boolean(value: object, pointer: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.append(f"must be a boolean [json-pointer:{pointer}]")


def integer(value: object, pointer: str, problems: Problems) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        problems.append(f"must be an integer [json-pointer:{pointer}]")


def choice(*allowed: str) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        if value not in allowed:
            problems.append(f"must be a valid enum value [json-pointer:{pointer}]")

    return check


def url(longest: int = 3000) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        text(longest)(value, pointer, problems)
        if isinstance(value, str) and value and not is_web_address(value):
            problems.append(f"must be a valid URL [json-pointer:{pointer}]")

    return check


def image_url(value: object, pointer: str, problems: Problems) -> None:
    """Slack fetches the image when the message comes: it must be able to reach it."""
    before = len(problems)
    url()(value, pointer, problems)
    if len(problems) == before and not is_public(str(value)):
        problems.append(f"downloading image failed [json-pointer:{pointer}]")


def is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in value
    except ValueError:
        return False


def is_public(value: str) -> bool:
    """Slack's servers can fetch it, and show it: no SVG there."""
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.path.endswith(".svg"):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))


def items(each: Check, *, most: int, fewest: int = 1) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.append(f"must be an array [json-pointer:{pointer}]")
            return
        if len(value) > most:
            problems.append(f"no more than {most} items allowed [json-pointer:{pointer}]")
        if len(value) < fewest:
            problems.append(f"no fewer than {fewest} items allowed [json-pointer:{pointer}]")
        for number, item in enumerate(value):
            each(item, f"{pointer}/{number}", problems)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these properties and no others."""
    known = {**required, **(optional or {})}

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.append(f"must provide an object [json-pointer:{pointer}]")
            return
        for name in required:
            if name not in value:
                problems.append(f"missing required field: {name} [json-pointer:{pointer}]")
        for name, part in value.items():
            if name not in known:
                problems.append(f"invalid additional property: {name} [json-pointer:{pointer}]")
            elif part is None:
                problems.append(f"must not be null [json-pointer:{pointer}/{name}]")
            else:
                known[name](part, f"{pointer}/{name}", problems)

    return check


def typed(kinds: Mapping[str, Check]) -> Check:
    """An object that says in `type` which of these it is."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.append(f"must provide an object [json-pointer:{pointer}]")
        elif "type" not in value:
            problems.append(f"missing required field: type [json-pointer:{pointer}]")
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            problems.append(f"unsupported type: {value['type']} [json-pointer:{pointer}/type]")
        else:
            kinds[value["type"]](value, pointer, problems)

    return check


def text_object(longest: int, *, kinds: Collection[str] = ("plain_text", "mrkdwn")) -> Check:
    checks = {
        "plain_text": record({"type": anything, "text": text(longest)}, {"emoji": boolean}),
        "mrkdwn": record({"type": anything, "text": text(longest)}, {"verbatim": boolean}),
    }
    return typed({kind: checks[kind] for kind in kinds})


def plain(longest: int) -> Check:
    return text_object(longest, kinds=("plain_text",))


def both(first: Check, second: Check) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        first(value, pointer, problems)
        second(value, pointer, problems)

    return check
