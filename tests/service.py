"""The service as a process of its own: to be killed, traced, and talked to over real sockets."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.neighbours.processes import Process, eventually, free_port, request

_REPOSITORY = Path(__file__).resolve().parents[1]
_CODE = "from app.cli import main; main()"


class Service:
    """`plantao serve` on a database in `directory`, which outlives it.

    `env` are its settings, `under` a command to run it with, such as a tracer, `first` Python
    that is run before it. It may be started again after `kill`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        config: str = "",
        env: Mapping[str, str] | None = None,
        under: Sequence[str | Path] = (),
        first: str = "",
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = directory / "plantao.db"
        path = directory / "plantao.yml"
        path.write_text(config or "receivers: {o: {console: true}}\nroutes: {receiver: o}\n")
        settings = {
            "PLANTAO_CONFIG": str(path),
            "PLANTAO_DATABASE_URL": f"sqlite:///{self.database}",
            "PLANTAO_PORT": str(self.port),
            "PLANTAO_HOST": "127.0.0.1",
        }
        self.process = Process(
            [*under, sys.executable, "-c", f"{first}\n{_CODE}", "serve"],
            log=directory / "service.log",
            env=settings | _quick_start() | dict(env or {}),
            cwd=directory,
        )

    def start(self, *, within: float = 60.0) -> None:
        """Start it and wait until it answers."""
        self.process.start()
        self.process.wait_for_url(f"{self.url}/healthz", within=within)

    def kill(self) -> None:
        """SIGKILL: it has no chance to finish anything."""
        self.process.kill()

    def post(self, body: Mapping[str, Any], *, timeout: float = 10.0) -> httpx.Response:
        return request("POST", f"{self.url}/webhooks/alertmanager", json=body, timeout=timeout)

    def get(self, path: str, **params: str) -> Any:
        answer = request("GET", f"{self.url}{path}", params=params, timeout=30.0)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def incidents(self) -> list[dict[str, Any]]:
        """All of them, page by page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/incidents", limit="500", sort="opened_at", **cursor)
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    def figure(self, series: str) -> float:
        """The value of one series of its own metrics, 0 where there is none yet."""
        lines = request("GET", f"{self.url}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{series} "))

    def has_looked(self, neighbour: str, *, calls: int) -> None:
        """Wait until it has looked once more at what it watches of a neighbour, which takes so
        many calls, and has kept what it saw."""
        series = f'plantao_neighbour_calls_total{{neighbour="{neighbour}",outcome="ok"}}'
        # Wherever they begin, the calls of two looks hold one whole look.
        enough = self.figure(series) + 2 * calls
        eventually(lambda: self.figure(series) >= enough, what=f"another look at {neighbour}")

    @property
    def resident(self) -> int:
        """Its memory in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def _quick_start() -> dict[str, str]:
    """Compiled once for all starts, even where the tests themselves leave nothing compiled."""
    compiled = Path(tempfile.gettempdir()) / f"plantao-compiled-{os.getuid()}"
    return {
        "PYTHONPATH": str(_REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(compiled),
    }
