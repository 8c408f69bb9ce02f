"""Prometheus and Alertmanager with the demo's rules and routing, where they are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.neighbours.alertmanager import Alertmanager, webhook_config
from tests.neighbours.prometheus import Prometheus

RULES = Path(__file__).with_name("rules.yml")


def installed() -> bool:
    """Whether both are there; what one can show without the other is not worth having."""
    alertmanager = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    return bool(shutil.which("prometheus") and alertmanager)


def alertmanager_for(service: str, directory: Path) -> Alertmanager:
    """One that tells the service within a second or two."""
    config = webhook_config(
        f"{service}/webhooks/alertmanager",
        group_by=["alertname", "component"],
        group_wait="1s",
        group_interval="2s",
    )
    return Alertmanager(directory, config)


def prometheus_for(exporter: str, alertmanager: str, directory: Path) -> Prometheus:
    """One that reads the figures at `exporter` (host:port) every second."""
    return Prometheus(
        directory,
        targets={"pipeline": [exporter]},
        rule_files=[RULES],
        alertmanagers=[alertmanager],
        external_labels={"pipeline": "pix-fraud"},
    )
