"""A table in an object store: the same is told as of one on a disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.config_exporter import TableEntry
from app.exporters.delta import observe
from app.exporters.delta_log import Log
from app.exporters.readings import TableReading
from app.exporters.worker import Worker
from tests.exporters.tables import data_files, log_file, write
from tests.exporters.tables import look as look_here
from tests.neighbours.s3 import S3


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    with S3(tmp_path) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def table(store: S3) -> Path:
    path = store.directory / "lake/pix payments"
    write(path, "a b", "é%20", "c").create_checkpoint()
    return path


@pytest.fixture
def worker(store: S3) -> Iterator[Worker]:
    """With the store's address in its environment. delta-rs in this process would keep the
    store, which is a thread of it, from answering."""
    made = Worker()
    yield made
    made.stop()


def look(worker: Worker, url: str, **entry: Any) -> tuple[TableReading | None, list[str]]:
    asked = TableEntry(name="payments", url=url, **entry)
    reading, troubles, _ = worker.call(observe, asked, Log(), time.time(), within=100)
    return reading, [trouble.kind for trouble in troubles]


URL = "s3://lake/pix payments"


def test_the_same_as_on_a_disk(table: Path, worker: Worker) -> None:
    here, _ = look_here(table, columns=("amount",))
    there, troubles = look(worker, URL, columns=("amount",))
    assert troubles == []
    assert there is not None
    assert there.probed
    assert replace(there, probe_seconds=None) == replace(here, probe_seconds=None)


def test_a_deleted_and_a_truncated_object(table: Path, worker: Worker) -> None:
    gone, cut, _ = data_files(table)
    gone.unlink()
    os.truncate(cut, 10)
    reading, _ = look(worker, URL, probe=False)
    assert reading is not None
    assert (reading.integrity.missing, reading.integrity.truncated) == (1, 1)


def test_an_object_store_that_refuses(store: S3, table: Path, worker: Worker) -> None:
    store.broken = True
    assert look(worker, URL) == (None, ["storage"])


def test_nothing_there(worker: Worker) -> None:
    assert look(worker, "s3://lake/nothing") == (None, ["not_found"])


def test_a_gap_in_the_log(store: S3, worker: Worker) -> None:
    path = store.directory / "lake/gap"
    write(path, "a", "b", "c")
    log_file(path, 1).unlink()
    assert look(worker, "s3://lake/gap") == (None, ["log_gap"])
