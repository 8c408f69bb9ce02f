"""Running the emulator on a real socket of 127.0.0.1: in a thread, or as a process."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn

from .app import create_app
from .broken import OpenProtocol
from .listener import listening_socket
from .workspace import Workspace

_START_SECONDS = 30.0
_REPOSITORY = Path(__file__).resolve().parents[3]


class _QuickServer(uvicorn.Server):
    """Ends when told, not at the next tenth of a second: hundreds of tests start one each."""

    async def main_loop(self) -> None:
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        self.running.set()
        await self._told.wait()
        self.force_exit = True  # do not wait for calls that hang on purpose

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.running = threading.Event()

    def stop(self) -> None:
        if self.running.wait(_START_SECONDS):
            self._loop.call_soon_threadsafe(self._told.set)


def uvicorn_config(workspace: Workspace) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(workspace),
        http=OpenProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )


class SlackServer:
    """The emulator in a thread of this process, on a free port, while it is entered.

    It listens from the constructor on, so the address can be configured before it answers.
    """

    def __init__(self, workspace: Workspace | None = None, *, port: int = 0) -> None:
        self.workspace = workspace or Workspace()
        self._socket = listening_socket(port)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.api_url = f"{self.url}/api/"
        self.workspace.hooks.base = self.url
        self._server = _QuickServer(uvicorn_config(self.workspace))
        self._thread = threading.Thread(target=self._run, name="slack-emulator")

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join()
        self._socket.close()
        self.workspace.close()


class SlackProcess:
    """The emulator as a process of its own while it is entered; driven over `/_control/`."""

    def __init__(
        self,
        *options: str,
        port: int = 0,
        journal: Path | None = None,
        limits: bool = True,
    ) -> None:
        """`options` are further ones of the command: `--app`, `--manifest`, `--socket-mode`."""
        command = [sys.executable, "-m", "tests.neighbours.slack", "--port", str(port)]
        command += ["--journal", str(journal)] if journal else []
        command += [] if limits else ["--no-rate-limits"]
        command += options
        self._command = command
        self.url = ""

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        self.url = self._first_line().strip()
        if not self.url.startswith("http"):
            self.__exit__()
            raise AssertionError("the Slack emulator did not start")
        return self

    def _first_line(self) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return self._process.stdout.readline() if selector.select(_START_SECONDS) else ""

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def get(self, action: str, **arguments: str | int) -> Any:
        return self._request("GET", action, params=arguments)

    def control(self, action: str, **arguments: object) -> Any:
        return self._request("POST", action, json=arguments)

    def fault(self, kind: str, **arguments: object) -> None:
        self.control("faults", kind=kind, **arguments)

    def _request(self, verb: str, action: str, **parts: Any) -> Any:
        url = f"{self.url}/_control/{action}"
        answer = httpx.request(verb, url, trust_env=False, timeout=30, **parts)
        assert answer.status_code == 200, answer.text
        return answer.json()
