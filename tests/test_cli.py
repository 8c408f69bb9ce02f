"""The command line as a whole: help, exit codes, errors, and what it costs to start."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import COMMAND, Shell, environment
from tests.neighbours.processes import free_port

COMMANDS = [
    "serve",
    "check",
    "route",
    "send-test",
    "reload",
    "incidents list",
    "incidents show",
    "incidents ack",
    "incidents unack",
    "incidents resolve",
    "incidents postmortem",
    "incidents watch",
    "stats",
    "incidents note",
    "receipts list",
    "receipts show",
    "receipts replay",
]
WRONG_USAGE = [
    ["bogus"],
    ["--bogus"],
    ["serve", "--port", "80000"],
    ["check", "extra"],
    ["route"],
    ["route", "no-value"],
    ["route", "=value"],
    ["route", "a=1", "a=2"],
    ["send-test", "--label", "no-value"],
    ["send-test", "--url", "ftp://host"],
    ["send-test", "--token", "line\nbreak"],
    ["incidents", "list", "--status", "open"],
    ["incidents", "list", "--limit", "0"],
    ["incidents", "list", "--sort", "title"],
    ["incidents", "watch", "--status", "open"],
    ["incidents", "show"],
    ["incidents", "show", "seven"],
    ["incidents", "show", "0"],
    ["incidents", "ack", "1", "--by", " "],
    ["incidents", "note", "1", " "],
    ["receipts", "list", "--state", "lost"],
    ["receipts", "replay", "-1"],
    ["reload", "--url", "localhost:8080"],
    ["route", "line\nbreak\x1b[31m"],
]
CALLS = [
    ["send-test"],
    ["send-test", "--resolve"],
    ["incidents", "list"],
    ["incidents", "show", "1"],
    ["incidents", "ack", "1"],
    ["incidents", "note", "1", "text"],
    ["receipts", "list"],
    ["receipts", "replay", "1"],
    ["reload"],
]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("command", ["", "incidents", "receipts", *COMMANDS])
def test_every_command_has_help(shell: Shell, command: str) -> None:
    text = shell.ok(*command.split(), "--help")
    assert text.startswith(f"Usage: plantao {command}".rstrip())
    assert "\x1b" not in text


def test_help_names_every_command(shell: Shell) -> None:
    overview = shell.ok("--help") + shell.ok("incidents", "--help") + shell.ok("receipts", "--help")
    for command in COMMANDS:
        assert f"  {command.rpartition(' ')[2]} " in overview
    assert not re.search(r"^  [a-z].*\.\.\.$", overview, re.MULTILINE), "a summary is cut off"


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=repr)
def test_wrong_usage_is_2_and_one_line(shell: Shell, arguments: list[str]) -> None:
    line = shell.error(*arguments, code=2)
    assert "--help" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("group", [[], ["incidents"], ["receipts"]], ids=repr)
def test_a_group_alone_shows_its_help_and_is_2(shell: Shell, group: list[str]) -> None:
    done = shell.run(*group)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: plantao")


def test_arguments_that_are_not_utf8(shell: Shell) -> None:
    assert "UTF-8" in shell.error("route", b"a=\xff", code=2)


@pytest.mark.parametrize("arguments", CALLS, ids=repr)
def test_no_service(shell: Shell, arguments: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    line = shell.error(*arguments, "--url", url)
    assert line == (f"plantao: nothing answers at {url}: is the service running? (plantao serve)")


def test_an_address_is_printed_without_its_password(shell: Shell) -> None:
    line = shell.error("reload", "--url", f"http://ana:hunter22@127.0.0.1:{free_port()}")
    assert "hunter22" not in line


def test_settings_that_cannot_be_used_are_told_one_by_one(shell: Shell) -> None:
    done = shell.at(PLANTAO_PORT="many", PLANTAO_TIMEZONE="Mars").run("incidents", "list")
    assert done.returncode == 1
    assert [line.split(": ")[2] for line in done.stderr.splitlines()] == [
        "PLANTAO_PORT",
        "PLANTAO_TIMEZONE",
    ]


def test_starting_is_cheap(shell: Shell) -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'slack_sdk', 'httpx', 'uvicorn', 'babel'}"
    code = f"import sys, app.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_reader_that_leaves_is_no_traceback(shell: Shell) -> None:
    child = subprocess.Popen(
        [*COMMAND, "--help"],
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == b""
    child.wait(30)
