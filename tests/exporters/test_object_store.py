"""A table in an object store: the same is told as of one on a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.exporters.tables import data_files, log_file, look, refusal, write
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


URL = "s3://lake/pix payments"


def test_the_same_as_on_a_disk(table: Path) -> None:
    here, _ = look(table, columns=("amount",))
    there, troubles = look(URL, columns=("amount",))
    assert troubles == []
    assert there.probed
    assert replace(there, probe_seconds=None) == replace(here, probe_seconds=None)


def test_a_deleted_and_a_truncated_object(table: Path) -> None:
    gone, cut, _ = data_files(table)
    gone.unlink()
    os.truncate(cut, 10)
    integrity = look(URL, probe=False)[0].integrity
    assert (integrity.missing, integrity.truncated) == (1, 1)


def test_an_object_store_that_refuses(store: S3, table: Path) -> None:
    store.broken = True
    assert refusal(URL) == "storage"


def test_nothing_there(table: Path) -> None:
    assert refusal("s3://lake/nothing") == "not_found"


def test_a_gap_in_the_log(store: S3) -> None:
    path = store.directory / "lake/gap"
    write(path, "a", "b", "c")
    log_file(path, 1).unlink()
    assert refusal("s3://lake/gap") == "log_gap"
