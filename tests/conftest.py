"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.neighbours.mlflow import Mlflow

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show in full what failed and passed when it ran again: it is a fault to mend, too."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"failed, then ran again: {report.nodeid}", yellow=True)
        terminalreporter.write_line(report.longreprtext)
