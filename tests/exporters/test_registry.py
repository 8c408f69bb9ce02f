"""What is told of a model registry, by a real MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry

from app.config_exporter import Exporter, TrackedModel
from app.exporters.exporter import Watching
from app.exporters.registry import KINDS, LATEST_RUN, NEWEST
from app.mlflow.registry import open_mlflow
from app.settings import Settings
from tests.neighbours.mlflow import Mlflow as Server
from tests.neighbours.processes import free_port

pytestmark = pytest.mark.neighbour


@pytest.fixture
def name(mlflow_server: Server) -> str:
    """A new registered model."""
    name = f"pix-fraud-{uuid4().hex[:8]}"
    mlflow_server.create_model(name)
    return name


def watching(url: str, *models: TrackedModel) -> Watching:
    section = Exporter(models=models)
    settings = Settings(mlflow_tracking_uri=url)
    return Watching(section, mlflow=partial(open_mlflow, settings, within=20))


def told(seen: Watching, metric: str) -> dict[tuple[str, ...], float]:
    """The series of a metric, by their label values in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in seen.registry.collect()
        for sample in family.samples
        if sample.name == metric
    }


def up(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("mlflow_registry_up")


def finish(server: Server, run: str, at: datetime) -> None:
    moment = int(at.timestamp() * 1000)
    server.call("POST", "runs/update", run_id=run, status="FINISHED", end_time=moment)


def test_versions_aliases_metrics_and_parameters(mlflow_server: Server, name: str) -> None:
    metrics, params = {"auc": 0.91, "loss": 0.3}, {"max_depth": "6", "seed": "1"}
    first, run = mlflow_server.create_version(name, metrics=metrics, params=params)
    second, other = mlflow_server.create_version(name, metrics={"auc": 0.85})
    mlflow_server.set_alias(name, "champion", first)
    seen = watching(mlflow_server.url, TrackedModel(name=name, params=("max_depth",)))
    seen.once()
    assert up(seen.registry) == 1
    # labels in the order of their names: model, run_id, version
    assert set(told(seen, "mlflow_model_version_info")) == {
        (name, run, first),
        (name, other, second),
    }
    # alias, model, version
    assert told(seen, "mlflow_model_alias_info") == {("champion", name, first): 1}
    # alias, metric, model, version
    assert told(seen, "mlflow_model_metric") == {
        ("champion", "auc", name, first): 0.91,
        (NEWEST, "auc", name, second): 0.85,
    }
    # alias, model, param, value, version
    assert told(seen, "mlflow_model_param_info") == {("champion", name, "max_depth", "6", first): 1}


def test_an_alias_that_moved_leaves_nothing_behind(mlflow_server: Server, name: str) -> None:
    first, _ = mlflow_server.create_version(name)
    second, _ = mlflow_server.create_version(name)
    mlflow_server.set_alias(name, "champion", first)
    seen = watching(mlflow_server.url, TrackedModel(name=name))
    seen.once()
    mlflow_server.set_alias(name, "champion", second)
    seen.once()
    assert told(seen, "mlflow_model_alias_info") == {("champion", name, second): 1}


def test_when_it_was_last_trained(mlflow_server: Server, name: str) -> None:
    _, run = mlflow_server.create_version(name)
    seen = watching(mlflow_server.url, TrackedModel(name=name))
    seen.once()
    assert told(seen, "mlflow_model_last_training_timestamp_seconds") == {}, "it goes on"
    ended = datetime(2026, 11, 20, tzinfo=UTC)
    finish(mlflow_server, run, ended)
    seen.once()
    found = told(seen, "mlflow_model_last_training_timestamp_seconds")
    assert found == {(name,): ended.timestamp()}


def test_a_run_of_the_experiment_counts_before_it_is_registered(
    mlflow_server: Server, name: str
) -> None:
    experiment = mlflow_server.call("POST", "experiments/create", name=f"training {name}")
    started = {"experiment_id": experiment["experiment_id"], "start_time": 1_800_000_000_000}
    answer = mlflow_server.call("POST", "runs/create", **started)
    run = answer["run"]["info"]["run_id"]
    mlflow_server.call(
        "POST", "runs/log-metric", run_id=run, key="auc", value=0.88, timestamp=1, step=0
    )
    ended = datetime(2026, 11, 21, tzinfo=UTC)
    finish(mlflow_server, run, ended)
    seen = watching(mlflow_server.url, TrackedModel(name=name, experiment=f"training {name}"))
    seen.once()
    assert told(seen, "mlflow_model_metric") == {(LATEST_RUN, "auc", name, ""): 0.88}
    found = told(seen, "mlflow_model_last_training_timestamp_seconds")
    assert found == {(name,): ended.timestamp()}


def upload(server: Server, path: str, content: bytes) -> None:
    address = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
    httpx.put(address, content=content).raise_for_status()


def test_files_of_a_run_are_present_or_gone(mlflow_server: Server, name: str) -> None:
    version, run = mlflow_server.create_version(name)
    seen = watching(mlflow_server.url, TrackedModel(name=name))
    seen.once()
    assert told(seen, "mlflow_model_artifact_present") == {(name, version): 0}
    upload(mlflow_server, f"0/{run}/artifacts/model/MLmodel", b"x" * 10)
    upload(mlflow_server, f"0/{run}/artifacts/model/data/model.bin", b"x" * 32)
    upload(mlflow_server, f"0/{run}/artifacts/elsewhere", b"x" * 1000)
    seen.once()
    assert told(seen, "mlflow_model_artifact_present") == {(name, version): 1}
    assert told(seen, "mlflow_model_artifact_bytes") == {(name, version): 42}


def test_files_of_a_logged_model(mlflow_server: Server, name: str) -> None:
    """Where MLflow 3 keeps models: beside the runs."""
    made: dict[str, Any] = mlflow_server.call(
        "POST", "logged-models", experiment_id="0", name="model"
    )
    info = made["model"]["info"]
    source = f"models:/{info['model_id']}"
    answer = mlflow_server.call(
        "POST", "model-versions/create", name=name, source=source, model_id=info["model_id"]
    )
    version = answer["model_version"]["version"]
    seen = watching(mlflow_server.url, TrackedModel(name=name))
    seen.once()
    assert told(seen, "mlflow_model_artifact_present") == {(name, version): 0}
    folder = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    upload(mlflow_server, f"{folder}/MLmodel", b"x" * 10)
    seen.once()
    assert told(seen, "mlflow_model_artifact_bytes") == {(name, version): 10}


def test_a_model_that_is_not_registered(mlflow_server: Server, name: str) -> None:
    mlflow_server.create_version(name)
    models = TrackedModel(name="nobody"), TrackedModel(name=name)
    seen = watching(mlflow_server.url, *models)
    seen.once()
    assert (up(seen.registry), len(told(seen, "mlflow_model_version_info"))) == (1, 1)
    assert told(seen, "mlflow_registry_errors_total")["not_found",] == 1


def test_nobody_there() -> None:
    seen = watching(f"http://127.0.0.1:{free_port()}", TrackedModel(name="pix-fraud"))
    assert {kind for (kind,) in told(seen, "mlflow_registry_errors_total")} == set(KINDS)
    seen.once()
    assert up(seen.registry) == 0
    assert told(seen, "mlflow_registry_errors_total")["unreachable",] == 1
    assert told(seen, "mlflow_model_version_info") == {}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, accounts=True) as running:
        yield running


def test_credentials_that_are_refused(guarded: Server) -> None:
    seen = watching(guarded.url, TrackedModel(name="pix-fraud"))
    seen.once()
    assert up(seen.registry) == 0
    assert told(seen, "mlflow_registry_errors_total")["refused",] == 1
