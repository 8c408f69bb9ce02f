"""Delta Lake tables as deltalake writes them, and what can befall them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from prometheus_client import CollectorRegistry

from app.config_exporter import Exporter, TableEntry
from app.exporters.delta import read
from app.exporters.delta_log import Log
from app.exporters.exporter import Watching
from app.exporters.readings import TableReading
from app.exporters.rounds import Trouble


def rows(day: str = "2026-11-27", count: int = 100) -> pa.Table:
    """Payments of a day; the first tenth of the amounts is null."""
    amounts = [None if at < count // 10 else float(at) for at in range(count)]
    return pa.table({"day": [day] * count, "id": list(range(count)), "amount": amounts})


def write(path: Path, *days: str, **how: Any) -> DeltaTable:
    """One append for each day, in a partition of its own."""
    for day in days or ("2026-11-26", "2026-11-27"):
        write_deltalake(path, rows(day), partition_by=["day"], mode="append", **how)
    return DeltaTable(path)


def data_files(path: Path) -> list[Path]:
    """The Parquet files that are there, in order."""
    return sorted(file for file in path.rglob("*.parquet") if "_delta_log" not in file.parts)


def log_file(path: Path, version: int) -> Path:
    return path / "_delta_log" / f"{version:020}.json"


def add_commit(path: Path, version: int, *actions: dict[str, Any]) -> None:
    """A commit as another writer would make it."""
    lines = "".join(json.dumps(action) + "\n" for action in actions)
    log_file(path, version).write_text(lines)


def look(path: Path | str, log: Log | None = None, **entry: Any) -> tuple[TableReading, list[str]]:
    """One look at a table, and the kinds of what could not be seen."""
    reading, troubles = read(
        TableEntry(name="payments", url=str(path), **entry), log or Log(), time.time()
    )
    return reading, [trouble.kind for trouble in troubles]


def refusal(path: Path | str) -> str:
    """The kind of trouble that a table as a whole is in."""
    try:
        look(path)
    except Trouble as trouble:
        return trouble.kind
    return "none"


def watching(path: Path, **section: Any) -> Watching:
    """The exporter for one table named payments; it has not looked yet."""
    entry = TableEntry(name="payments", url=str(path), columns=("amount",))
    return Watching(Exporter(tables=(entry,), **section))


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, {"table": "payments", **labels})
