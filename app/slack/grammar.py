"""What can be said to `/plantao` and to @plantao: a closed union.

What is not understood is Help.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from app.core.durations import DurationError, parse_duration

#: The incident of the thread that it is said in.
HERE = 0

_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[:,]?\s*")
_NUMBER = re.compile(r"#?([0-9]{1,18})")
_DURATION = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class List:
    pass


@dataclass(frozen=True, slots=True)
class Who:
    pass


@dataclass(frozen=True, slots=True)
class Show:
    incident: int


@dataclass(frozen=True, slots=True)
class Acknowledge:
    incident: int


@dataclass(frozen=True, slots=True)
class Unacknowledge:
    incident: int


@dataclass(frozen=True, slots=True)
class Resolve:
    incident: int


@dataclass(frozen=True, slots=True)
class Note:
    incident: int
    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """For so long, with a reason or none."""

    incident: int
    lasting: timedelta
    why: str = ""


Command: TypeAlias = (
    Help | List | Who | Show | Acknowledge | Unacknowledge | Resolve | Note | Silence
)

_ALONE: dict[str, Command] = {
    "help": Help(),
    "ajuda": Help(),
    "list": List(),
    "lista": List(),
    "who": Who(),
    "quem": Who(),
}
_OF_ONE: dict[str, type[Show | Acknowledge | Unacknowledge | Resolve]] = {
    "show": Show,
    "mostrar": Show,
    "ack": Acknowledge,
    "unack": Unacknowledge,
    "resolve": Resolve,
    "resolver": Resolve,
}
_NOTE = {"note", "nota"}
_SILENCE = {"silence", "silenciar"}


def parse(text: str, *, in_thread: bool = False) -> Command:
    """Read a command; in a thread the number may be left out. A mention before it is skipped."""
    verb, rest = _first(_MENTION.sub("", text, count=1))
    verb = verb.lower()
    if verb in _ALONE and not rest:
        return _ALONE[verb]
    number, rest = _number(rest, in_thread=in_thread)
    if number is None:
        return Help()
    if verb in _OF_ONE and not rest:
        return _OF_ONE[verb](number)
    if verb in _NOTE and rest:
        return Note(number, rest)
    return _silence(number, rest) if verb in _SILENCE else Help()


def _silence(number: int, rest: str) -> Command:
    lasting, why = _first(rest)
    if not lasting:
        return Silence(number, _DURATION)
    try:
        duration = parse_duration(lasting)
    except DurationError:
        return Help()
    return Silence(number, duration, why) if duration else Help()


def _number(text: str, *, in_thread: bool) -> tuple[int | None, str]:
    first, rest = _first(text)
    found = _NUMBER.fullmatch(first)
    if found and int(found[1]):
        return int(found[1]), rest
    return (HERE, text) if in_thread else (None, text)


def _first(text: str) -> tuple[str, str]:
    """The first word, and what follows it."""
    first, *rest = text.strip().split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""
