"""The commits of a Delta Lake table: how many of each operation, and when the last ones were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from app.exporters.readings import Commit

#: Operations that write or remove rows, as delta-rs and Spark name them. Source:
#: `DeltaOperation::name` and `DeltaOperations.scala`. What is not here is maintenance.
DATA = frozenset(
    {
        "WRITE",
        "STREAMING UPDATE",
        "MERGE",
        "UPDATE",
        "DELETE",
        "TRUNCATE",
        "COPY INTO",
        "CREATE TABLE AS SELECT",
        "REPLACE TABLE AS SELECT",
        "CREATE OR REPLACE TABLE AS SELECT",
    }
)

#: Counted from zero, so that the first commit of each shows as an increase.
EXPECTED = (
    "WRITE",
    "STREAMING UPDATE",
    "MERGE",
    "UPDATE",
    "DELETE",
    "OPTIMIZE",
    "RESTORE",
    "VACUUM START",
    "VACUUM END",
)

_OTHER = "OTHER"
_OPERATIONS = 50  # names are any writer's to choose
_WRITTEN = ("numOutputRows", "num_added_rows", "numAddedFiles", "num_added_files")
_REMOVED = ("numRemovedFiles", "num_removed_files", "numDeletedRows", "num_deleted_rows")


def commit(entry: Mapping[str, Any]) -> Commit:
    """A commit of `DeltaTable.history()`."""
    operation = str(entry.get("operation") or "UNKNOWN")
    moved = operation in DATA and not _empty(entry.get("operationMetrics"))
    at = float(entry.get("timestamp") or 0) / 1000
    return Commit(int(entry["version"]), operation, at, data=moved)


def _empty(metrics: object) -> bool:
    """Whether the commit itself says that it wrote and removed nothing, as Spark's do for a
    batch without rows. Spark writes numbers as text."""
    if not isinstance(metrics, Mapping):
        return False
    told = [metrics[name] for name in (*_WRITTEN, *_REMOVED) if name in metrics]
    return bool(told) and all(str(value) == "0" for value in told)


class Log:
    """What is known of a table's commits. The counter starts when the exporter does: what
    was committed before is no increase."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(EXPECTED, 0))
        self.last: dict[str, float] = {}
        self.last_data: float | None = None
        self._version: int | None = None

    def missing(self, version: int, at_most: int) -> int:
        """How many commits must be read to know all up to `version`; a table made anew, with
        a smaller version, begins anew."""
        if self._version is not None and version < self._version:
            self._forget()
        known = -1 if self._version is None else self._version
        return min(version - known, at_most)

    def learn(self, commits: Iterable[Commit]) -> None:
        """Take in commits, in any order; those that are known are passed over."""
        known = self._version
        new = [each for each in commits if known is None or each.version > known]
        for each in sorted(new, key=lambda each: each.version):
            name = self._name(each.operation)
            self.counts[name] += known is not None
            if each.at:
                self.last[name] = each.at
            if each.data and each.at:
                self.last_data = each.at
            self._version = each.version
        if self.last_data is None and new:
            # Older than all that the log still tells: it was at the latest then.
            self.last_data = min((each.at for each in new if each.at), default=None)

    def _name(self, operation: str) -> str:
        known = operation in self.counts or len(self.counts) < _OPERATIONS
        return operation if known else _OTHER

    def _forget(self) -> None:
        self.last.clear()
        self.last_data = self._version = None
