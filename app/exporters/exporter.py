"""The exporter process: everything that is looked at, and the address where it is told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import ModuleType

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    start_http_server,
)

from app.config_exporter import Exporter, TableEntry, TrackedModel
from app.errors import PlantaoError
from app.exporters import readings, registry
from app.exporters.delta_log import Log
from app.exporters.delta_metrics import DeltaMetrics
from app.exporters.readings import TableReading
from app.exporters.registry import ModelReading, Registry
from app.exporters.registry_metrics import RegistryMetrics
from app.exporters.rounds import Rounds, Trouble
from app.exporters.worker import Worker

INSTALL = "pip install 'plantao[exporter]'"


class Watching:
    """All that one process looks at, and its metrics in `registry`."""

    def __init__(
        self,
        section: Exporter,
        models: Sequence[TrackedModel] = (),
        mlflow: registry.Client | None = None,
    ) -> None:
        """Raises PlantaoError if there are tables and the extra `exporter` is not installed."""
        if section.tables:
            _delta()
        turn, self._worker = threading.Lock(), Worker()
        self.tables = [Table(entry, section, turn, self._worker) for entry in section.tables]
        self.models = _models(section, models, mlflow) if mlflow else None
        self.registry = CollectorRegistry()
        for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
            self.registry.register(collector)
        self.registry.register(DeltaMetrics(self.tables))
        if self.models:
            self.registry.register(RegistryMetrics(self.models))

    def start(self) -> None:
        """Look at everything from now on."""
        for table in self.tables:
            table.rounds.start()
        if self.models:
            self.models.start()

    def close(self) -> None:
        """End the process that reads tables, where `once` needed one."""
        self._worker.stop()

    def once(self) -> None:
        """Look at everything once."""
        for table in self.tables:
            table.rounds.once()
        if self.models:
            self.models.once()


def serve(watching: Watching, *, host: str, port: int) -> tuple[int, threading.Thread]:
    """Look from now on, and answer `GET /metrics`; the port, and the thread that answers.

    Raises PlantaoError where the address cannot be had.
    """
    try:
        server, thread = start_http_server(port, host, watching.registry)
    except OSError as error:
        why = error.strerror or str(error)
        raise PlantaoError(f"cannot listen on {host}:{port}: {why}") from None
    watching.start()
    return server.server_port, thread


class Table:
    """One table: looked at in the worker's process, remembered here."""

    def __init__(
        self, entry: TableEntry, section: Exporter, turn: threading.Lock, worker: Worker
    ) -> None:
        self.name = entry.name
        self.log = Log()
        self._entry, self._worker = entry, worker
        self.rounds: Rounds[TableReading] = Rounds(
            name=entry.name,
            look=self._look,
            kinds=readings.KINDS,
            interval=section.interval.total_seconds(),
            deadline=section.deadline.total_seconds(),
            turn=turn,
        )

    def _look(self, now: float) -> tuple[TableReading | None, Sequence[Trouble]]:
        observe = _delta().observe
        within = self.rounds.deadline
        asked = (self._entry, self.log, now)
        reading, troubles, self.log = self._worker.call(observe, *asked, within=within)
        return reading, troubles


def _delta() -> ModuleType:
    try:
        from app.exporters import delta  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise PlantaoError(
            f"tables are configured, and {error.name} is not installed: {INSTALL}"
        ) from None
    return delta


def _models(
    section: Exporter, models: Sequence[TrackedModel], mlflow: registry.Client
) -> Rounds[Sequence[ModelReading]]:
    return Rounds(
        name="mlflow",
        look=Registry(mlflow, section.models or models).look,
        kinds=registry.KINDS,
        interval=section.interval.total_seconds(),
        deadline=section.deadline.total_seconds(),
    )
