"""How long `plantao exporter` looks at a table of 10,000 files, and what memory that takes."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from app.config_exporter import TableEntry
from app.exporters.delta import read
from app.exporters.delta_log import Log
from bench.figures import Figure

_FILES = 10_000
_PARTITIONS = 100
_TARGET_SECONDS = 0.5
_TARGET_BYTES = 256 * 2**20


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """Ten looks at one table, the first of which has everything to learn."""
    yield "delta: one look at a table of many files"
    files = _FILES // 10 if quick else _FILES
    _write(folder / "table", files)
    entry = TableEntry(name="bench", url=str(folder / "table"), columns=("id", "amount"))
    log, before, seconds = Log(), _peak(), []
    for _ in range(10):
        began = time.perf_counter()
        reading, _ = read(entry, log, time.time())
        seconds.append(time.perf_counter() - began)
    assert reading.files.count == files + 1
    yield f"  the first look took {seconds[0]:.2f} s"
    yield Figure(
        f"one look at {files:,} files",
        statistics.median(seconds),
        _TARGET_SECONDS,
        "s",
        "the target",
        at_most=True,
    )
    yield Figure(
        "memory that ten looks take",
        (_peak() - before) / 2**20,
        _TARGET_BYTES / 2**20,
        "MiB",
        "the target",
        at_most=True,
    )


def _peak() -> int:
    """This process' greatest resident size so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _write(table: Path, files: int) -> None:
    """One real file, and links to it: to write them all would take a minute."""
    amounts = pa.table({"part": ["p000"] * 100, "id": range(100), "amount": [0.5] * 100})
    write_deltalake(table, amounts, partition_by=["part"])
    (sample,) = (table / "part=p000").iterdir()
    stats = {
        "numRecords": 100,
        "minValues": {"id": 0, "amount": 0.5},
        "maxValues": {"id": 99, "amount": 0.5},
        "nullCount": {"id": 0, "amount": 0},
    }
    lines = []
    for at in range(files):
        part = f"p{at % _PARTITIONS:03}"
        file = table / f"part={part}" / f"part-{at:05}.parquet"
        file.parent.mkdir(exist_ok=True)
        file.hardlink_to(sample)
        add = {
            "path": str(file.relative_to(table)),
            "partitionValues": {"part": part},
            "size": sample.stat().st_size,
            "modificationTime": 1_700_000_000_000 + at,
            "dataChange": True,
            "stats": json.dumps(stats),
        }
        lines.append(json.dumps({"add": add}))
    (table / "_delta_log" / f"{1:020}.json").write_text("\n".join(lines) + "\n")
