"""The whole pipeline and what watches it, started in the order in which they need each other."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import yaml

from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.mlflow import Mlflow
from tests.neighbours.processes import (
    NeighbourFailed,
    Process,
    eventually,
    free_port,
    request,
)
from tests.neighbours.recorder import Recorder
from tests.neighbours.slack import (
    BOT_TOKEN,
    DEFAULT_CHANNEL,
    SIGNING_SECRET,
    SlackServer,
    Workspace,
)
from tests.neighbours.smtp import SmtpServer
from tests.pipeline import overlay
from tests.pipeline.apps.orders import Orders
from tests.pipeline.neighbours.installed import REPOSITORY, jars, python, spark_work
from tests.pipeline.neighbours.kafka import Kafka
from tests.pipeline.neighbours.prometheus import SHIPPED_ALERTMANAGER, ShippedPrometheus
from tests.service import Service

MODEL = "pix-fraud"
TOKEN = "the-webhook-token"
_SECRET = "the-webhook-secret"
_SECONDS = 600.0  # the most that any start takes: a minute on a machine at rest

_CONFIG = """\
receivers: {{oncall: {{slack: {{channel: "#{channel}"}}}}}}
routes: {{receiver: oncall}}
models: [{{name: {model}, alias: champion, matchers: ['component=~"model|serving"']}}]
topology: [kafka -> spark, spark -> delta, spark -> serving, delta -> training]
verify: {{every: 5s}}
context: {{watch_every: 2s}}
exporter:
  interval: 2s
  tables:
    - {{name: transactions, url: "{tables}/transactions", columns: [amount]}}
    - {{name: features, url: "{tables}/features", columns: [mean_amount]}}
  models: [{{name: {model}, experiment: {model}, params: [rate]}}]
"""

_QUERY = {"generation": 1, "strict": True, "dawdle": 0}


class Town:
    """A context manager. Its parts are attributes; faults break them and repair them.

    `say` is told what is going on, in words for whoever waits.
    """

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self.directory = directory
        self.say = say
        self._stack = ExitStack()
        self.tables = directory / "tables"
        self.kafka = Kafka(directory)
        self.mlflow = Mlflow(directory, metrics=True)
        self.slack_server = SlackServer(Workspace())
        self.customers = Orders(
            directory / "customers.json",
            rate=15,
            dearer=0.0,
            blank=False,
            huge=False,
            poison=False,
            oversized=False,
            misshapen=False,
        )
        self.chargebacks = Orders(directory / "chargebacks.json", labels=True)
        self.streams = Orders(
            directory / "stream.json", pix_ingest=_QUERY, pix_features=_QUERY, churn=False
        )
        self._programs()
        self._watchers()

    # --- what it is made of

    def _programs(self) -> None:
        brokers, self.scoring_port, self.ui_port = self.kafka.addresses, free_port(), free_port()
        self.lag_port, self.exporter_port = free_port(), free_port()
        self.scoring_url = f"http://127.0.0.1:{self.scoring_port}"
        features = self.tables / "features"
        self.lag = self._app("lag", brokers, self.lag_port)
        self.spark = self._app(
            "stream", brokers, self.directory, self.ui_port, ",".join(map(str, jars("spark")))
        )
        self.scoring = self._app("scoring", self.mlflow.url, features, self.scoring_port)
        self.scorer = self._app("scorer", brokers, self.scoring_url, self.chargebacks.path)
        self.generator = self._app("generator", brokers, self.customers.path)

    def _app(self, name: str, *arguments: object) -> Process:
        return Process(
            [python(), "-m", f"tests.pipeline.apps.{name}", *map(str, arguments)],
            log=self.directory / f"{name}.log",
            env={
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONUNBUFFERED": "1",
                "SPARK_LOCAL_IP": "127.0.0.1",
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "GIT_PYTHON_REFRESH": "quiet",
                "PYTHONWARNINGS": "ignore",
            },
            cwd=self.directory,
        )

    def _watchers(self) -> None:
        self.mail, self.heartbeat = SmtpServer(self.directory), Recorder()
        self.alertmanager = Alertmanager(self.directory, {})
        self.prometheus = ShippedPrometheus(self.directory)
        config = _CONFIG.format(channel=DEFAULT_CHANNEL, model=MODEL, tables=self.tables)
        self.service = Service(self.directory, config=config, env=self._settings())
        self.exporter = Process(
            [sys.executable, "-m", "app.cli", "exporter", "--port", str(self.exporter_port)],
            log=self.directory / "exporter.log",
            env={
                "PYTHONPATH": str(REPOSITORY),
                "PLANTAO_CONFIG": str(self.directory / "plantao.yml"),
                "MLFLOW_TRACKING_URI": self.mlflow.url,
            },
            cwd=self.directory,
        )
        self.prometheus.runbooks = f"{self.service.url}/runbooks"
        self.prometheus.targets = self._targets()
        self.alertmanager.config = self._routing()

    def _routing(self) -> dict[str, Any]:
        shipped = yaml.safe_load((SHIPPED_ALERTMANAGER / "alertmanager.yml").read_text())
        return overlay.alertmanager(
            shipped,
            webhook=f"{self.service.url}/webhooks/alertmanager",
            token=TOKEN,
            mail=f"127.0.0.1:{self.mail.port}",
            heartbeat=self.heartbeat.url,
            folder=str(SHIPPED_ALERTMANAGER),
        )

    def _settings(self) -> dict[str, str]:
        return {
            "PLANTAO_ALERTMANAGER_URL": self.alertmanager.url,
            "PLANTAO_PROMETHEUS_URL": self.prometheus.url,
            "PLANTAO_WEBHOOK_TOKEN": TOKEN,
            "MLFLOW_TRACKING_URI": self.mlflow.url,
            "PLANTAO_MLFLOW_WEBHOOK_SECRET": _SECRET,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "PLANTAO_SLACK_API_URL": self.slack_server.api_url,
        }

    def _targets(self) -> dict[str, Sequence[str]]:
        def at(port: int) -> list[str]:
            return [f"127.0.0.1:{port}"]

        return {
            "alertmanager": at(self.alertmanager.port),
            "exporter": at(self.exporter_port),
            "kafka": [node.metrics for node in self.kafka.nodes],
            "kafka-lag": at(self.lag_port),
            "mlflow": at(self.mlflow.port),
            "plantao": at(self.service.port),
            "prometheus": at(self.prometheus.port),
            "scoring": at(self.scoring_port),
            "spark": at(self.ui_port),
        }

    @property
    def slack(self) -> Workspace:
        return self.slack_server.workspace

    # --- its life

    def start(self) -> None:
        self.say("Kafka, MLflow and Slack start")
        for server in (self.slack_server, self.mail, self.heartbeat):
            self._stack.enter_context(server)
        self._stack.callback(self.mlflow.kill)
        self.mlflow.process.start()
        self._stack.enter_context(self.kafka)
        self._topics()
        self._run(self.generator)
        self.say("Spark starts")
        # Where a local cluster's executor runs; it leaves its jars there.
        self._stack.callback(shutil.rmtree, spark_work(), ignore_errors=True)
        self._run(self.spark)
        self._run(self.lag)
        self.mlflow.process.wait_for_url(f"{self.mlflow.url}/health", within=_SECONDS)
        self.say("the first champion is trained")
        self.train("champion")
        self._start_service()
        self.start_scoring()
        self._run(self.scorer)
        eventually(self._written, within=_SECONDS, what="both Delta tables")
        self.say("both Delta tables are there")
        self._run(self.exporter)
        self._run(self.alertmanager.process, self.alertmanager.start)
        self._run(self.prometheus.process, self.prometheus.start)

    def _start_service(self) -> None:
        self._run(self.service.process, self.service.start)
        self.slack.app.is_at(self.service.url)
        self.mlflow.create_webhook(f"{self.service.url}/webhooks/mlflow", secret=_SECRET)

    def start_scoring(self) -> None:
        self._run(self.scoring)
        self.scoring.wait_for_url(f"{self.scoring_url}/health", within=_SECONDS)

    def _run(self, process: Process, start: Callable[[], None] | None = None) -> None:
        (start or process.start)()
        self._stack.callback(process.kill)

    def _topics(self) -> None:
        done = subprocess.run(
            [python(), "-m", "tests.pipeline.apps.topics", self.kafka.addresses],
            env={"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NeighbourFailed(f"the topics could not be made:\n{done.stdout}{done.stderr}")

    def _written(self) -> bool:
        return all(
            list((self.tables / table / "_delta_log").glob("*.json"))
            for table in ("transactions", "features")
        )

    def train(self, *options: str) -> str:
        """Train a version, with options as train.py has them; the version."""
        process = self._app("train", self.mlflow.url, *options)
        before = len(process.log_text())
        process.start()
        if process.wait(within=_SECONDS):
            raise NeighbourFailed(process.log_text())
        return process.log_text()[before:].split()[-1]

    def reload_scoring(self) -> None:
        """What a deploy does after a promotion."""
        request("POST", f"{self.scoring_url}/reload", timeout=60).raise_for_status()

    def deploy(self, query: str, **changes: Any) -> None:
        """Stop a streaming query and start it with other settings."""
        now = self.streams.read()[query]
        changed = {**now, **changes, "generation": now["generation"] + 1}
        self.streams.change(**{query: changed})

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
