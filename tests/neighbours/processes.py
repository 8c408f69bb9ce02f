"""Child processes, ports and waiting: what every neighbour that is a program needs."""

import atexit
import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import httpx

# Below Linux's ephemeral range (from 32768), so that no outgoing connection ever takes one.
_PORTS = range(18_000, 32_000)
_POLL_SECONDS = 0.05
_LOG_TAIL_BYTES = 4_000
# Neighbours speak plain HTTP; an empty context spares loading the certificates each time.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_port_locks: list[int] = []

Found = TypeVar("Found")


class NeighbourFailed(AssertionError):
    """A neighbour is missing, did not start, or did not do in time what the test waits for."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is this process's own until it ends.

    A lock file per port, held open, keeps workers and sessions that run side by side apart; the
    system drops the lock when the process ends, however it ends.
    """
    locks = Path(tempfile.gettempdir()) / f"plantao-ports-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    # A generator of our own: pytest-randomly gives every worker the same seed.
    dice = random.SystemRandom()
    for port in (dice.choice(_PORTS) for _ in _PORTS):
        if _lock(locks / str(port)) and _can_listen(port):
            return port
    raise NeighbourFailed("no free port on 127.0.0.1")


def _lock(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _port_locks.append(descriptor)
    return True


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_program(*names: str) -> str:
    """The path of the first of `names` that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise NeighbourFailed(f"{' or '.join(names)} is not installed: run tests/install-neighbours")


def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, str | bool] | None = None,
    json: object = None,
    form: Mapping[str, str] | None = None,
    timeout: float = 10.0,
) -> httpx.Response:
    """One HTTP request to a neighbour on loopback, past any proxy of the environment."""
    return httpx.request(
        method,
        url,
        params=params,
        json=json,
        data=form,
        timeout=timeout,
        trust_env=False,
        verify=_NO_CERTIFICATES,
    )


def eventually(
    look: Callable[[], Found], *, within: float = 60.0, what: str = "the condition"
) -> Found:
    """Call `look` until it answers something true, and return that.

    Raises NeighbourFailed, with the last answer, after `within` seconds.
    """
    deadline = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > deadline:
            raise NeighbourFailed(f"{what}: not within {within:g} s; last seen {found!r}")
        time.sleep(_POLL_SECONDS)
    return found


def answers(url: str) -> bool:
    """Whether a GET of `url` is answered with a 2xx."""
    try:
        return request("GET", url, timeout=2.0).is_success
    except httpx.HTTPError:
        return False


def listens(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


class Process:
    """One program in a process group of its own, its output in a file, killed at the latest at
    the exit of the tests.

    `start` may be called again after `stop` or `kill`; the log is continued.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._user = user
        self._stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise NeighbourFailed(f"{self.command[0]} was not started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it goes on. Looking does not reap it: until `kill` does, the id of its group
        is ours, and so is whatever of the group outlives it."""
        if self._child is None or self._child.returncode is not None:
            return False
        ended = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended is None

    def start(self) -> None:
        if self.running:
            raise NeighbourFailed(f"{self.command[0]} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                start_new_session=True,
            )
        atexit.register(self.kill)

    def wait_until(self, ready: Callable[[], bool], *, within: float = 60.0) -> None:
        """Wait for `ready`; if the process ends or time runs out, kill it and show its log."""
        deadline = time.monotonic() + within
        while not ready():
            if not self.running:
                status = self.wait()
                raise self._failure(f"ended with status {status} before it was ready")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failure(f"was not ready within {within:g} s")
            time.sleep(_POLL_SECONDS)

    def wait_for_url(self, url: str, *, within: float = 60.0) -> None:
        self.wait_until(lambda: answers(url), within=within)

    def wait_for_port(self, port: int, *, within: float = 60.0) -> None:
        self.wait_until(lambda: listens(port), within=within)

    def wait(self, *, within: float = 60.0) -> int:
        """The exit status, once it has ended; a process that goes on is killed and a failure."""
        ended = self._ends(within)
        self.kill()
        if self._child is None or not ended:
            raise self._failure(f"did not end within {within:g} s")
        return self._child.returncode

    def stop(self, *, within: float = 20.0) -> None:
        """Ask it to end, and kill it if it has not after `within` seconds."""
        if self.running:
            self.resume()
            self.signal(self._stop_signal)
            self._ends(within)
        self.kill()

    def kill(self) -> None:
        """SIGKILL for the whole group, what the program left behind included."""
        if self._child is not None:
            self.signal(signal.SIGKILL)
            self._child.wait()
        atexit.unregister(self.kill)

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process group; nothing happens once it was reaped."""
        if self._child is not None and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _ends(self, within: float) -> bool:
        deadline = time.monotonic() + within
        while self.running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return not self.running

    def _failure(self, problem: str) -> NeighbourFailed:
        tail = self.log_text()[-_LOG_TAIL_BYTES:]
        return NeighbourFailed(f"{' '.join(self.command)}\n{problem}; the end of its log:\n{tail}")
