"""Running `plantao` as people do: in a process, with nothing of our own environment."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "app.cli"]
_OURS = ("PLANTAO_", "SLACK_", "MLFLOW_")
_SECONDS = 60.0

Result = subprocess.CompletedProcess[str]


def environment(**settings: str) -> dict[str, str]:
    """The environment without any setting but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    for name in ("NO_COLOR", "COLUMNS"):
        kept.pop(name, None)
    return {**kept, "PYTHONPATH": str(REPOSITORY), "LOGNAME": "maria", "TERM": "xterm", **settings}


class Shell:
    """Runs commands in a directory with settings; `at` gives one with more settings."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.settings = settings

    def at(self, **settings: str) -> "Shell":
        return Shell(self.directory, **{**self.settings, **settings})

    def run(self, *arguments: str | bytes, stdin: str = "") -> Result:
        """Run to the end; it must leave no traceback, whatever happens."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.directory,
            env=environment(**self.settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """The output of a command that succeeds."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def error(self, *arguments: str | bytes, code: int = 1) -> str:
        """The one line of a command that fails so."""
        done = self.run(*arguments)
        assert done.returncode == code, done.stdout + done.stderr
        lines = done.stderr.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("plantao: ")
        return lines[0]

    def on_terminal(self, *arguments: str, columns: int = 80) -> str:
        """What a terminal of this width is sent."""
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        child = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.directory,
            env=environment(**self.settings),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        try:
            return _read_all(screen)
        finally:
            child.wait(_SECONDS)
            os.close(screen)


def _read_all(screen: int) -> str:
    parts = []
    try:
        while part := os.read(screen, 65536):
            parts.append(part)
    except OSError:  # Linux's way to say that nobody has the terminal open any more
        pass
    return b"".join(parts).decode().replace("\r\n", "\n")
