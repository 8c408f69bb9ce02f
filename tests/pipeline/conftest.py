"""One town and one season for the whole run."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pipeline import table
from tests.pipeline.faults import WAVES
from tests.pipeline.season import Season
from tests.pipeline.town import Town


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("the pipeline test")
    group.addoption("--write-table", action="store_true", help="write docs/pipeline-proof.md")
    group.addoption("--only", default="", help="only waves with these faults, by name, with commas")


@pytest.fixture(scope="session")
def season(request: pytest.FixtureRequest) -> Iterator[Season]:
    """Everything started, broken wave by wave, and repaired."""
    directory = Path(tempfile.mkdtemp(prefix="plantao-pipeline-"))
    only = set(filter(None, request.config.getoption("--only").split(",")))
    waves = [wave for wave in WAVES if not only or only & {fault.__name__ for fault in wave}]
    say = _narrator()
    say(f"the logs of all processes are in {directory}")
    with Town(directory, say) as town:
        season = Season(town, waves)
        for _ in season.run():
            if request.config.getoption("--write-table"):
                table.write(season)  # each time: what was seen outlasts a run that is broken off
        yield season
        town.say("everything is stopped")
    if request.session.testsfailed:
        print(f"\nThe logs of all processes are kept in {directory}", flush=True)
    else:
        shutil.rmtree(directory)


def _narrator() -> Callable[[str], None]:
    began = time.monotonic()

    def say(told: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        sys.stderr.write(f"{minutes:3d}:{seconds:02d} {told}\n")
        sys.stderr.flush()

    return say
