"""What changes while nobody tells: seen by a real service in a real Prometheus and MLflow."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RECORDINGS
from tests.house import alert, notification
from tests.neighbours.exporter import Exporter
from tests.neighbours.mlflow import Mlflow
from tests.neighbours.processes import eventually
from tests.neighbours.prometheus import Prometheus
from tests.service import Service

pytestmark = [pytest.mark.neighbour, pytest.mark.timeout(300)]

MODEL = "pix-fraud-watched"
RELOADED = "Prometheus read its configuration anew"
RESTARTED = "Spark driver restarted"
PROCESSOR = "metrics_pix_fraud_driver_JVMCPU_jvmCpuTime"
COMMITS = "delta_last_commit_timestamp_seconds"
RELOADS = "prometheus_config_last_reload_success_timestamp_seconds"
CONFIG = """
receivers: {oncall: {console: true}}
topology: [kafka -> spark, spark -> delta, spark -> serving]
context: {watch_every: 500ms}
"""
_SERIES = re.compile(r'(\w+)\{type="gauges"\} (\S+)')


class Spark(Exporter):
    """A driver that exports what a real one did. Processor time grows until it is restarted."""

    def __init__(self) -> None:
        super().__init__()
        recorded = (RECORDINGS / "pipeline" / "spark-driver.prom").read_text()
        for name, value in _SERIES.findall(recorded):
            self.set(name, float(value), type="gauges")

    def worked(self, nanoseconds: float) -> None:
        for kind in ("Number", "Value"):
            self.set(f"{PROCESSOR}_{kind}", nanoseconds, type="gauges")


@dataclass
class Watched:
    """A pipeline, and the service that watches it through Prometheus."""

    prometheus: Prometheus
    spark: Spark
    delta: Exporter
    service: Service

    def restart_spark(self, nanoseconds: float) -> None:
        """It is away, and comes back as a process that has worked that little."""
        self.spark.failing = True
        self.prometheus.wait_for('up{job="spark"} == 0')
        self.spark.worked(nanoseconds)
        self.spark.failing = False
        self.prometheus.wait_for(f"{PROCESSOR}_Value == {nanoseconds}")

    def commit(self, operation: str) -> None:
        """The exporter has seen a commit of just now."""
        self.delta.set(COMMITS, time.time(), table="lake/pix_scores", operation=operation)

    def looked(self) -> None:
        """Everything has been looked at once more."""
        self.service.has_looked("prometheus", calls=3)

    def changes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.service.get("/changes")["items"]
        return found

    def told(self, title: str, *, times: int = 1) -> dict[str, Any]:
        """The newest change of that title, once it was told so often."""

        def look() -> list[dict[str, Any]]:
            found = [change for change in self.changes() if change["title"].startswith(title)]
            return found if len(found) >= times else []

        return eventually(look, what=f"{title} {times} times")[0]

    def fire(self, name: str, component: str) -> dict[str, Any]:
        """An incident, once it was asked what changed before it."""
        self.service.post(notification(alert(name, component=component)))

        def look() -> list[dict[str, Any]]:
            shown = [i for i in self.service.incidents() if i["labels"]["alertname"] == name]
            return [i for i in shown if "changes" in i["context"]["opening"]]

        return eventually(look, what=f"the incident {name}")[0]

    def timeline(self, number: int) -> list[str]:
        items = self.service.get(f"/incidents/{number}/timeline")["items"]
        return [each["data"]["title"] for each in items if each["kind"] == "change"]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        spark, delta = stack.enter_context(Spark()), stack.enter_context(Exporter())
        delta.set(COMMITS, time.time() - 86_400, table="lake/pix_scores", operation="MERGE")
        delta.set(COMMITS, time.time() - 60, table="lake/pix_scores", operation="WRITE")
        prometheus = Prometheus(
            tmp_path, targets={"spark": [spark.address], "delta": [delta.address]}
        )
        prometheus.targets["prometheus"] = [f"127.0.0.1:{prometheus.port}"]
        stack.enter_context(prometheus)
        for query in (f"{PROCESSOR}_Value", COMMITS, RELOADS):
            prometheus.wait_for(query)
        env = {"PLANTAO_PROMETHEUS_URL": prometheus.url}
        service = Service(tmp_path, config=CONFIG, env=env)
        service.start()
        stack.callback(service.process.stop)
        found = Watched(prometheus, spark, delta, service)
        found.looked()
        yield found


def test_what_figures_tell_is_on_the_incident_and_in_its_timeline(watched: Watched) -> None:
    assert watched.changes() == []

    watched.prometheus.reload()
    watched.restart_spark(1_200_000_000)
    watched.commit("OPTIMIZE")  # its first: a series that was not there
    watched.commit("WRITE")  # rewrites nothing
    reloaded, restarted = watched.told(RELOADED), watched.told(RESTARTED)
    rewritten = watched.told("lake/pix_scores: OPTIMIZE")
    assert reloaded["source"] == "prometheus"
    assert moment(reloaded["at"]).timestamp() == pytest.approx(
        watched.prometheus.value(RELOADS), abs=0.001
    )
    assert (restarted["source"], restarted["labels"]["component"]) == ("spark", "spark")
    assert moment(restarted["not_before"]) < moment(restarted["at"])
    assert (rewritten["source"], rewritten["labels"]["operation"]) == ("delta", "OPTIMIZE")

    incident = watched.fire("BatchesLate", "spark")
    assert incident["changes"][0]["id"] == restarted["id"]  # nearest along the pipeline
    assert {each["id"] for each in incident["changes"]} == {
        reloaded["id"],
        restarted["id"],
        rewritten["id"],
    }
    assert watched.timeline(incident["id"]) == []

    watched.prometheus.process.signal(signal.SIGHUP)
    watched.told(RELOADED, times=2)
    watched.restart_spark(900_000_000)
    watched.told(RESTARTED, times=2)
    watched.commit("MERGE")  # known from before: a moment that moved on
    watched.commit("ADD COLUMN")
    expected = [RELOADED, RESTARTED, "lake/pix_scores: MERGE", "lake/pix_scores: ADD COLUMN"]
    for title in expected:
        eventually(
            lambda t=title: any(e.startswith(t) for e in watched.timeline(incident["id"])),  # type: ignore[misc]
            what=f"{title} in the timeline",
        )
    watched.looked()
    assert len(watched.timeline(incident["id"])) == len(expected)
    assert len(watched.changes()) == 3 + len(expected)


def test_what_figures_told_while_the_service_was_down(watched: Watched) -> None:
    watched.service.kill()
    down = datetime.now(UTC)
    watched.restart_spark(1_200_000_000)
    watched.prometheus.reload()
    watched.commit("RESTORE")
    watched.prometheus.wait_for(f'{COMMITS}{{operation="RESTORE"}}')
    watched.prometheus.wait_for(f"{RELOADS} > {down.timestamp()}")
    up = datetime.now(UTC)
    watched.service.start()

    restarted = watched.told(RESTARTED)
    assert moment(restarted["not_before"]) < down < up < moment(restarted["at"])
    for title in (RELOADED, "lake/pix_scores: RESTORE"):
        assert down < moment(watched.told(title)["at"]) < up
    watched.looked()
    assert len(watched.changes()) == 3


def test_a_prometheus_that_was_away_tells_when_it_is_back(watched: Watched) -> None:
    watched.prometheus.kill()
    watched.spark.worked(1_200_000_000)
    watched.prometheus.start()
    watched.prometheus.wait_for(f"{PROCESSOR}_Value == 1200000000")
    watched.told(RESTARTED)
    watched.told(RELOADED)  # it reads its configuration when it starts


def test_an_alias_moved_while_the_service_was_down(tmp_path: Path, mlflow_server: Mlflow) -> None:
    mlflow_server.create_model(MODEL)
    for _ in range(3):
        mlflow_server.create_version(MODEL)
    mlflow_server.set_alias(MODEL, "champion", "2")
    service = Service(tmp_path, config=CONFIG, env={"MLFLOW_TRACKING_URI": mlflow_server.url})
    service.start()
    try:
        service.has_looked("mlflow", calls=2)
        mlflow_server.set_alias(MODEL, "challenger", "3")
        eventually(lambda: f"{MODEL}: challenger → 3" in titles(service), what="the first move")
        service.kill()
        down = datetime.now(UTC)
        mlflow_server.set_alias(MODEL, "champion", "3")
        mlflow_server.delete_alias(MODEL, "challenger")
        version, _ = mlflow_server.create_version(MODEL)
        up = datetime.now(UTC)
        service.start()
        moved = f"{MODEL}: champion 2 → 3"
        eventually(lambda: moved in titles(service), what=moved)
        by_title = {each["title"]: each for each in service.get("/changes")["items"]}
        for title in (moved, f"{MODEL}: challenger deleted, was 3"):
            noticed = by_title[title]
            assert moment(noticed["not_before"]) < down < up < moment(noticed["at"])
        created = by_title[f"{MODEL}: version {version} registered"]
        assert created["not_before"] is None  # of versions the registry keeps the time
        assert down - timedelta(seconds=1) < moment(created["at"]) < up
        assert len(titles(service)) == 4
    finally:
        service.process.stop()


def titles(service: Service) -> list[str]:
    return [change["title"] for change in service.get("/changes")["items"]]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
