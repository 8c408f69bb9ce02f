"""The demo as a process, played by its own page's requests."""

from __future__ import annotations

import os
import re
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.neighbours.processes import Process, eventually

_REPOSITORY = Path(__file__).resolve().parents[2]
_WITHIN = 150.0  # seconds; a busy machine starts four programs slowly
_MARK = "TESTED_DEMO"  # not a setting of ours: those are blanked

Json = dict[str, Any]


class Demo:
    """It runs at `page`, and the service at `service`."""

    def __init__(self, process: Process, page: str) -> None:
        self.process = process
        self.page = page
        found = re.search(
            r'<html lang="([^"]+)".*data-service="([^"]+)"', self.get("/").text, re.DOTALL
        )
        assert found is not None
        self.language, self.service = found[1], found[2]

    def get(self, path: str) -> httpx.Response:
        answer = httpx.get(f"{self.page}{path}", trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer

    def press(self, story: str, deed: str) -> None:
        url = f"{self.page}/stories/{story}/{deed}"
        answer = httpx.post(url, headers={"Origin": self.page}, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The service."""
        url = f"{self.service}{path}"
        answer = httpx.request(method, url, trust_env=False, timeout=30, **how)
        assert answer.is_success, answer.text
        return answer

    def state(self, story: str) -> Json:
        told = self.get("/state").json()
        assert not told["failure"], told["failure"]
        found: Json = next(each for each in told["stories"] if each["name"] == story)
        return found

    def reaches(self, story: str, phase: str, *, incidents: int = 0) -> list[Json]:
        """Wait until the story has come so far; its incidents."""

        def there() -> Json | None:
            state = self.state(story)
            enough = len(state["incidents"]) >= incidents
            return state if state["phase"] == phase and enough else None

        found = eventually(there, within=_WITHIN, what=f"{story}: {phase}")
        assert found is not None
        incidents_: list[Json] = found["incidents"]
        return incidents_

    def slack(self, containing: str) -> str:
        """Wait until the look-alike's channel says this; all of it."""
        link = re.search(r'href="([^"]+/_look/[^"]+as=ana)"', self.get("/").text)
        assert link is not None
        address = link[1].replace("&amp;", "&")

        def shown() -> str | None:
            text = httpx.get(address, trust_env=False, timeout=30).text
            return text if containing in text else None

        found = eventually(shown, within=_WITHIN, what=f"{containing!r} in Slack")
        assert found is not None
        return found


@contextmanager
def playing(directory: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Demo]:
    """At the end it is interrupted as by Ctrl-C, and nothing of it may be left."""
    with started(directory, *options, env=env) as (process, mark):
        page = eventually(_address(process), within=_WITHIN, what="the demo's address")
        assert page is not None
        demo = Demo(process, page)
        yield demo
        process.signal(signal.SIGINT)
        assert process.wait(within=60) == 0, process.log_text()
        assert list(marked(mark)) == []


@contextmanager
def started(
    directory: Path, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Process, str]]:
    """The process, and the mark by which it and all its children can be told."""
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "demo", "--no-browser", *options]
    given = {_MARK: mark, "PYTHONUNBUFFERED": "1", **(env or {})}
    process = Process(command, log=directory / "demo.log", env=given, cwd=_REPOSITORY)
    process.start()
    try:
        yield process, mark
    finally:
        process.stop()


def _address(process: Process) -> Callable[[], str | None]:
    def look() -> str | None:
        assert process.running, process.log_text()
        found = re.search(r"  (http://127\.0\.0\.1:\d+)\n", process.log_text())
        return found[1] if found else None

    return look


def said(process: Process, words: str) -> None:
    """Wait until it has printed this."""
    eventually(lambda: words in process.log_text(), within=_WITHIN, what=words)


def marked(mark: str) -> Iterator[int]:
    """The processes of one demo that are there."""
    wanted = f"{_MARK}={mark}".encode()
    for each in Path("/proc").iterdir():
        if not each.name.isdigit() or int(each.name) == os.getpid():
            continue
        try:
            environment = (each / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            yield int(each.name)


__all__ = ["Demo", "marked", "playing", "said", "started"]
