"""`plantao stats`, `incidents postmortem`, the filters of `incidents list`, and completion."""

from __future__ import annotations

import json
import subprocess

from tests.cli.conftest import Beside
from tests.cli.shell import COMMAND, Shell, environment


def test_the_figures_fit_a_terminal(service: Beside) -> None:
    number = str(service.open_incident("Counted"))
    service.shell.ok("incidents", "ack", number)
    text = service.shell.at(NO_COLOR="1").on_terminal("stats", columns=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "ACK p50" in text
    assert "Counted" in service.shell.ok("stats", "--since", "1h")
    found = json.loads(service.shell.ok("stats", "--json"))
    assert found["counts"]["opened"] >= 1
    assert "0 incidents from" in service.shell.ok("stats", "--until", "20d")
    assert "since: expected a time" in service.shell.error("stats", "--since", "yesterday", code=2)


def test_a_postmortem_is_printed(service: Beside) -> None:
    number = str(service.open_incident("Examined"))
    page = service.shell.ok("incidents", "postmortem", number, "--lang", "pt-BR")
    assert page.startswith(f"# Post-mortem do incidente \\#{number}: Examined")
    assert "no incident 99999" in service.shell.error("incidents", "postmortem", "99999")


def test_every_filter_is_an_option(service: Beside) -> None:
    service.shell.ok("send-test", "--alertname", "Sifted", "--label", "team=fraud")
    service.incident("Sifted")
    only = ["incidents", "list", "--alertname", "Sifted"]
    for found in (
        ["--matcher", 'team="fraud"', "--matcher", 'alertname=~"Sif.*"'],
        ["--opened-after", "1h", "--sort", "severity"],
        ["--all", "--sort", "opened_at"],
    ):
        assert "Sifted" in service.shell.ok(*only, *found)
    for missed in (
        ["--matcher", 'team!="fraud"'],
        ["--opened-before", "1h"],
        ["--model", "nobody"],
        ["--model-version", "9"],
        ["--component", "nowhere"],
    ):
        assert service.shell.ok(*only, *missed) == ""
    assert "matcher" in service.shell.error(*only, "--matcher", "nonsense", code=2)


def completed(shell: Shell, kind: str, line: str) -> str:
    """What a shell of this kind is told when Tab is pressed at the end of the line."""
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    done = subprocess.run(
        COMMAND,
        cwd=shell.directory,
        env=environment(**shell.settings, **asked[kind], _PLANTAO_COMPLETE=f"complete_{kind}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout


def test_shells_complete_commands_and_numbers(service: Beside, shell: Shell) -> None:
    number = str(service.open_incident("Completed"))
    for kind in ("bash", "zsh", "fish"):
        assert "postmortem" in completed(service.shell, kind, "plantao incidents postm")
        assert number in completed(service.shell, kind, f"plantao incidents show {number}")
    nobody = shell.at(PLANTAO_PORT="1")
    assert completed(nobody, "bash", "plantao incidents show ").strip() == ""
