"""The whole context: a model is promoted, its latency breaks the rule, the thread says why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.config import ModelRef
from app.core.alerts import Alert, AlertStatus, Labels
from app.core.facts import Change
from app.core.incidents import Incident
from app.core.matchers import parse_matcher
from app.core.registry import alias_moved
from app.enrichers.enricher import Subject
from app.enrichers.measuring import PrometheusEnricher
from app.enrichers.mlflow import MlflowEnricher
from app.enrichers.prometheus import Prometheus as Asked
from app.mlflow.registry import Mlflow as Registry
from tests.neighbours.alertmanager import Alertmanager, webhook_config
from tests.neighbours.exporter import Exporter
from tests.neighbours.mlflow import Mlflow
from tests.neighbours.processes import eventually, request
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.slack import BOT_TOKEN, DEFAULT_CHANNEL, Message, SlackServer, Workspace
from tests.service import Service

pytestmark = [pytest.mark.neighbour, pytest.mark.timeout(300)]

MODEL = "pix-fraud"
SECRET = "the-webhook-secret"
CONFIG = f"""
receivers: {{oncall: {{slack: {{channel: "#{DEFAULT_CHANNEL}"}}}}}}
routes: {{receiver: oncall}}
models: [{{name: {MODEL}, alias: champion, matchers: ['component="serving"']}}]
topology: [kafka -> spark, spark -> serving]
verify: {{every: 1s}}
context: {{watch_every: 1s}}
"""
RULES = {
    "groups": [
        {
            "name": "serving",
            "rules": [
                {
                    "alert": "ScoringSlow",
                    "expr": "scoring_latency_p99_seconds > 0.5",
                    "labels": {"severity": "critical", "component": "serving"},
                    "annotations": {"summary": "scoring is slow"},
                }
            ],
        }
    ]
}


@dataclass
class Stage:
    exporter: Exporter
    prometheus: Prometheus
    mlflow: Mlflow
    slack: Workspace
    service: Service
    loaded: bool = False

    def serves(self, version: str, run: str) -> None:
        """The serving process says which version it has loaded."""
        if self.loaded:
            self.exporter.remove("fraud_model_info")
        self.loaded = True
        self.exporter.set(
            "fraud_model_info", 1, model=MODEL, version=version, alias="champion", run_id=run
        )

    def changes(self) -> list[str]:
        return [change["title"] for change in self.service.get("/changes")["items"]]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        mlflow = stack.enter_context(Mlflow(tmp_path / "mlflow"))
        exporter = stack.enter_context(Exporter())
        slack = stack.enter_context(SlackServer())
        alertmanager = Alertmanager(tmp_path, {})
        prometheus = Prometheus(
            tmp_path,
            targets={"serving": [exporter.address]},
            rules=RULES,
            alertmanagers=[alertmanager.url],
        )
        service = Service(
            tmp_path,
            config=CONFIG,
            env={
                "PLANTAO_ALERTMANAGER_URL": alertmanager.url,
                "PLANTAO_PROMETHEUS_URL": prometheus.url,
                "MLFLOW_TRACKING_URI": mlflow.url,
                "PLANTAO_MLFLOW_WEBHOOK_SECRET": SECRET,
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "PLANTAO_SLACK_API_URL": slack.api_url,
            },
        )
        alertmanager.config = webhook_config(f"{service.url}/webhooks/alertmanager")
        stack.enter_context(alertmanager)
        stack.enter_context(prometheus)
        service.start()
        stack.callback(service.process.stop)
        yield Stage(exporter, prometheus, mlflow, slack.workspace, service)


def test_a_promotion_that_made_scoring_slow(stage: Stage) -> None:
    stage.mlflow.create_model(MODEL)
    runs = [stage.mlflow.create_version(MODEL, metrics={"auc": 0.9 + n / 100})[1] for n in range(3)]
    stage.mlflow.create_webhook(f"{stage.service.url}/webhooks/mlflow", secret=SECRET)
    stage.service.has_looked("mlflow", calls=2)
    stage.mlflow.set_alias(MODEL, "challenger", "1")
    stage.mlflow.set_alias(MODEL, "champion", "2")
    stage.serves("2", runs[1])
    stage.exporter.set("scoring_latency_p99_seconds", 0.12)
    stage.prometheus.wait_for("fraud_model_info")
    first = f"{MODEL}: champion → 2"
    eventually(lambda: first in stage.changes(), within=60, what=first)

    stage.mlflow.set_alias(MODEL, "champion", "3")
    moved = f"{MODEL}: champion 2 → 3"
    eventually(lambda: moved in stage.changes(), within=60, what=moved)
    assert stage.changes().count(moved) == 1  # the webhook and the poll tell it once
    stage.serves("3", runs[2])
    eventually(
        lambda: stage.prometheus.query('fraud_model_info{version="3"}'), within=60, what="v3"
    )
    stage.exporter.set("scoring_latency_p99_seconds", 0.83)

    root = stage.slack.expect_message(containing="ScoringSlow", within=90)
    stage.slack.expect_shown(root, ["830 ms", "500 ms"], within=60)
    stage.slack.expect_shown(root, [f"{MODEL} v3", "v2", moved], within=60)
    stage.slack.allow(thread_of=root)
    eventually(
        lambda: any(reply.files for reply in stage.slack.replies(root)), within=60, what="chart"
    )
    [incident] = stage.service.incidents()
    assert incident["model"]["version"] == "3"
    assert incident["model"]["witness"] == "serving"
    assert incident["model"]["previous_version"] == "2"
    all_about_the_model(stage, root, incident, run=runs[2])
    assert stage.service.get("/incidents", model=MODEL, model_version="3")["items"]
    assert stage.service.get("/incidents", model=MODEL, model_version="2")["items"] == []
    assert asyncio.run(requests_for_fifty_alerts(stage, incident)) <= 12


def all_about_the_model(stage: Stage, root: Message, incident: dict[str, Any], run: str) -> None:
    """What thread, API and chart say of the version that served."""
    assert incident["model"]["challenger_version"] == "1"
    assert (incident["model"]["alias"], incident["model"]["run_id"]) == ("champion", run)
    assert incident["model"]["since"] == incident["changes"][0]["at"]
    reply = stage.slack.replies(root)[0]
    said = ["Registered by ana", "auc 0.92 (v2: 0.91)", "Challenger: v1", "1 target up"]
    stage.slack.expect_shown(reply, said, within=60)
    pages = {name: url for url, name in [*root.links, *reply.links]}
    assert pages["v3"] == f"{stage.mlflow.url}/#/models/{MODEL}/versions/3"
    assert pages[MODEL] == f"{stage.mlflow.url}/#/models/{MODEL}"
    chart = request("GET", f"{stage.service.url}/incidents/{incident['id']}/chart.svg").text
    assert "champion 2 → 3" in chart
    assert incident["changes"][0]["title"] == f"{MODEL}: champion 2 → 3"


async def requests_for_fifty_alerts(stage: Stage, incident: dict[str, Any]) -> int:
    """How often Prometheus and MLflow are asked for the context of an incident of 50 alerts."""
    asked: list[str] = []

    async def count(request: httpx.Request) -> None:
        asked.append(f"{request.method} {request.url.path}")

    [known] = incident["alerts"]
    opened_at = datetime.fromisoformat(incident["opened_at"])
    alerts = [
        Alert(
            f"{n:016x}",
            AlertStatus.FIRING,
            known["labels"],
            {},
            opened_at,
            None,
            known["generator_url"],
        )
        for n in range(50)
    ]
    whole = Incident("key", ("oncall",), opened_at, opened_at, labels=known["labels"])
    config = parse_matcher('component="serving"')
    async with httpx.AsyncClient(event_hooks={"request": [count]}, trust_env=False) as client:
        prometheus = Asked(stage.prometheus.url, client)
        moves = [
            alias_moved(MODEL, "champion", version, at=opened_at - timedelta(minutes=minutes))
            for version, minutes in (("3", 1), ("2", 9))
        ]

        async def serving(model: str, at: datetime) -> list[Labels]:
            query = f'fraud_model_info{{model="{model}"}} == 1'
            return [each.labels for each in await prometheus.query(query, at=at, within=2)]

        async def history(_model: str, alias: str, _at: datetime) -> list[Change]:
            return moves if alias == "champion" else []

        models = [ModelRef(MODEL, "champion", (config,))]
        subject = Subject(whole, alerts, opened_at)
        registry = Registry(stage.mlflow.url, client)
        found = await asyncio.gather(
            PrometheusEnricher(prometheus).find(subject),
            MlflowEnricher(registry, lambda: models, serving, history).find(subject),
        )
    assert all(found), found
    print("\n".join(asked))
    return len(asked)
