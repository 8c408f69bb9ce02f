"""`plantao incidents watch`: what is open, then a line for each change, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from app.commands.client import lines_of
from app.commands.watch import Event, events_of
from tests.cli.conftest import Beside
from tests.cli.shell import COMMAND, Shell, environment
from tests.neighbours.processes import eventually


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        ([], []),
        (["retry: 2000", "id: 3-4", ""], [Event("message", "3-4", "")]),
        (
            ["event: incident", "id: 7-1", 'data: {"id": 1}', "", "data:x", "data: y", ""],
            [Event("incident", "7-1", '{"id": 1}'), Event("message", "7-1", "x\ny")],
        ),
        (["event: incident", "data: never ended"], []),
    ],
)
def test_server_sent_events_are_read(lines: list[str], events: list[Event]) -> None:
    assert list(events_of(lines)) == events


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ([], []),
        (["id: 1\r\n", "data: a\nda", "ta: b\n\n", "rest"], ["id: 1", "data: a", "data: b", ""]),
        (["data: a\u2028b\x85c\x0b\x1cd\n"], ["data: a\u2028b\x85c\x0b\x1cd"]),
    ],
)
def test_a_stream_has_the_lines_that_it_says(parts: list[str], lines: list[str]) -> None:
    assert list(lines_of(parts)) == lines


def watching(service: Beside, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [*COMMAND, "incidents", "watch", *arguments],
            cwd=service.directory,
            env=environment(PYTHONUNBUFFERED="1", **service.shell.settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_hears_ctrl_c,  # noqa: PLW1509
        )


def _hears_ctrl_c() -> None:
    """Also where the tests run in the background of a shell, which lets them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_change_is_told_as_it_happens(service: Beside, tmp_path: Path) -> None:
    number = service.open_incident("Watched")
    log, lines = tmp_path / "text", tmp_path / "json"
    mine = ("--alertname", "Watched")
    people = watching(service, log, *mine)
    program = watching(service, lines, *mine, "--json")
    try:
        eventually(lambda: "Watching. Ctrl-C ends it." in log.read_text(), what="what is open")
        assert "Watched" in log.read_text()
        # The other has begun once it tells of anything; each of these is a change.
        eventually(lambda: _noted(service, number) and lines.read_text(), what="a JSON line")
        service.shell.ok("incidents", "ack", str(number))
        eventually(lambda: "acknowledged by maria" in log.read_text(), what="a line")
        eventually(lambda: '"acknowledged"' in lines.read_text(), what="a JSON line")
    finally:
        for each in (people, program):
            each.send_signal(signal.SIGINT)
    assert [people.wait(60), program.wait(60)] == [0, 0]
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {each["id"] for each in told} == {number}
    assert "Traceback" not in log.read_text()


def _noted(service: Beside, number: int) -> bool:
    return bool(service.shell.ok("incidents", "note", str(number), "still looking"))


def test_where_nobody_answers_it_says_so(shell: Shell) -> None:
    line = shell.error("incidents", "watch", "--url", "http://127.0.0.1:1")
    assert "is the service running?" in line
