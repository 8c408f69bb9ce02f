"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import time
from pathlib import Path

_SYNCS = 200
_PAGE = 4096
_ADDITIONS = 10_000_000


def describe(folder: Path) -> str:
    """CPU, cores, how quick one is, versions, and what an fsync costs in `folder`."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    middle, slow = _fsync_milliseconds(folder)
    return (
        f"{_cpu()}, {cores} cores (shared with the load), load {load:.2f} before, "
        f"{_ADDITIONS // 10**6} million additions in {_addition_seconds():.1f} s; "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; fsync of {_PAGE} bytes: "
        f"median {middle:.2f} ms, p99 {slow:.2f} ms"
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _addition_seconds() -> float:
    """How long Python adds: what a core is worth to the service, whatever it is called."""
    start = time.perf_counter()
    total = 0
    for number in range(_ADDITIONS):
        total += number
    return time.perf_counter() - start


def _fsync_milliseconds(folder: Path) -> tuple[float, float]:
    """The median and the 99th percentile of appending a page and syncing it."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(_PAGE))
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=100)[98]
