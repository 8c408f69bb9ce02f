"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.neighbours.mlflow import Mlflow
from tests.neighbours.postgres import Postgres

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real webhook bodies, byte for byte; see its README."""
    return RECORDINGS


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """One MLflow for all tests of a worker: each registers models of its own.

    Whoever stops or freezes it lets it go on again.
    """
    with Mlflow(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of a worker: each makes databases of its own."""
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.neighbour)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres").new_database()
    return url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show in full what failed and passed when it ran again: it is a fault to mend, too."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"failed, then ran again: {report.nodeid}", yellow=True)
        terminalreporter.write_line(report.longreprtext)
        for name, printed in report.sections:
            terminalreporter.write_sep("-", name)
            terminalreporter.write_line(printed)
