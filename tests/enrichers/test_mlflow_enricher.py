"""Which version served when the alert fired, asked of a real MLflow whose aliases move."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.config import ModelRef
from app.core.alerts import Alert, AlertStatus, Labels
from app.core.facts import Change, ModelVersion, Served, Witness
from app.core.incidents import Incident
from app.core.matchers import parse_matchers
from app.core.registry import RegistryState, differences
from app.enrichers.enricher import Subject
from app.enrichers.mlflow import MlflowEnricher
from app.errors import NeighbourFailed
from app.mlflow.registry import Mlflow, NotRegistered, snapshot
from tests.neighbours.exporter import Exporter
from tests.neighbours.mlflow import Mlflow as Server
from tests.neighbours.prometheus import Prometheus

pytestmark = pytest.mark.neighbour
SERVING = {"alertname": "FraudScoreSlow", "component": "serving"}


class House:
    """A registered model with three versions, and what the service keeps of it: the moves that
    it saw, and a gauge as Prometheus would answer it."""

    def __init__(self, server: Server, client: httpx.AsyncClient) -> None:
        self.server = server
        self.client = client
        self.name = f"pix-fraud-{uuid4().hex[:8]}"
        self.runs: dict[str, str] = {}
        self.recorded: list[Change] = []
        self.serving: Sequence[Labels] | NeighbourFailed | None = None
        self._state = RegistryState()

    def register(self, metrics: Mapping[str, float]) -> None:
        version, run = self.server.create_version(self.name, metrics=metrics, user="bia")
        self.runs[version] = run

    async def promote(self, version: str, alias: str = "champion") -> datetime:
        """Move the alias and see it; a moment after that."""
        self.server.set_alias(self.name, alias, version)
        return await self.look()

    async def look(self) -> datetime:
        """Compare the registry with what it was, and record it; a moment after that."""
        before, self._state = self._state, await snapshot(self.mlflow(10), [self.name])
        self.recorded += differences(before, self._state, at=datetime.now(UTC))
        return later()

    def mlflow(self, within: float = 5) -> Mlflow:
        return Mlflow(self.server.url, self.client, within=within)

    def enricher(self) -> MlflowEnricher:
        ref = ModelRef(self.name, "champion", parse_matchers('component=~"model|serving"'))
        return MlflowEnricher(self.mlflow(), lambda: [ref], self.gauge, self.history)

    async def find(self, at: datetime, labels: Labels | None = None) -> Served | None:
        return await self.enricher().find(subject(at, labels or SERVING))

    async def found(self, at: datetime, labels: Labels | None = None) -> Served:
        served = await self.find(at, labels)
        assert served
        return served

    async def gauge(self, _name: str, _at: datetime) -> Sequence[Labels] | None:
        if isinstance(self.serving, NeighbourFailed):
            raise self.serving
        return self.serving

    async def history(self, _name: str, _alias: str, _at: datetime) -> Sequence[Change]:
        return self.recorded

    def link(self, version: str) -> str:
        return f"{self.server.url}/#/models/{self.name}/versions/{version}"


def later() -> datetime:
    """Now, and at least a millisecond after what was before."""
    time.sleep(0.005)
    return datetime.now(UTC)


def subject(at: datetime, *labels: Labels, within: float = 10) -> Subject:
    alerts = [Alert("f" * 16, AlertStatus.FIRING, each, {}, at) for each in labels]
    incident = Incident("key", ("oncall",), at, at)
    return Subject(incident, alerts, at, timedelta(seconds=within))


@pytest.fixture
async def house(mlflow_server: Server) -> AsyncIterator[House]:
    async with httpx.AsyncClient(trust_env=False) as client:
        house = House(mlflow_server, client)
        mlflow_server.create_model(house.name)
        house.register({"auc": 0.90, "recall": 0.7, "train_loss": 0.5})
        house.register({"auc": 0.91, "recall": 0.7, "train_loss": 0.4})
        house.register({"auc": 0.88, "recall": 0.7, "train_loss": 0.3, "brier": 0.02, "f1": 0.8})
        await house.look()
        yield house


# --- by the record


async def test_the_version_is_that_of_the_moment_with_all_about_it(house: House) -> None:
    await house.promote("1")
    between = await house.promote("2")
    await house.promote("1", alias="challenger")
    after = await house.promote("3")

    now = await house.found(after)
    then = await house.found(between)

    moved = [change for change in house.recorded if change.labels.get("alias") == "champion"]
    assert (now.name, now.alias, now.witness) == (house.name, "champion", Witness.RECORDED)
    assert (now.since, now.versions) == (moved[-1].at, ("3",))
    assert now.link == f"{house.server.url}/#/models/{house.name}"
    registered_at = now.current.registered_at
    assert registered_at
    assert abs(registered_at - after) < timedelta(minutes=1)
    assert now.current == ModelVersion(
        version="3",
        run_id=house.runs["3"],
        registered_by="bia",
        registered_at=registered_at,
        metrics={"auc": 0.88, "recall": 0.7, "train_loss": 0.3, "brier": 0.02},
        link=house.link("3"),
    )
    assert now.previous
    assert (now.previous.version, now.previous.run_id) == ("2", house.runs["2"])
    assert now.previous.metrics == {"auc": 0.91, "recall": 0.7, "train_loss": 0.4}
    assert now.challenger
    assert (now.challenger.version, now.challenger.metrics["auc"]) == ("1", 0.90)

    assert (then.current.version, then.since) == ("2", moved[-2].at)
    assert (then.previous and then.previous.version, then.challenger) == ("1", None)


async def test_fired_first_and_moved_later(house: House) -> None:
    await house.promote("2")
    house.recorded.clear()  # it was promoted before anybody watched
    fired = later()
    await house.promote("3")
    served = await house.found(fired)
    assert (served.current.version, served.witness) == ("2", Witness.RECORDED)
    assert (served.since, served.previous) == (None, None)


# --- by the gauge


def info(house: House, version: str, **labels: str) -> Labels:
    return {"model": house.name, "version": version, "run_id": house.runs[version], **labels}


async def test_the_gauge_beats_the_record_beats_the_registry(house: House) -> None:
    await house.promote("2")
    at = await house.promote("3")
    house.serving = [info(house, "2", alias="champion")]
    by_gauge = await house.found(at)
    house.serving = NeighbourFailed("Prometheus did not answer.")
    by_record = await house.found(at)
    house.serving = []
    house.server.set_alias(house.name, "champion", "1")
    still_by_record = await house.found(at)
    house.recorded.clear()
    by_registry = await house.found(at)

    told = [by_gauge, by_record, still_by_record, by_registry]
    assert [(each.witness, each.current.version) for each in told] == [
        (Witness.SERVING, "2"),
        (Witness.RECORDED, "3"),
        (Witness.RECORDED, "3"),
        (Witness.REGISTRY, "1"),
    ]
    assert by_gauge.since
    assert by_gauge.current.metrics["auc"] == 0.91
    assert (by_registry.since, by_registry.previous) == (None, None)


async def test_two_versions_while_a_rollout_is_under_way(house: House) -> None:
    at = await house.promote("3")
    house.serving = [info(house, "2"), info(house, "3")]
    served = await house.found(at)
    assert (served.current.version, served.versions) == ("3", ("2", "3"))
    named = await house.found(at, {**SERVING, "model_version": "2"})
    assert (named.current.version, named.alias, named.versions) == ("2", "", ("2", "3"))


async def test_a_real_gauge_asked_for_a_moment(house: House, tmp_path: Path) -> None:
    with Exporter() as exporter, Prometheus(tmp_path, targets={"s": [exporter.address]}) as prom:
        old, new = info(house, "2", alias="champion"), info(house, "3", alias="champion")
        exporter.set("fraud_model_info", 1, **old)
        prom.wait_for('fraud_model_info{version="2"}')
        fired = later()
        exporter.remove("fraud_model_info", **old)
        exporter.set("fraud_model_info", 1, **new)
        prom.wait_for('fraud_model_info{version="3"} and on() count(fraud_model_info) == 1')

        async def gauge(name: str, at: datetime) -> Sequence[Labels]:
            expr = f'fraud_model_info{{model="{name}"}}'
            answer = prom.api("query", query=expr, time=str(at.timestamp()))
            return [series["metric"] for series in answer["result"]]

        enricher = MlflowEnricher(house.mlflow(), list, gauge, house.history)
        labels = {"alertname": "A", "model": house.name}
        then = await enricher.find(subject(fired, labels))
        now = await enricher.find(subject(later(), labels))
    assert then
    assert now
    assert (then.current.version, now.current.version) == ("2", "3")
    assert (then.witness, then.alias) == (Witness.SERVING, "champion")


# --- which model


@pytest.mark.parametrize("label", ["model", "model_name"])
async def test_a_label_names_the_model(house: House, label: str) -> None:
    other = House(house.server, house.client)
    house.server.create_model(other.name)
    other.register({"auc": 0.5})
    await other.promote("1")
    await house.promote("3")
    served = await house.found(later(), {**SERVING, label: other.name})
    assert (served.name, served.witness) == (other.name, Witness.REGISTRY)


async def test_alerts_about_no_model_have_nothing_to_hear(house: House) -> None:
    at = await house.promote("3")
    assert await house.find(at, {"component": "kafka"}) is None
    assert await house.find(at, {"component": "kafka", "model": "no-such-model"}) is None


async def test_a_label_that_is_no_registered_model_leaves_the_configured_one(house: House) -> None:
    at = await house.promote("3")
    served = await house.found(at, {**SERVING, "model": "onnx-runtime"})
    assert (served.name, served.current.version) == (house.name, "3")


# --- what is gone


async def test_a_deleted_alias_is_said_so(house: House) -> None:
    before = await house.promote("3")
    house.server.delete_alias(house.name, "champion")
    after = await house.look()
    assert (await house.found(before)).current.version == "3"
    with pytest.raises(NotRegistered, match=f"No version of {house.name} carries the alias champ"):
        await house.find(after)
    house.serving = [info(house, "3")]
    served = await house.found(after)
    assert (served.current.version, served.alias) == ("3", "")


async def test_a_deleted_version_still_served(house: House) -> None:
    await house.promote("2")
    at = await house.promote("3")
    house.server.delete_version(house.name, "3")
    house.serving = [info(house, "3", alias="champion")]
    served = await house.found(at)
    run = house.runs["3"]
    assert served.current.link == f"{house.server.url}/#/experiments/0/runs/{run}"
    assert (served.current.run_id, served.current.registered_at) == (run, None)
    assert served.current.metrics["auc"] == 0.88
    assert served.previous
    assert served.previous.link == house.link("2")


async def test_a_configured_model_that_does_not_exist(house: House) -> None:
    house.server.delete_model(house.name)
    with pytest.raises(NotRegistered):
        await house.find(later())


async def test_an_old_version_beyond_the_newest(house: House) -> None:
    run = house.runs["3"]
    for _ in range(21):
        house.server.register(house.name, run)
    at = await house.promote("1")
    served = await house.found(at)
    assert (served.current.version, served.current.metrics["auc"]) == ("1", 0.90)


# --- an MLflow that is unwell


async def test_mlflow_is_down_and_gauge_or_record_know(house: House) -> None:
    await house.promote("2")
    at = await house.promote("3")
    house.server.kill()
    try:
        by_record = await house.found(at)
        house.serving = [info(house, "2", alias="champion")]
        by_gauge = await house.found(at)
        house.serving, house.recorded = None, []
        with pytest.raises(NeighbourFailed, match="MLflow cannot be reached") as failure:
            await house.find(at)
    finally:
        house.server.start()
    assert not isinstance(failure.value, NotRegistered)
    assert by_record.current == ModelVersion("3", link=house.link("3"))
    assert by_record.previous == ModelVersion("2", link=house.link("2"))
    assert by_gauge.current == ModelVersion("2", house.runs["2"], link=house.link("2"))


async def test_an_mlflow_that_hangs_takes_nothing_away(house: House) -> None:
    at = await house.promote("3")
    house.serving = [info(house, "3", alias="champion")]
    house.server.pause()
    try:
        started = time.monotonic()
        served = await house.enricher().find(subject(at, SERVING, within=1))
        took = time.monotonic() - started
    finally:
        house.server.resume()
    assert served
    assert served.current.run_id == house.runs["3"]
    assert took < 1


async def test_a_gauge_that_hangs_leaves_the_record(house: House) -> None:
    at = await house.promote("3")

    async def hangs(_name: str, _at: datetime) -> Sequence[Labels]:
        await asyncio.sleep(60)
        return []

    ref = ModelRef(house.name, "champion", ())
    enricher = MlflowEnricher(house.mlflow(), lambda: [ref], hangs, house.history)
    served = await enricher.find(subject(at, SERVING, within=6))
    assert served
    assert (served.witness, served.current.metrics["auc"]) == (Witness.RECORDED, 0.88)


async def test_without_mlflow_the_gauge_still_tells(house: House) -> None:
    house.serving = [info(house, "3", alias="champion")]
    ref = ModelRef(house.name, "champion", ())
    enricher = MlflowEnricher(None, lambda: [ref], house.gauge, house.history)
    served = await enricher.find(subject(later(), SERVING))
    assert served
    assert (served.current, served.link) == (ModelVersion("3", house.runs["3"]), None)


async def test_it_asks_no_more_than_five_times(house: House) -> None:
    await house.promote("2")
    await house.promote("1", alias="challenger")
    at = await house.promote("3")
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request.url.path.partition("mlflow/")[2])

    house.client.event_hooks["request"].append(note)
    await house.found(at)
    assert sorted(asked) == [
        "model-versions/search",
        "registered-models/get",
        *["runs/get"] * 3,
    ]
