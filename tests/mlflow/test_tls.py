"""MLflow over TLS: trusted as MLflow's own variables say, by all of us."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import NeighbourUnreachable
from app.mlflow.registry import open_mlflow
from app.settings import Settings
from tests.house import serving
from tests.neighbours.serving import Answer, Request
from tests.neighbours.tls import TlsServer
from tests.waiting import soon


class Mlflow(TlsServer):
    """A registry without models that remembers what it was asked."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.asked: list[str] = []

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.asked.append(request.path)
        return Answer(body=b"{}")


@pytest.fixture
def mlflow(tmp_path: Path) -> Iterator[Mlflow]:
    with Mlflow(tmp_path) as server:
        yield server


async def test_a_strange_certificate_is_not_trusted(mlflow: Mlflow) -> None:
    async with open_mlflow(Settings(mlflow_tracking_uri=mlflow.url)) as registry:
        with pytest.raises(NeighbourUnreachable):
            await registry.models()
    assert mlflow.asked == []


@pytest.mark.parametrize("how", ["path", "insecure"])
async def test_it_is_trusted_where_a_variable_says_so(mlflow: Mlflow, how: str) -> None:
    async with open_mlflow(_settings(mlflow, how)) as registry:
        await registry.models()
    assert mlflow.asked


async def test_the_service_trusts_it_too(mlflow: Mlflow, tmp_path: Path) -> None:
    settings = _settings(mlflow, "path").model_dump(exclude_defaults=True)
    async with serving(tmp_path, **settings):

        async def asked() -> list[str]:
            return mlflow.asked

        await soon(asked, within=60)


def _settings(mlflow: Mlflow, how: str) -> Settings:
    trust: dict[str, Any] = {
        "path": {"mlflow_tracking_server_cert_path": mlflow.certificate},
        "insecure": {"mlflow_tracking_insecure_tls": True},
    }
    return Settings(mlflow_tracking_uri=mlflow.url, **trust[how])
