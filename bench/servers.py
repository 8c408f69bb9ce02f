"""The processes that are measured, each started for one benchmark and ended with it."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.neighbours.processes import free_port
from tests.neighbours.slack.model import BOT_TOKEN

_ROOT = Path(__file__).parents[1]
_FOREIGN = ("PLANTAO_", "SLACK_", "MLFLOW_")
_START_SECONDS = 30.0
_PATIENCE_SECONDS = 180.0
_POLL_SECONDS = 0.01
_COMPILED = tempfile.TemporaryDirectory(prefix="plantao-bench-compiled-")
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int
    database: Path | None = None

    @property
    def hook(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/alertmanager"

    def waiting(self) -> int:
        """How many receipts are not yet part of their incidents."""
        return int(self.query("SELECT count(*) FROM receipts WHERE state = 'accepted'"))

    def alerts(self) -> int:
        """How many alerts the incidents hold."""
        return int(self.query("SELECT count(*) FROM incident_alerts"))

    def query(self, sql: str) -> int | float:
        """One number from the database, read beside the service without asking it."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            number: int | float = connection.execute(sql).fetchone()[0]
            return number

    def settle(self) -> float:
        """Wait until every receipt is applied; the seconds that took."""
        start = time.perf_counter()
        wait(lambda: self.waiting() == 0, "the receipts to be applied")
        return time.perf_counter() - start

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at its peak, in MB of a million bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        now, peak = (
            int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) for name in ("VmRSS", "VmHWM")
        )
        return now * 1024 / 1e6, peak * 1024 / 1e6


@contextmanager
def plantao(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The service with its database in `folder`, as `plantao serve` runs it."""
    database = folder / "plantao.db"
    port = free_port()
    env = {"PLANTAO_DATABASE_URL": f"sqlite:///{database}", **(settings or {})}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    with _process(command, folder / "plantao.log", env) as child:
        _until_ready(child, port, folder / "plantao.log")
        yield Server(port, child.pid, database)


@contextmanager
def plain(folder: Path) -> Iterator[Server]:
    """The endpoint that stores nothing."""
    port = free_port()
    log = folder / "plain.log"
    with _process([sys.executable, "-m", "bench.plain", str(port)], log, {}) as child:
        _until_ready(child, port, log)
        yield Server(port, child.pid)


@contextmanager
def slack(folder: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """The Slack emulator: the settings that lead to it, and its journal."""
    port, journal = free_port(), folder / "slack.jsonl"
    command = [sys.executable, "-m", "tests.neighbours.slack", "--port", str(port)]
    with _process([*command, "--journal", str(journal)], folder / "slack.log", {}):
        wait(lambda: _listens(port), "the Slack emulator")
        yield (
            {
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "PLANTAO_SLACK_CHANNEL": "C0FRAUDE",
                "PLANTAO_SLACK_API_URL": f"http://127.0.0.1:{port}/api/",
            },
            journal,
        )


@contextmanager
def _process(
    command: list[str], log: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(_FOREIGN)}
    # Modules are compiled once, as pip leaves them, whatever this shell says and wherever we are.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    kept["PYTHONPYCACHEPREFIX"] = _COMPILED.name
    with log.open("wb") as errors:
        child = subprocess.Popen(
            command, cwd=_ROOT, env={**kept, **env}, stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _until_ready(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    def ready() -> bool:
        if child.poll() is not None:
            raise RuntimeError(f"it ended at once: {log.read_text(encoding='utf-8')}")
        return _listens(port) and _answers(f"http://127.0.0.1:{port}/readyz")

    wait(ready, "the server", within=_START_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with _OPEN(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait(condition: Callable[[], bool], what: str, *, within: float = _PATIENCE_SECONDS) -> None:
    """Return once it holds. Raises TimeoutError."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within:.0f} s for {what}")
        time.sleep(_POLL_SECONDS)
