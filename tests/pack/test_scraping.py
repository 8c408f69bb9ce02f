"""The shipped scrape jobs on what the components really export."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.core.watching import STANDARD
from tests.neighbours.processes import eventually
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.serving import Answer, LoopbackServer, Request
from tests.pack.shipped import PROMETHEUS, document

pytestmark = pytest.mark.neighbour

SCRAPES = Path(__file__).parent / "scrapes"
JOBS: Mapping[str, Any] = {
    each["job_name"]: each for each in document(PROMETHEUS / "prometheus.yml")["scrape_configs"]
}
RECORDED = {
    "kafka": "kafka.prom",
    "kafka-lag": "kafka-lag.prom",
    "spark-driver": "spark-driver.prom",
    "spark-executors": "spark-executors.prom",
    "mlflow": "mlflow.prom",
}


class Component(LoopbackServer):
    """Answers with a recorded scrape at the path that its job asks for, and nowhere else."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__()
        self._text, self._path = text, path

    def answer(self, request: Request) -> Answer:
        if request.path != self._path:
            return Answer(status=404)
        return Answer(body=self._text.encode(), content_type="text/plain; version=0.0.4")


class Shipped(Prometheus):
    """With the shipped jobs, asked every second, at the addresses of this test."""

    def config(self) -> dict[str, Any]:
        config = super().config()
        config["scrape_configs"] = [
            {
                **{key: JOBS[job][key] for key in JOBS[job] if key in {"job_name", "metrics_path"}},
                "metric_relabel_configs": JOBS[job].get("metric_relabel_configs", []),
                "static_configs": [{"targets": list(addresses)}],
            }
            for job, addresses in self.targets.items()
        ]
        return config


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with ExitStack() as stack:
        targets = {}
        for job, name in RECORDED.items():
            path = JOBS[job].get("metrics_path", "/metrics")
            component = Component((SCRAPES / name).read_text("utf-8"), path)
            targets[job] = [stack.enter_context(component).address]
        directory = tmp_path_factory.mktemp("scraping")
        running = stack.enter_context(Shipped(directory, targets=targets))
        eventually(lambda: running.value("count(up == 1)") == len(targets), what="all targets up")
        yield running


def _names(prometheus: Prometheus, job: str) -> set[str]:
    found = prometheus.query(f'count by (__name__) ({{job="{job}",__name__!~"up|scrape_.+"}})')
    return {dict(series)["__name__"] for series in found}


def test_spark_names_become_labels(prometheus: Prometheus) -> None:
    latency = prometheus.query("sum by (query) (spark_streaming_batch_latency_milliseconds)")
    assert latency == {(("query", "pix_features"),): 993, (("query", "pix_scored"),): 299}
    names = _names(prometheus, "spark-driver")
    assert {name for name in names if name.startswith("spark_streaming_")} == {
        "spark_streaming_input_rows_per_second",
        "spark_streaming_processing_rows_per_second",
        "spark_streaming_batch_latency_milliseconds",
        "spark_streaming_state_rows",
        "spark_streaming_state_bytes",
        "spark_streaming_watermark_milliseconds",
    }
    assert prometheus.value("spark_driver_failed_jobs_total") == 1


def test_what_the_change_watch_asks_for_is_kept(prometheus: Prometheus) -> None:
    restart = next(watch for watch in STANDARD if watch.kind == "driver_restarted")
    assert len(prometheus.query(restart.query)) == 1


@pytest.mark.parametrize("job", RECORDED)
def test_series_that_nobody_asks_for_are_dropped(prometheus: Prometheus, job: str) -> None:
    scraped = prometheus.value(f'scrape_samples_scraped{{job="{job}"}}') or 0
    kept = prometheus.value(f'scrape_samples_post_metric_relabeling{{job="{job}"}}') or 0
    assert 0 < kept < scraped
    assert kept < 300 or job == "kafka-lag"  # which has six series for each partition


@pytest.mark.parametrize("job", RECORDED)
def test_every_metric_in_the_rules_is_what_a_component_exports(
    prometheus: Prometheus, job: str
) -> None:
    """Of the prefixes that this job is alone to export."""
    prefixes = {
        "kafka": "kafka_(?:server|network|controller)_",
        "kafka-lag": "kafka_consumergroup_",
        "spark-driver": "spark_streaming_",
        "spark-executors": "metrics_executor_",
        "mlflow": "mlflow_http_",
    }
    text = "".join(
        path.read_text("utf-8") for path in sorted((PROMETHEUS / "alert.rules").glob("*.yml"))
    )
    asked = set(re.findall(rf"\b{prefixes[job]}\w+", text))
    assert asked <= _names(prometheus, job)
