"""A running service, and a shell beside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.cli.shell import COMMAND, Shell, environment
from tests.neighbours.processes import Process, eventually, free_port, request

API_TOKEN, WEBHOOK_TOKEN = "api-token-2a", "webhook-token-7f"


class Beside:
    """A service that runs, and a shell with its settings."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.url = f"http://127.0.0.1:{free_port()}"
        self.shell = Shell(
            directory,
            **{
                "PLANTAO_PORT": self.url.rpartition(":")[2],
                "PLANTAO_DATABASE_URL": f"sqlite:///{directory / 'plantao.db'}",
                "PLANTAO_API_TOKENS": API_TOKEN,
                "PLANTAO_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
                **settings,
            },
        )
        self.process = Process(
            [*COMMAND, "serve"],
            log=directory / "log",
            env=environment(**self.shell.settings),
            cwd=directory,
        )

    def __enter__(self) -> Self:
        self.process.start()
        self.process.wait_for_url(f"{self.url}/readyz")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def post(self, body: object) -> int:
        """Post to the webhook as Alertmanager does; the receipt's number."""
        address = f"{self.url}/webhooks/alertmanager/"
        answer = request("POST", address.replace("//127", f"//x:{WEBHOOK_TOKEN}@127"), json=body)
        return int(answer.raise_for_status().json()["receipt"])

    def incident(self, alertname: str, status: str = "") -> dict[str, Any]:
        """The one incident of this alert, once it has the status."""
        only = ["--status", status] if status else []

        def found() -> list[dict[str, Any]]:
            listed = ["incidents", "list", "--json", "--alertname", alertname, *only]
            items: list[dict[str, Any]] = json.loads(self.shell.ok(*listed))["items"]
            return items

        items = eventually(found, what=f"an incident of {alertname} {status}")
        assert len(items) == 1
        return items[0]

    def open_incident(self, alertname: str) -> int:
        """A new incident with a test alert; its number."""
        self.shell.ok("send-test", "--alertname", alertname)
        return int(self.incident(alertname)["id"])


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """One service for all tests of a worker: each uses alert names of its own."""
    with Beside(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty directory, with no service anywhere."""
    return Shell(tmp_path)
