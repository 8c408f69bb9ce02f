"""What is told of tables that are well."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Field, Schema, write_deltalake
from deltalake.schema import PrimitiveType

from app.exporters.delta_log import Log
from tests.exporters.tables import add_commit, data_files, look, write


def test_version_files_sizes_and_rows(tmp_path: Path) -> None:
    write(tmp_path)
    reading, troubles = look(tmp_path)
    sizes = [file.stat().st_size for file in data_files(tmp_path)]
    assert troubles == []
    assert reading.version == 1
    assert reading.files.count == 2
    assert reading.files.total == sum(sizes)
    assert reading.files.rows == 200
    assert reading.files.sizes == (min(sizes), sum(sizes) / 2, max(sizes))


def test_files_below_the_configured_size_are_small(tmp_path: Path) -> None:
    write(tmp_path)
    largest = max(file.stat().st_size for file in data_files(tmp_path))
    assert look(tmp_path, small_file=largest + 1)[0].files.small == 2
    assert look(tmp_path, small_file=1)[0].files.small == 0


def test_nulls_and_extremes_of_the_chosen_columns(tmp_path: Path) -> None:
    write(tmp_path)
    reading, troubles = look(tmp_path, columns=("amount", "id"))
    assert troubles == []
    amount = reading.columns["amount"]
    assert (amount.null_fraction, amount.least, amount.greatest) == (0.1, 10, 99)
    assert reading.columns["id"].null_fraction == 0


def test_a_text_column_has_nulls_and_no_extremes(tmp_path: Path) -> None:
    write_deltalake(tmp_path, pa.table({"key": ["a", None]}))
    column = look(tmp_path, columns=("key",))[0].columns["key"]
    assert (column.null_fraction, column.least, column.greatest) == (0.5, None, None)


def test_moments_are_seconds_since_1970(tmp_path: Path) -> None:
    at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    write_deltalake(tmp_path, pa.table({"at": pa.array([at], pa.timestamp("us", "UTC"))}))
    assert look(tmp_path, columns=("at",))[0].columns["at"].greatest == at.timestamp()


def test_a_column_that_is_not_there_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    write(tmp_path)
    reading, troubles = look(tmp_path, columns=("amuont", "amount"))
    assert troubles == ["unknown_column"]
    assert list(reading.columns) == ["amount"]


def test_maintenance_is_no_data_commit(tmp_path: Path) -> None:
    table = write(tmp_path, "day", "day")
    before, _ = look(tmp_path)
    table.optimize.compact()
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    table.create_checkpoint()
    after, _ = look(tmp_path)
    assert after.version > before.version
    assert after.last_data_commit == before.last_data_commit == after.last_commits["WRITE"]
    assert set(after.last_commits) >= {"WRITE", "OPTIMIZE", "VACUUM START", "VACUUM END"}


def test_a_batch_without_rows_is_no_data_commit(tmp_path: Path) -> None:
    write(tmp_path)
    before, _ = look(tmp_path)
    told = {
        "timestamp": 1_900_000_000_000,
        "operation": "STREAMING UPDATE",
        "operationMetrics": {"numOutputRows": "0", "numAddedFiles": "0", "numRemovedFiles": "0"},
    }
    add_commit(tmp_path, 2, {"commitInfo": told})
    after, _ = look(tmp_path)
    assert after.last_data_commit == before.last_data_commit
    assert after.last_commits["STREAMING UPDATE"] == 1_900_000_000


def test_commits_are_counted_from_when_the_exporter_began(tmp_path: Path) -> None:
    write(tmp_path)
    log = Log()
    look(tmp_path, log)
    assert log.counts["WRITE"] == 0, "two commits before it are no increase"
    write(tmp_path)
    look(tmp_path, log)
    look(tmp_path, log)
    assert log.counts["WRITE"] == 2


def test_commits_since_the_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, "a", "b", "c")
    assert look(tmp_path)[0].commits_since_checkpoint == 3
    DeltaTable(tmp_path).create_checkpoint()
    assert look(tmp_path)[0].commits_since_checkpoint == 0
    write(tmp_path, "d")
    assert look(tmp_path)[0].commits_since_checkpoint == 1


def test_the_probe_reads_one_partition(tmp_path: Path) -> None:
    write(tmp_path, "old", "new")
    (old,) = [file for file in data_files(tmp_path) if "day=old" in str(file)]
    old.write_bytes(b"x" * old.stat().st_size)
    reading, troubles = look(tmp_path)
    assert (reading.probed, troubles) == (True, [])
    assert reading.probe_seconds is not None


def test_without_a_probe_no_row_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    assert look(tmp_path, probe=False)[0].probed is None


@pytest.mark.parametrize("day", ["it's", 'a "quote"', "ünï/cødé %20", ""])
def test_any_name_of_a_partition(tmp_path: Path, day: str) -> None:
    write(tmp_path, day)
    reading, troubles = look(tmp_path)
    assert (reading.probed, troubles, reading.integrity.missing) == (True, [], 0)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([datetime(2026, 11, 27, tzinfo=UTC).date()]),
        pa.array([datetime(2026, 11, 27, 3, 4, 5, 6, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        pa.array([7]),
        pa.array([True]),
        pa.array([None], pa.string()),
    ],
)
def test_partitions_of_any_type(tmp_path: Path, column: pa.Array) -> None:
    table = pa.table({"part": column, "id": [1]})
    write_deltalake(tmp_path, table, partition_by=["part"])
    reading, troubles = look(tmp_path)
    assert (reading.probed, troubles, reading.integrity.missing) == (True, [], 0)


@pytest.mark.parametrize("name", ["with spaces", "pagamentos é ção", "a'b"])
def test_any_path(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    for url in (str(tmp_path / name), (tmp_path / name).as_uri()):
        reading, troubles = look(url)
        assert (reading.files.count, troubles, reading.integrity.missing) == (2, [], 0)


def test_a_table_without_rows(tmp_path: Path) -> None:
    DeltaTable.create(tmp_path, Schema([Field("id", PrimitiveType("long"))]))
    reading, troubles = look(tmp_path, columns=("id",))
    assert troubles == []
    assert (reading.files.count, reading.files.rows, reading.files.sizes) == (0, 0, None)
    assert (reading.probed, reading.columns["id"].null_fraction) == (None, None)


def test_a_table_without_statistics(tmp_path: Path) -> None:
    write(tmp_path, configuration={"delta.dataSkippingNumIndexedCols": "0"})
    reading, troubles = look(tmp_path, columns=("amount",))
    assert troubles == []
    assert reading.files.count == 2
    assert reading.columns["amount"].null_fraction is None


def test_a_table_of_many_columns(tmp_path: Path) -> None:
    write_deltalake(tmp_path, pa.table({f"c{at}": [at] for at in range(1000)}))
    reading, troubles = look(tmp_path, columns=("c3",))
    assert (reading.columns["c3"].least, reading.probed, troubles) == (3, True, [])


def test_ten_thousand_files(tmp_path: Path) -> None:
    """All that the log names are compared, and one that is gone is seen among them."""
    write(tmp_path, "day")
    (sample,) = data_files(tmp_path)
    actions = []
    for at in range(10_000):
        name = f"part-{at:05}.parquet"
        (sample.parent / name).hardlink_to(sample)
        actions.append(
            {
                "add": {
                    "path": f"day=day/{name}",
                    "partitionValues": {"day": "day"},
                    "size": sample.stat().st_size,
                    "modificationTime": 1_700_000_000_000,
                    "dataChange": True,
                    "stats": '{"numRecords":100}',
                }
            }
        )
    add_commit(tmp_path, 1, *actions)
    (sample.parent / "part-07777.parquet").unlink()
    reading, _ = look(tmp_path)
    assert (reading.files.count, reading.files.rows) == (10_001, 1_000_100)
    assert (reading.integrity.missing, reading.integrity.truncated) == (1, 0)
