"""A real PostgreSQL server that is thrown away."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg

from tests.neighbours.processes import NeighbourFailed, Process, find_program, free_port

_USER = "plantao"
# Nothing here must outlive a power cut: without fsync a test's database costs milliseconds. What
# was committed still outlives a killed server, so synchronous_commit stays on.
_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=200")


class Postgres:
    """A context manager, cheap enough for a session and too slow to start for each test: give
    each test a database of its own with `new_database`.

    PostgreSQL refuses to run as root, so as root it runs as `postgres`, in a directory of that
    user's own outside pytest's, which only root may enter.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="plantao-postgres-"))
        self._databases = 0
        self.process = Process(
            [
                _program("postgres"),
                *("-D", self.directory / "data"),
                *("-h", "127.0.0.1"),
                *("-p", str(self.port)),
                *("-k", ""),
                *(part for setting in _SETTINGS for part in ("-c", setting)),
            ],
            log=self.directory / "log",
            cwd=self.directory,
            user=self.user,
            # "Fast shutdown": it does not wait for clients to leave.
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        """The server's own database, `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database that nobody else has; its url."""
        self._databases += 1
        name = f"test_{self._databases}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A plain connection, in autocommit, for what a test wants to see or to do."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=_USER, dbname=database, autocommit=True
        )

    def start(self) -> None:
        """Start it, or start it again with the same port and data after `stop` or `kill`."""
        if not (self.directory / "data").exists():
            self._initialise()
        self.process.start()
        self.process.wait_until(self._answers)

    def _initialise(self) -> None:
        if self.user is not None:
            owner = pwd.getpwnam(self.user)
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        made = subprocess.run(
            [
                _program("initdb"),
                *("-D", str(self.directory / "data")),
                *("-U", _USER),
                *("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.directory,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
        )
        if made.returncode:
            raise NeighbourFailed(f"initdb failed: {made.stdout}{made.stderr}")

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL for the postmaster; its backends see that it is gone and end."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze the postmaster: nobody new gets in."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _program(name: str) -> str:
    """The newest one installed: Debian keeps them per version, outside PATH."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = sorted(versions, key=lambda path: int(path.parts[4]), reverse=True)
    return str(newest[0]) if newest else find_program(name)
