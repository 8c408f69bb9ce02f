"""Faults of what watches the pipeline."""

from __future__ import annotations

import time

from tests.neighbours.processes import request
from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import MODEL, Town


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


class PlantaoKilled(Fault):
    how = "the service is killed (SIGKILL), and the model loses its champion meanwhile"
    mended = "the service is started again, and the champion named"
    alerts = ("PlantaoDown", "AlertUnheard", "AlertmanagerNotificationsFailing")

    def provoke(self, town: Town) -> None:
        self.mails = len(town.mail.mailbox.messages)
        town.service.kill()
        town.mlflow.delete_alias(MODEL, "champion")

    def repair(self, town: Town) -> None:
        town.service.start(within=600)
        town.mlflow.set_alias(MODEL, "champion", "1")

    def told_elsewhere(self, town: Town, alert: str) -> str:
        return "by email" if self._mailed(town, f"[FIRING] {alert}") else ""

    def over_elsewhere(self, town: Town, alert: str) -> bool:
        return self._mailed(town, f"[RESOLVED] {alert}")

    def _mailed(self, town: Town, subject: str) -> bool:
        since = town.mail.mailbox.messages[self.mails :]
        return any(str(one.message["Subject"]).startswith(subject) for one in since)


class PrometheusKilled(Fault):
    how = "Prometheus is killed (SIGKILL): the Watchdog falls silent"
    mended = "it is started again"
    alerts = ("Watchdog",)
    by_itself = True
    silence = 20.0  # seconds: the heartbeat comes every 3

    def provoke(self, town: Town) -> None:
        self.beats, self.since = len(town.heartbeat.requests), time.monotonic()
        town.prometheus.kill()

    def repair(self, town: Town) -> None:
        town.prometheus.start()

    def told_elsewhere(self, town: Town, alert: str) -> str:
        beats = len(town.heartbeat.requests)
        if beats != self.beats:
            self.beats, self.since = beats, time.monotonic()
        silent = time.monotonic() - self.since > self.silence
        return "by the dead man's switch" if silent else ""

    def over_elsewhere(self, town: Town, alert: str) -> bool:
        return not self.told_elsewhere(town, alert)
