"""The console: what an incident looks like in a terminal or in a log of standard output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from app.core.alerts import severity_rank
from app.core.digest import Digest
from app.core.incidents import Entry
from app.core.notices import Look, Notice
from app.notifiers import background, digest_wording, silence_wording, telling
from app.notifiers.background import Line
from app.notifiers.notifier import Mark, Message, Shown, Sought
from app.notifiers.reading import explanation
from app.notifiers.text import clean, cut, cut_lines, one_line
from app.notifiers.wording import Words, words

_WIDTH = 160
_REPLY = 400
_RESET = "\x1b[0m"
_BOLD = {
    Look.TRIGGERED: "\x1b[1;31m",
    Look.UNCONFIRMED: "\x1b[1;35m",
    Look.ACKNOWLEDGED: "\x1b[1;33m",
    Look.RESOLVED: "\x1b[1;32m",
    Look.NO_LONGER_REPORTED: "\x1b[1;37m",
}
_MILD = "\x1b[1;36m"


class ConsoleNotifier:
    """Prints to a stream, in colour only where that is a terminal and NO_COLOR is not set.

    `zone` is an IANA name. There is one console, so every address is the same place.
    """

    edits = False
    interval = 0.0
    burst = 1
    edit_interval = 0.0
    edit_burst = 1

    def __init__(self, *, zone: str, stream: TextIO | None = None) -> None:
        self._zone = zone
        self._stream = stream
        self._lock = asyncio.Lock()

    def root(self, notice: Notice, *, locale: str, plain: bool) -> Message:
        speech = words(locale, self._zone)
        lines = [_headline(speech, notice), *_rest(speech, notice)]
        colour = "" if plain else _colour(notice)
        return Message({"lines": lines, "colour": colour})

    def details(self, notice: Notice, *, locale: str, plain: bool) -> Message | None:  # noqa: ARG002
        """What the sources said, printed once; None as long as they said nothing."""
        if not notice.context.opening:
            return None
        speech = words(locale, self._zone)
        title = speech.say("Details of incident #{number}", number=notice.incident.id)
        return Message({"lines": [title, *_known(speech, notice)], "colour": ""})

    def reply(
        self,
        notice: Notice,
        entries: Sequence[Entry],
        *,
        locale: str,
        plain: bool,  # noqa: ARG002
    ) -> Message:
        speech = words(locale, self._zone)
        number = notice.incident.id
        told = [one_line(telling.line(speech, notice, entry)) for entry in entries]
        return Message({"lines": [f"#{number} {cut(line, _REPLY)}" for line in told], "colour": ""})

    def digest(self, digest: Digest, *, receiver: str, locale: str) -> Message:  # noqa: ARG002
        return Message(digest_wording.console(words(locale, self._zone), digest))

    async def post(
        self,
        address: str,  # noqa: ARG002
        message: Message,
        mark: Mark,  # noqa: ARG002
        *,
        root: str | None = None,  # noqa: ARG002
    ) -> str:
        """Print it. A stream that is closed or gone is no error: nobody looks there."""
        stream = self._stream or sys.stdout
        text = _painted(message, stream)
        async with self._lock:  # a pipe nobody reads must not hold up the loop
            await asyncio.to_thread(_print, text, stream)
        return "printed"

    async def edit(self, address: str, reference: str, message: Message, mark: Mark) -> None:
        """Nothing: what was printed stays as it is."""

    async def survey(self, sought: Sought) -> Shown | None:  # noqa: ARG002
        """None: nobody can look."""
        return None

    async def close(self) -> None:
        """Nothing: the stream is not ours."""


def _headline(speech: Words, notice: Notice) -> str:
    return f"#{notice.incident.id} {cut(one_line(speech.headline(notice)), _WIDTH)}"


def _rest(speech: Words, notice: Notice) -> list[str]:
    what = cut_lines(explanation(notice), 3, 3 * _WIDTH)
    facts = [f"{speech.counts(notice.incident)} · {speech.span(notice)}"]
    facts += speech.handling(notice)
    facts += [cut(one_line(each), _WIDTH) for each in silence_wording.lines(speech, notice)]
    where = [*speech.links(notice), *silence_wording.links(speech, notice)]
    links = [f"{name}: {address}" for name, address in where]
    lines = [*what.splitlines(), *facts, *speech.remarks(notice.incident), *links]
    return [f"    {line}" for line in lines]


def _known(speech: Words, notice: Notice) -> list[str]:
    steps = background.first_steps(speech, notice)
    lines = []
    for part in ([steps] if steps else []) + background.whole(speech, notice):
        lines += [f"    {part.title}", *(f"      {_line(line)}" for line in part.lines)]
    return lines


def _line(line: Line) -> str:
    link = f"<{line.link}>" if line.link else ""
    return cut(" ".join(each for each in (line.sign, line.text, line.code, link) if each), _REPLY)


def _colour(notice: Notice) -> str:
    mild = notice.look is Look.TRIGGERED and severity_rank(notice.incident.severity) < 3  # noqa: PLR2004
    return _MILD if mild else _BOLD[notice.look]


def _painted(message: Message, stream: TextIO) -> str:
    first, *rest = [clean(line) for line in message.payload["lines"]]
    if _coloured(stream) and message.payload["colour"]:
        first = f"{message.payload['colour']}{first}{_RESET}"
    return "\n".join([first, *rest]) + "\n"


def _coloured(stream: TextIO) -> bool:
    """Source of the second rule: https://no-color.org"""
    with suppress(ValueError):  # a closed stream
        return stream.isatty() and not os.environ.get("NO_COLOR")
    return False


def _print(text: str, stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
