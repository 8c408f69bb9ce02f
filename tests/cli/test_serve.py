"""`plantao serve`, where it cannot: exit 1 and a readable line."""

from pathlib import Path

from tests.cli.conftest import Beside
from tests.cli.shell import Shell
from tests.neighbours.processes import free_port


def test_refuses_to_be_open_to_everybody(shell: Shell) -> None:
    assert "PLANTAO_API_TOKENS" in shell.error("serve", "--host", "0.0.0.0")


def test_a_configuration_that_cannot_be_used(shell: Shell) -> None:
    (shell.directory / "plantao.yml").write_text("reopen_within: soon\nroute: {}\n")
    done = shell.run("serve", "--port", str(free_port()))
    assert done.returncode == 1
    problems = [line for line in done.stderr.splitlines() if line.startswith("plantao: ")]
    assert len(problems) == 2
    assert "plantao.yml:1" in problems[0]
    assert "plantao.yml:2" in problems[1]


def test_a_database_that_cannot_be_opened(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = shell.at(PLANTAO_DATABASE_URL=f"sqlite:///{tmp_path}/file/plantao.db")
    assert "PLANTAO_DATABASE_URL" in _last_line(broken)


def test_a_file_that_is_no_database(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be looked at\n" * 100)
    broken = shell.at(PLANTAO_DATABASE_URL=f"sqlite:///{tmp_path}/text")
    assert "database" in _last_line(broken)


def test_a_port_that_is_taken(service: Beside, shell: Shell) -> None:
    port = service.url.rpartition(":")[2]
    line = shell.error("serve", "--port", port)
    assert line == f"plantao: cannot listen on 127.0.0.1:{port}: Address already in use"
    assert not (shell.directory / "data").exists(), "the database is left alone"


def test_a_host_that_is_none(shell: Shell) -> None:
    known = shell.at(PLANTAO_API_TOKENS="a-token")
    line = known.error("serve", "--host", "no.such.host.invalid", "--port", str(free_port()))
    assert line.startswith("plantao: cannot listen on no.such.host.invalid:")


def _last_line(shell: Shell) -> str:
    done = shell.run("serve", "--port", str(free_port()))
    assert done.returncode == 1, done.stderr
    return done.stderr.splitlines()[-1]
