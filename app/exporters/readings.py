"""What was read of a Delta Lake table at one moment; None where it cannot be known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

#: Why a table, or a part of what is asked of it, cannot be read. Counted from the start.
KINDS = (
    "not_found",  # no Delta table there (yet)
    "log_gap",  # a commit is missing from the log
    "log_unreadable",  # a commit that cannot be read, often cut short
    "checkpoint_unreadable",
    "unsupported",  # the table uses a feature of the protocol that we cannot read
    "storage",  # no permission, no network, no such bucket
    "timeout",
    "unknown_column",  # one of the configured columns is not in the table
    "probe",  # rows could not be read: often a damaged file
    "other",
)


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """By the statistics in the log. Moments are seconds since 1970."""

    null_fraction: float | None = None
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class FileReading:
    """The files of the table's present version. Sizes in bytes; `rows` None without statistics."""

    count: int
    total: int
    small: int
    sizes: tuple[float, float, float] | None  # least, median, greatest; None without files
    rows: int | None

    @classmethod
    def of(cls, sizes: Sequence[int], rows: Sequence[int | None], *, small: int) -> FileReading:
        return cls(
            count=len(sizes),
            total=sum(sizes),
            small=sum(size < small for size in sizes),
            sizes=(min(sizes), median(sizes), max(sizes)) if sizes else None,
            rows=None if None in rows else sum(row or 0 for row in rows),
        )


@dataclass(frozen=True, slots=True)
class Integrity:
    """What the log names against what is stored.

    Orphans are what it does not name and VACUUM would delete. `checkpoint` is the version of
    the last one.
    """

    missing: int
    truncated: int
    orphans: int
    checkpoint: int | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `at` is in seconds since 1970. `data` says that rows were written or removed."""

    version: int
    operation: str
    at: float
    data: bool


@dataclass(frozen=True, slots=True)
class TableReading:
    """One look at a table that can be read. Moments and durations in seconds."""

    version: int
    files: FileReading
    integrity: Integrity
    columns: Mapping[str, ColumnReading]
    last_data_commit: float | None = None
    last_commits: Mapping[str, float] = field(default_factory=dict)
    probe_seconds: float | None = None
    probed: bool | None = None

    @property
    def commits_since_checkpoint(self) -> int:
        checkpoint = self.integrity.checkpoint
        return self.version + 1 if checkpoint is None else max(0, self.version - checkpoint)
