"""Faults of what watches the pipeline."""

from __future__ import annotations

from tests.neighbours.processes import request
from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import Town


class ConfigurationBroken(Fault):
    how = "prometheus.yml gets a line that Prometheus refuses, and is reloaded"
    mended = "the line is taken out, and Prometheus reloads"
    alerts = ("PrometheusConfigReloadFailed",)

    def provoke(self, town: Town) -> None:
        path = town.prometheus.directory / "prometheus.yml"
        path.write_text(path.read_text() + "\nno_such_section: {}\n")
        request("POST", f"{town.prometheus.url}/-/reload")

    def repair(self, town: Town) -> None:
        town.prometheus.reload()


class ReceiptsRefused(Fault):
    how = "an Alertmanager posts with a wrong token"
    mended = "it stops"
    alerts = ("PlantaoReceiptsRefused",)

    def provoke(self, town: Town) -> None:
        for _ in range(3):
            request("POST", f"{town.service.url}/webhooks/alertmanager", json={})

    def repair(self, town: Town) -> None:
        """It has stopped."""


class AlertmanagerKilled(Fault):
    how = "Alertmanager is killed, and comes back after half a minute"
    mended = "it is back"
    alerts = ("PrometheusNotifierErrors",)

    def provoke(self, town: Town) -> None:
        town.alertmanager.kill()
        town.prometheus.wait_for(
            'ALERTS{alertname="PrometheusNotifierErrors",alertstate="firing"}', within=120
        )
        town.alertmanager.start()

    def repair(self, town: Town) -> None:
        """It is back already: nobody could have been told before."""
