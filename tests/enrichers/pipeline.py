"""A small pipeline as Prometheus sees it: an exporter, rules, and whoever Prometheus alerts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from app.core.alerts import Alert, AlertStatus, fingerprint
from app.core.facts import Measured
from app.core.incidents import Incident
from app.enrichers.enricher import Subject
from app.enrichers.measuring import PrometheusEnricher
from app.enrichers.prometheus import Prometheus as Client
from tests.neighbours.exporter import Exporter
from tests.neighbours.processes import eventually, find_program
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.serving import Answer, LoopbackServer, Request

EXTERNAL_LABELS = {"cluster": "sa-east-1", "replica": "a"}


def now() -> datetime:
    return datetime.now(UTC)


class Alerted(LoopbackServer):
    """What Prometheus takes for an Alertmanager: it keeps the alerts it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self._alerts: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request) -> Answer:
        with self.lock:
            for alert in json.loads(request.body):
                self._alerts[fingerprint(alert["labels"])] = alert
        return Answer()

    def alerts(self, name: str, count: int = 1) -> list[Alert]:
        """The firing alerts of that name, once there are `count`."""
        return eventually(lambda: self._firing(name, count), what=f"{count} alerts {name}")

    def _firing(self, name: str, count: int) -> list[Alert]:
        with self.lock:
            found = [each for each in self._alerts.values() if each["labels"]["alertname"] == name]
        firing = [
            Alert(
                fingerprint=fingerprint(each["labels"]),
                status=AlertStatus.FIRING,
                labels=each["labels"],
                annotations=each.get("annotations", {}),
                starts_at=datetime.fromisoformat(each["startsAt"]),
                generator_url=each["generatorURL"],
            )
            for each in found
        ]
        return firing if len(firing) >= count else []


class Pipeline:
    """Everything a test needs. `requests` are the paths that were asked for since `find`."""

    def __init__(self, prometheus: Prometheus, exporter: Exporter, alerted: Alerted) -> None:
        self.prometheus = prometheus
        self.exporter = exporter
        self.alerted = alerted
        self.requests: list[str] = []

    async def find(self, alerts: Sequence[Alert], *, at: datetime | None = None) -> Measured | None:
        self.requests.clear()
        return await find(self.prometheus.url, alerts, at=at, requests=self.requests)

    async def measure(self, name: str, count: int = 1) -> Measured:
        """What is found now of the alerts of one rule."""
        return found(await self.find(self.alerted.alerts(name, count)))


async def find(
    url: str,
    alerts: Sequence[Alert],
    *,
    at: datetime | None = None,
    patience: float = 10.0,
    requests: list[str] | None = None,
) -> Measured | None:
    """One incident's facts, by an enricher of its own."""

    async def asked(request: httpx.Request) -> None:
        if requests is not None:
            requests.append(request.url.path)

    hooks = {"request": [asked]}
    async with httpx.AsyncClient(trust_env=False, verify=False, event_hooks=hooks) as client:  # noqa: S501
        within = timedelta(seconds=patience)
        return await PrometheusEnricher(Client(url, client)).find(
            replace(subject(alerts, at=at), within=within)
        )


def found(measured: Measured | None) -> Measured:
    assert measured is not None
    return measured


def subject(alerts: Sequence[Alert], *, at: datetime | None = None) -> Subject:
    moment = at or now()
    firing = sum(1 for alert in alerts if alert.firing)
    incident = Incident("key", ("team",), opened_at=moment, updated_at=moment, firing=firing)
    return Subject(incident, alerts, moment)


def alert(
    name: str,
    *,
    generator_url: str = "",
    starts_at: datetime | None = None,
    **labels: str,
) -> Alert:
    named = {"alertname": name, **labels}
    return Alert(
        fingerprint(named),
        AlertStatus.FIRING,
        named,
        {},
        starts_at or now(),
        generator_url=generator_url,
    )


def rule(name: str, expression: str, **labels: str) -> dict[str, Any]:
    return {"alert": name, "expr": expression, "labels": {"severity": "critical", **labels}}


def rules(*each: Mapping[str, Any]) -> dict[str, Any]:
    return {"groups": [{"name": "pipeline", "rules": list(each)}]}


@contextmanager
def pipeline(
    directory: Path,
    rule_groups: Mapping[str, Any],
    *,
    exporter: Exporter,
    dead: Sequence[str] = (),
    history: str = "",
    interval: str = "1s",
) -> Iterator[Pipeline]:
    """Prometheus with the exporter and the dead addresses as its job `api`, and with a past.

    `history` is in OpenMetrics' text format, with times.
    """
    with exporter, Alerted() as alerted:
        prometheus = Prometheus(
            directory,
            targets={"api": [exporter.address, *dead]},
            rules=rule_groups,
            alertmanagers=[alerted.url],
            external_labels=EXTERNAL_LABELS,
            interval=interval,
        )
        if history:
            _write_history(prometheus.directory, history)
        with prometheus:
            yield Pipeline(prometheus, exporter, alerted)


def past(name: str, labels: Mapping[str, str], value: float, ago: timedelta) -> str:
    """Two hours of one series around a moment that long ago, a sample a minute."""
    pairs = ",".join(f'{label}="{text}"' for label, text in labels.items())
    middle = (now() - ago).timestamp()
    return "".join(
        f"{name}{{{pairs}}} {value} {middle + 60 * minute:.0f}\n" for minute in range(-60, 61)
    )


def _write_history(directory: Path, text: str) -> None:
    source = directory / "history.txt"
    source.write_text(f"{text}# EOF\n")
    command = [find_program("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
    made = subprocess.run(
        [*command, str(source), str(directory / "data")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
