"""Prometheus with the repository's own files, their waiting made short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.neighbours.prometheus import Prometheus
from tests.pipeline import overlay
from tests.pipeline.neighbours.installed import REPOSITORY

SHIPPED = REPOSITORY / "prometheus"
SHIPPED_ALERTMANAGER = REPOSITORY / "alertmanager"
INTERVAL = "5s"

#: What users would set for a pipeline of this size, too: batches that two cores share with
#: everything else. Each alert's own threshold is crossed by its fault all the same.
THRESHOLDS = {
    "threshold:spark_batch:seconds": 15,
    "threshold:spark_task:seconds": 1,
    # A table of minutes has few files.
    "threshold:delta_small_files:files": 20,
    # Longer than the faults that train take, so that only the last of them is overdue.
    "threshold:model_training_age:seconds": 240,
}


class ShippedPrometheus(Prometheus):
    """`targets` maps a file of prometheus/targets to its addresses."""

    runbooks = ""

    def config(self) -> dict[str, Any]:
        shipped = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
        config = overlay.prometheus(shipped, interval=INTERVAL, folder=str(self.directory))
        config["global"]["external_labels"]["runbooks"] = self.runbooks
        return config

    def _write(self) -> None:
        for path in sorted(SHIPPED.glob("alert.rules/*.yml")):
            rules = overlay.rules(yaml.safe_load(path.read_text()), THRESHOLDS)
            self._put(f"alert.rules/{path.name}", rules)
        for path in SHIPPED.glob("targets/*.yml"):
            self._put(f"targets/{path.name}", _targets(self.targets[path.stem]))
        self._put("prometheus.yml", self.config())

    def _put(self, name: str, content: Mapping[str, Any] | Sequence[Any]) -> None:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _targets(addresses: Sequence[str]) -> list[dict[str, Any]]:
    return [{"targets": list(addresses)}]


@cache
def alerts_shipped() -> dict[str, Path]:
    """Every alert's name, and the file it is in."""
    return {
        rule["alert"]: path
        for path in sorted(SHIPPED.glob("alert.rules/*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
