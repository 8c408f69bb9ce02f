from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from typing import TextIO

import pytest

from app.notifiers.console import ConsoleNotifier
from app.notifiers.notifier import ROOT, Mark, Sought
from tests.notifiers import known
from tests.notifiers.samples import LOCALES, START, ZONE, enormous, every_kind, hostile

NOTICES = {**dict(every_kind()), "hostile": hostile(), "enormous": enormous()}
MARK = Mark(12, "a1b2c3", ROOT)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def printed(name: str, stream: TextIO, locale: str = "en") -> None:
    console = ConsoleNotifier(zone=ZONE, stream=stream)
    shown = NOTICES[name]
    root = console.root(shown, locale=locale, plain=False)
    assert await console.post("", root, MARK) == "printed"
    reply = console.reply(shown, shown.entries, locale=locale, plain=False)
    await console.post("", reply, MARK, root="printed")
    details = console.details(shown, locale=locale, plain=False)
    if details:
        await console.post("", details, MARK, root="printed")


@pytest.fixture
def no_color() -> Iterator[None]:
    before = os.environ.get("NO_COLOR")
    os.environ["NO_COLOR"] = "1"
    yield
    if before is None:
        del os.environ["NO_COLOR"]
    else:
        os.environ["NO_COLOR"] = before


async def test_a_block_for_the_incident_and_a_line_for_each_entry() -> None:
    stream = io.StringIO()
    await printed("triggered", stream, "pt-BR")
    assert stream.getvalue().splitlines() == [
        "#12 🔴 CRÍTICO · HighErrorRate: checkout is failing",
        "    12 % of the answers are errors.",
        "    Look at the model server first.",
        "    2 disparados · Desde 23/11 03:12 (UTC-3)",
        "    Runbook: https://runbooks.example.com/HighErrorRate",
        "    Gráfico: http://prometheus.example:9090/graph?g0.expr=up+%3E+0&g0.tab=1",
        f"    Incidente #12: {NOTICES['triggered'].links.incident}",
        "    Alertmanager: http://alertmanager.example:9093",
        "#12 🔴 Aberto: 1 alerta disparado: instance=a · 03:12",
        "#12 🔺 Mais 1 alerta disparado: instance=b · 03:13",
        "#12 📝 Nota de Ana: looking at it · 03:14",
    ]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NOTICES)
async def test_nothing_drives_the_terminal(name: str, locale: str) -> None:
    stream = Terminal()
    await printed(name, stream, locale)
    shown = re.sub(r"\x1b\[(0|1;3\d)m", "", stream.getvalue())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert max(map(len, shown.splitlines())) < 600


async def test_what_the_sources_said_is_printed_below() -> None:
    stream = io.StringIO()
    console = ConsoleNotifier(zone=ZONE, stream=stream)
    details = console.details(NOTICES["known"], locale="en", plain=False)
    assert details is not None
    await console.post("", details, MARK, root="printed")
    lines = stream.getvalue().splitlines()
    assert lines[:3] == ["Details of incident #12", "    First steps", f"      1. {known.STEPS[0]}"]
    assert "      🧠 Serving pix-fraud v3 (champion for 4 min, before: v2)" in " ".join(lines)
    assert not console.details(NOTICES["triggered"], locale="en", plain=False)


async def test_colour_only_on_a_terminal() -> None:
    terminal, file = Terminal(), io.StringIO()
    await printed("triggered", terminal)
    await printed("triggered", file)
    assert terminal.getvalue().startswith("\x1b[1;31m#12")
    assert "\x1b" not in file.getvalue()


@pytest.mark.usefixtures("no_color")
async def test_no_colour_if_asked() -> None:
    stream = Terminal()
    await printed("triggered", stream)
    assert "\x1b" not in stream.getvalue()


async def test_a_stream_that_is_closed_is_no_error() -> None:
    stream = io.StringIO()
    stream.close()
    await printed("triggered", stream)


async def test_a_pipe_nobody_reads_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = io.TextIOWrapper(io.FileIO(write, "w"), encoding="utf-8", write_through=True)
    await printed("triggered", stream)
    stream.close()


async def test_a_stream_that_knows_only_ascii() -> None:
    bytes_written = io.BytesIO()
    stream = io.TextIOWrapper(bytes_written, encoding="ascii")
    await printed("triggered", stream)
    assert b"? CRITICAL ? HighErrorRate" in bytes_written.getvalue()


async def test_it_cannot_look_or_edit() -> None:
    console = ConsoleNotifier(zone=ZONE, stream=io.StringIO())
    assert await console.survey(Sought("", "a1b2c3", since=START)) is None
    assert console.details(NOTICES["triggered"], locale="en", plain=False) is None
    assert not console.edits
    await console.close()
