"""What is told of tables that are broken: each fault as itself, and never a stale value."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from app.exporters.delta_files import in_store, on_disk
from app.exporters.delta_log import Log
from app.exporters.exporter import Watching
from app.exporters.readings import KINDS
from tests.exporters.tables import (
    add_commit,
    data_files,
    log_file,
    look,
    refusal,
    value,
    watching,
    write,
)
from tests.neighbours.processes import free_port

Make = Callable[..., Watching]

# --- files


def test_a_deleted_file(tmp_path: Path) -> None:
    write(tmp_path)
    data_files(tmp_path)[0].unlink()
    integrity = look(tmp_path)[0].integrity
    assert (integrity.missing, integrity.truncated) == (1, 0)


def test_a_truncated_file(tmp_path: Path) -> None:
    write(tmp_path)
    os.truncate(data_files(tmp_path)[0], 10)
    integrity = look(tmp_path)[0].integrity
    assert (integrity.missing, integrity.truncated) == (0, 1)


def test_flipped_bytes_show_where_the_probe_reads(tmp_path: Path) -> None:
    write(tmp_path, "day")
    (file,) = data_files(tmp_path)
    content = bytearray(file.read_bytes())
    content[4:200] = bytes(byte ^ 0xFF for byte in content[4:200])
    file.write_bytes(content)
    reading, troubles = look(tmp_path)
    assert (reading.probed, reading.probe_seconds, troubles) == (False, None, ["probe"])
    assert reading.integrity.truncated == 0


def test_orphans_are_old_files_that_the_log_does_not_name(tmp_path: Path) -> None:
    write(tmp_path)
    orphan, fresh = tmp_path / "day=x/old.parquet", tmp_path / "day=x/new.parquet"
    orphan.parent.mkdir()
    for file in (orphan, fresh):
        file.write_bytes(b"PAR1")
    os.utime(orphan, (time.time() - 8 * 86400,) * 2)
    assert look(tmp_path)[0].integrity.orphans == 1


def test_the_checkpoint_and_change_data_are_no_files_of_the_table(tmp_path: Path) -> None:
    write(tmp_path)
    DeltaTable(tmp_path).create_checkpoint()
    (tmp_path / "_change_data").mkdir()
    (tmp_path / "_change_data/c.parquet").write_bytes(b"PAR1")
    assert len(on_disk(tmp_path).files) == 2


def test_a_listing_says_what_the_disk_says(tmp_path: Path) -> None:
    """What object stores are asked, asked of a folder."""
    path = tmp_path / "with spaces é"
    write(path, "a b", "c%d").create_checkpoint()
    listed, seen = in_store(path.as_uri()), on_disk(path)
    assert {name: size for name, (size, _) in listed.files.items()} == {
        name: size for name, (size, _) in seen.files.items()
    }
    assert listed.checkpoint == seen.checkpoint == 1


# --- the log


def test_nothing_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == "not_found"
    assert not (tmp_path / "none").exists(), "looking changes nothing"
    assert refusal(tmp_path) == "not_found"


def test_a_gap_in_the_log(tmp_path: Path) -> None:
    write(tmp_path, "a", "b", "c")
    log_file(tmp_path, 1).unlink()
    assert refusal(tmp_path) == "log_gap"


def test_a_commit_cut_short(tmp_path: Path) -> None:
    write(tmp_path)
    os.truncate(log_file(tmp_path, 1), log_file(tmp_path, 1).stat().st_size - 40)
    assert refusal(tmp_path) == "log_unreadable"


def test_a_bad_checkpoint(tmp_path: Path) -> None:
    write(tmp_path).create_checkpoint()
    (checkpoint,) = (tmp_path / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(b"no parquet")
    assert refusal(tmp_path) == "checkpoint_unreadable"


def test_a_feature_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path)
    protocol = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["fromTheFuture"],
        "writerFeatures": ["fromTheFuture"],
    }
    add_commit(tmp_path, 2, {"protocol": protocol})
    assert refusal(tmp_path) == "unsupported"


def test_a_store_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    monkeypatch.setenv("MAX_RETRIES", "0")
    assert refusal("s3://lake/payments") == "storage"
    assert refusal("nonsense://lake/payments") == "storage"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    write(tmp_path / "t")
    (tmp_path / "t").chmod(0)
    try:
        assert refusal(tmp_path / "t") in ("storage", "not_found")
    finally:
        (tmp_path / "t").chmod(0o755)


# --- from look to look


def test_a_table_that_breaks_leaves_no_stale_gauge(tmp_path: Path, watched: Make) -> None:
    write(tmp_path)
    seen = watched(tmp_path)
    seen.once()
    assert value(seen.registry, "delta_table_up") == 1
    assert value(seen.registry, "delta_table_files") == 2
    kept = log_file(tmp_path, 0).read_bytes()
    log_file(tmp_path, 0).unlink()
    seen.once()
    names = {
        sample.name
        for family in seen.registry.collect()
        for sample in family.samples
        if family.name.startswith("delta_")
    }
    assert names == {
        "delta_table_up",
        "delta_table_errors_total",
        "delta_commits_total",
        "delta_collection_duration_seconds",
        "delta_last_collection_timestamp_seconds",
    }
    assert value(seen.registry, "delta_table_up") == 0
    assert value(seen.registry, "delta_table_errors_total", kind="log_gap") == 1
    log_file(tmp_path, 0).write_bytes(kept)
    seen.once()
    assert value(seen.registry, "delta_table_up") == 1


def test_every_counter_is_there_from_the_start(tmp_path: Path) -> None:
    seen = watching(tmp_path / "later")
    for kind in KINDS:
        assert value(seen.registry, "delta_table_errors_total", kind=kind) == 0
    for operation in ("WRITE", "STREAMING UPDATE", "OPTIMIZE", "RESTORE"):
        assert value(seen.registry, "delta_commits_total", operation=operation) == 0
    assert value(seen.registry, "delta_table_up") is None, "nobody has looked"


def test_a_table_made_later(tmp_path: Path, watched: Make) -> None:
    seen = watched(tmp_path / "later")
    seen.once()
    assert value(seen.registry, "delta_table_up") == 0
    write(tmp_path / "later")
    seen.once()
    assert value(seen.registry, "delta_table_up") == 1


def test_a_table_made_anew_begins_anew(tmp_path: Path) -> None:
    log = Log()
    write(tmp_path, "a", "b", "c")
    look(tmp_path, log)
    shutil.rmtree(tmp_path)
    write(tmp_path, "a").optimize.compact()
    reading, _ = look(tmp_path, log)
    assert reading.version == 0
    assert set(reading.last_commits) == {"WRITE"}
