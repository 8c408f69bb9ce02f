"""`plantao tokens …`: on the database itself, with or without a service beside it."""

import json

from tests.cli.conftest import Beside
from tests.cli.shell import Shell
from tests.neighbours.processes import free_port, request


def made(shell: Shell, *arguments: str) -> str:
    """A new token."""
    return shell.ok("tokens", "create", *arguments).strip()


def test_a_token_works_from_its_making_to_its_revoking(service: Beside) -> None:
    token = made(service.shell, "Ana <ana@example.com>", "--right", "read", "--expires", "90d")
    assert token.startswith("plantao_")
    there = service.shell.at(PLANTAO_API_TOKEN=token)
    assert "items" in json.loads(there.ok("incidents", "list", "--json"))
    assert "`admin`" in there.error("reload")
    listed = json.loads(service.shell.ok("tokens", "list", "--json"))["items"]
    mine = next(each for each in listed if each["name"] == "Ana <ana@example.com>")
    assert (mine["right"], mine["state"]) == ("read", "active")
    assert mine["last_used_at"] is not None
    assert mine["expires_at"] > mine["created_at"]
    assert token not in json.dumps(listed)
    assert "opens nothing" in service.shell.ok("tokens", "revoke", str(mine["id"]))
    assert "plantao tokens create" in there.error("incidents", "list")


def test_before_there_is_a_database(shell: Shell) -> None:
    assert shell.run("tokens", "list").stderr == (
        "There is no token: plantao tokens create makes one.\n"
    )
    created = json.loads(shell.ok("tokens", "create", "ci", "--json"))
    assert (created["id"], created["right"], created["expires_at"]) == (1, "respond", None)
    assert created["token"] not in shell.ok("tokens", "list")
    assert json.loads(shell.ok("tokens", "revoke", "1", "--json"))["state"] == "revoked"


def test_what_cannot_be_made_or_revoked(shell: Shell) -> None:
    assert "a name" in shell.error("tokens", "create", " ", code=2)
    assert "'read', 'respond', 'admin'" in shell.error(
        "tokens", "create", "a", "--right", "all", code=2
    )
    assert "--expires" in shell.error("tokens", "create", "a", "--expires", "soon", code=2)
    assert "no token 7" in shell.error("tokens", "revoke", "7")


def test_a_token_lets_the_service_be_reached_from_elsewhere(shell: Shell) -> None:
    open_to_all = ("serve", "--host", "0.0.0.0", "--port", str(free_port()))
    assert "plantao tokens create" in shell.error(*open_to_all)
    made(shell, "Ana")
    shell.ok("tokens", "revoke", "1")
    assert "plantao tokens create" in shell.error(*open_to_all)
    made(shell, "Ana")
    exposed = shell.at(PLANTAO_HOST="0.0.0.0")
    assert "FAIL" not in exposed.run("check").stdout
    settings = {
        "PLANTAO_HOST": "0.0.0.0",
        "PLANTAO_API_TOKENS": "",
        "PLANTAO_DATABASE_URL": f"sqlite:///{shell.directory / 'data' / 'plantao.db'}",
    }
    with Beside(shell.directory, **settings) as running:
        assert request("GET", f"{running.url}/incidents").status_code == 401
