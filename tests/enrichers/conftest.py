"""One MLflow for all tests of a worker: each registers models of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.neighbours.mlflow import Mlflow


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """Whoever stops or freezes it lets it go on again."""
    with Mlflow(tmp_path_factory.mktemp("mlflow")) as running:
        yield running
