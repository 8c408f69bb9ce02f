"""`plantao receipts …` and `plantao reload`, against a real service."""

import json
from pathlib import Path

from tests.cli.conftest import Beside
from tests.cli.shell import Shell


def test_list_and_show(service: Beside) -> None:
    number = str(service.post({"version": "4", "alerts": "none"}))
    shell = service.shell
    listed = shell.ok("receipts", "list", "--state", "quarantined")
    assert any(line.split()[:2] == [number, "quarantined"] for line in listed.splitlines())
    text = shell.ok("receipts", "show", number)
    assert text.startswith(f"Receipt {number}: quarantined\n")
    assert "Problem" in text
    assert '"alerts":"none"' in text
    assert json.loads(shell.ok("receipts", "show", number, "--json"))["state"] == "quarantined"
    assert json.loads(shell.ok("receipts", "list", "--json", "--limit", "1"))["items"]


def test_a_body_is_printed_byte_for_byte(service: Beside) -> None:
    number = service.post({"text": "é \x1b[2J"})
    body = service.shell.ok("receipts", "show", str(number), "--body")
    assert json.loads(body) == {"text": "é \x1b[2J"}
    assert not body.endswith("\n")
    assert "\x1b" not in service.shell.on_terminal("receipts", "show", str(number), "--body")


def test_replay(service: Beside) -> None:
    number = service.post({"version": "4", "alerts": "none"})
    assert service.shell.ok("receipts", "replay", str(number)).startswith(f"Receipt {number} is ")
    assert "receipt 99999" in service.shell.error("receipts", "replay", "99999")


def test_a_list_that_is_empty_or_cut(service: Beside) -> None:
    service.post([1])
    service.post([2])
    done = service.shell.run("receipts", "list", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert "--limit" in done.stderr


def test_reload_tells_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "plantao.yml"
    file.write_text("receivers: {first: {console: true}}\n")
    with Beside(tmp_path) as service:
        assert "is in force" in service.shell.ok("reload")
        file.write_text("receivers: {a: {sms: 1}}\nreopen_within: soon\n")
        done = service.shell.run("reload")
        assert done.returncode == 1
        lines = done.stderr.splitlines()
        assert all(line.startswith("plantao: plantao.yml:") for line in lines)
        assert {line.split(":")[2] for line in lines} == {"1", "2"}


def test_reload_needs_the_token(service: Beside, shell: Shell) -> None:
    assert "PLANTAO_API_TOKENS" in shell.error("reload", "--url", service.url)
