"""Tables that delta-rs reads and does not write: their logs are written here by the protocol.

Source: delta-io/delta `PROTOCOL.md`, "Deletion Vectors" and "Column Mapping".
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exporters.tables import add_commit, log_file, look, write

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(content: bytes) -> str:
    """ZeroMQ's base85, which inline vectors are written in."""
    text = ""
    for at in range(0, len(content), 4):
        number, group = int.from_bytes(content[at : at + 4], "big"), ""
        for _ in range(5):
            number, rest = divmod(number, 85)
            group = _Z85[rest] + group
        text += group
    return text


def vector(row: int) -> dict[str, Any]:
    """A deletion vector of one row: one roaring bitmap of one array container."""
    bitmap = struct.pack("<IIHHIH", 12346, 1, 0, 0, 16, row)
    content = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    padded = content + bytes(-len(content) % 4)
    return {
        "storageType": "i",
        "pathOrInlineDv": z85(padded),
        "sizeInBytes": len(content),
        "cardinality": 1,
    }


def test_deletion_vectors(tmp_path: Path) -> None:
    """Rows are those of the files; what was deleted in place is still in them."""
    write(tmp_path, "day")
    actions = [json.loads(line) for line in log_file(tmp_path, 0).read_text().splitlines()]
    (add,) = [action["add"] for action in actions if "add" in action]
    feature = ["deletionVectors"]
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7}
    add_commit(
        tmp_path,
        1,
        {"protocol": {**protocol, "readerFeatures": feature, "writerFeatures": feature}},
        {"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}},
        {"add": {**add, "deletionVector": vector(5)}},
        {"commitInfo": {"timestamp": 1_900_000_000_000, "operation": "DELETE"}},
    )
    reading, troubles = look(tmp_path, columns=("amount",))
    assert (troubles, reading.probed, reading.integrity.missing) == ([], True, 0)
    assert (reading.files.count, reading.files.rows) == (1, 100)
    assert reading.last_data_commit == 1_900_000_000


def test_column_mapping(tmp_path: Path) -> None:
    """Columns are called by their names; the statistics have other ones."""
    (tmp_path / "_delta_log").mkdir()
    file = tmp_path / "f.parquet"
    pq.write_table(pa.table({"col-a1": [1.0, None, 7.0]}), file)
    mapping = {"delta.columnMapping.id": 1, "delta.columnMapping.physicalName": "col-a1"}
    column = {"name": "amount", "type": "double", "nullable": True, "metadata": mapping}
    stats = {
        "numRecords": 3,
        "minValues": {"col-a1": 1.0},
        "maxValues": {"col-a1": 7.0},
        "nullCount": {"col-a1": 1},
    }
    metadata = {
        "id": "any",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": [column]}),
        "partitionColumns": [],
        "configuration": {
            "delta.columnMapping.mode": "name",
            "delta.columnMapping.maxColumnId": "1",
        },
    }
    add = {
        "path": file.name,
        "partitionValues": {},
        "size": file.stat().st_size,
        "modificationTime": 1,
        "dataChange": True,
        "stats": json.dumps(stats),
    }
    protocol = {"minReaderVersion": 2, "minWriterVersion": 5}
    add_commit(tmp_path, 0, {"protocol": protocol}, {"metaData": metadata}, {"add": add})
    reading, troubles = look(tmp_path, columns=("amount",))
    amount = reading.columns["amount"]
    assert (troubles, reading.probed) == ([], True)
    assert (amount.null_fraction, amount.least, amount.greatest) == (1 / 3, 1, 7)
