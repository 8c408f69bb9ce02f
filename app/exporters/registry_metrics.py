"""The model registry as Prometheus metrics; none but `mlflow_registry_up 0` while it is down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.exporters.families import counter, gauge
from app.exporters.registry import ModelReading
from app.exporters.rounds import Look, Rounds

_LONGEST_PARAM = 200  # a label, not a page


class RegistryMetrics(Collector):
    """What prometheus_client asks for at each scrape; MLflow is not asked then."""

    def __init__(self, rounds: Rounds[Sequence[ModelReading]]) -> None:
        self._rounds = rounds

    def describe(self) -> Iterator[Metric]:
        """The names, so that another collector cannot have them."""
        yield from _families(Look([]))

    def collect(self) -> Iterator[Metric]:
        yield from _families(self._rounds.latest())
        yield counter(
            "mlflow_registry_errors",
            "Looks at which MLflow did not tell something, by kind.",
            ("kind",),
            {(kind,): count for kind, count in self._rounds.errors.items()},
        )


def _families(look: Look[Sequence[ModelReading]]) -> Iterator[GaugeMetricFamily]:
    models = look.seen or ()
    up = [((), float(look.seen is not None))] if look.at is not None else []
    yield gauge("mlflow_registry_up", "1 if the model registry answered, else 0.", (), up)
    yield gauge(
        "mlflow_registry_duration_seconds",
        "How long the last look at the registry took.",
        (),
        [((), look.seconds)],
    )
    yield from _versions(models)
    yield from _runs(models)
    yield gauge(
        "mlflow_model_last_training_timestamp_seconds",
        "When the last training ended: of the newest version, an alias or the experiment.",
        ("model",),
        [((m.name,), m.last_training.timestamp()) for m in models if m.last_training],
    )
    yield gauge(
        "mlflow_model_artifact_present",
        "1 if the version's files are stored, 0 if there are none.",
        ("model", "version"),
        [((m.name, v), float(size > 0)) for m in models for v, size in m.stored.items()],
    )
    yield gauge(
        "mlflow_model_artifact_bytes",
        "Size of the version's files.",
        ("model", "version"),
        [((m.name, v), size) for m in models for v, size in m.stored.items()],
    )


def _versions(models: Sequence[ModelReading]) -> Iterator[GaugeMetricFamily]:
    yield gauge(
        "mlflow_model_version_info",
        "A registered version: the newest ones, and those that have an alias.",
        ("model", "version", "run_id"),
        [((m.name, v.version, v.run_id), 1) for m in models for v in m.versions],
    )
    yield gauge(
        "mlflow_model_alias_info",
        "The version that an alias names.",
        ("model", "alias", "version"),
        [((m.name, alias, v), 1) for m in models for alias, v in m.aliases.items()],
    )


def _runs(models: Sequence[ModelReading]) -> Iterator[GaugeMetricFamily]:
    runs = [(model.name, run) for model in models for run in model.runs]
    yield gauge(
        "mlflow_model_metric",
        "Last value of a training metric of the alias's run.",
        ("model", "alias", "version", "metric"),
        [
            ((name, run.alias, run.version, metric), value)
            for name, run in runs
            for metric, value in run.metrics.items()
        ],
    )
    yield gauge(
        "mlflow_model_param_info",
        "A training parameter of the alias's run.",
        ("model", "alias", "version", "param", "value"),
        [
            ((name, run.alias, run.version, param, value[:_LONGEST_PARAM]), 1)
            for name, run in runs
            for param, value in run.params.items()
        ],
    )
