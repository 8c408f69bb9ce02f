"""All parts of the demo: started together, watched, and ended together."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import yaml

from demo.figures import Figures
from demo.servers import alertmanager_for, prometheus_for
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.processes import Process, free_port
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.slack import (
    BOT_TOKEN,
    DEFAULT_CHANNEL,
    SIGNING_SECRET,
    Manifest,
    SlackServer,
    Workspace,
)
from tests.neighbours.smtp import SmtpServer

_ROOT = Path(__file__).resolve().parents[1]
_OURS = ("PLANTAO_", "SLACK_", "MLFLOW_")
_LOOK = 0.5  # seconds between two looks at whether all parts live
_START = 120.0


class PartDied(Exception):
    """One part of the demo ended, which it should not."""


class Town:
    """Everything in `directory`, which is thrown away. `page` is where the index page is;
    without `real`, Prometheus and Alertmanager are not there."""

    def __init__(self, directory: Path, *, page: str, locale: str, real: bool) -> None:
        self.directory = directory
        self.page = page
        self.locale = locale
        self.figures = Figures(time.time())
        self.slack = SlackServer(Workspace())
        self.smtp = SmtpServer(directory)
        port = free_port()
        self.service_url = f"http://127.0.0.1:{port}"
        self.alertmanager: Alertmanager | None = None
        self.prometheus: Prometheus | None = None
        self.blind = False
        if real:
            address = page.removeprefix("http://")
            self.alertmanager = alertmanager_for(self.service_url, directory)
            self.prometheus = prometheus_for(address, self.alertmanager.url, directory)
        self._service = self._make_service(port)
        self._stack = ExitStack()

    @property
    def prometheus_url(self) -> str:
        """Where the service asks; without Prometheus it is the page that answers, or does not."""
        return self.prometheus.url if self.prometheus else f"{self.page}/prometheus"

    async def start(self) -> None:
        """Raises NeighbourFailed if a part does not start."""
        self._stack.enter_context(self.slack)
        self._stack.enter_context(self.smtp)
        workspace = self.slack.workspace
        Manifest.read(_ROOT / "slack" / "manifest.yaml").install(workspace, self.service_url)
        await asyncio.gather(*(asyncio.to_thread(start) for start in self._starts()))

    def _starts(self) -> list[Callable[[], None]]:
        real = [each.start for each in (self.alertmanager, self.prometheus) if each]
        return [self._start_service, *real]

    def _start_service(self) -> None:
        self._service.start()
        self._service.wait_for_url(f"{self.service_url}/readyz", within=_START)

    async def watch(self) -> None:
        """Raises PartDied as soon as something is gone; else it goes on for ever."""
        while True:
            for name, process in self._processes().items():
                if not process.running and not (self.blind and name == "Prometheus"):
                    raise PartDied(f"{name} has ended; the end of its log:\n{_tail(process)}")
            await asyncio.sleep(_LOOK)

    async def blindfold(self) -> None:
        """Prometheus is gone, as after running out of memory."""
        self.blind = True
        if self.prometheus:
            await asyncio.to_thread(self.prometheus.kill)

    async def open_eyes(self) -> None:
        """Prometheus is back, with what it knew."""
        if self.blind and self.prometheus:
            await asyncio.to_thread(self.prometheus.start)
        self.blind = False

    def stop(self) -> None:
        """End every part; may be called while they still start."""
        with ThreadPoolExecutor() as pool:
            for process in self._processes().values():
                pool.submit(process.stop, within=8)
        self._stack.close()

    def _processes(self) -> dict[str, Process]:
        real = {"Prometheus": self.prometheus, "Alertmanager": self.alertmanager}
        there = {name: each.process for name, each in real.items() if each}
        return {"Plantão": self._service, **there}

    def _make_service(self, port: int) -> Process:
        config = self.directory / "plantao.yml"
        config.write_text(yaml.safe_dump(_config(self.locale), allow_unicode=True))
        settings = {
            "PLANTAO_CONFIG": str(config),
            "PLANTAO_DATABASE_URL": f"sqlite:///{self.directory / 'plantao.db'}",
            "PLANTAO_HOST": "127.0.0.1",
            "PLANTAO_PORT": str(port),
            "PLANTAO_PUBLIC_URL": self.service_url,
            "PLANTAO_LOCALE": self.locale,
            "PLANTAO_PROMETHEUS_URL": self.prometheus_url,
            "PLANTAO_ALERTMANAGER_URL": self.alertmanager.url if self.alertmanager else "",
            "PLANTAO_SMTP_URL": self.smtp.url,
            "PLANTAO_EMAIL_FROM": "plantao@example.com",
            "PLANTAO_SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }
        # The user's own settings are not for the demo; an empty variable counts as not set.
        blank = {name: "" for name in os.environ if name.startswith(_OURS)}
        command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
        environment = {**blank, "PYTHONPATH": str(_ROOT), **settings}
        log = self.directory / "service.log"
        return Process(command, log=log, env=environment, cwd=self.directory)


def _config(locale: str) -> dict[str, object]:
    receiver = {
        "slack": {"channel": f"#{DEFAULT_CHANNEL}"},
        "email": {"to": ["ana@example.com"]},
        "locale": locale,
    }
    return {
        "receivers": {"fraud-oncall": receiver},
        "routes": {"receiver": "fraud-oncall", "group_by": ["alertname", "component"]},
        "reopen_within": "10m",
        "verify": {"every": "1s", "missed_after": "6s", "orphan_after": "20s"},
        "models": [
            {
                "name": "pix-fraud",
                "alias": "champion",
                "matchers": ['component=~"model|serving"'],
            }
        ],
        "topology": [
            "kafka -> spark",
            "spark -> delta",
            "spark -> serving",
            "features -> serving",
            "delta -> training",
        ],
    }


def _tail(process: Process) -> str:
    return process.log_text()[-2_000:]
