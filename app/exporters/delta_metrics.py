"""Delta Lake tables as Prometheus metrics. A table that cannot be read has `delta_table_up 0`,
its counters, and nothing else: an old value would look like a present one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.exporters.delta_log import Log
from app.exporters.families import counter, gauge
from app.exporters.readings import TableReading
from app.exporters.rounds import Look, Rounds

Value = Callable[[TableReading], float | None]
Labelled = Callable[[TableReading], Iterator[tuple[str, float | None]]]


class WatchedTable(Protocol):
    """A table under its name in the metrics."""

    @property
    def name(self) -> str: ...
    @property
    def rounds(self) -> Rounds[TableReading]: ...
    @property
    def log(self) -> Log: ...


_PLAIN: tuple[tuple[str, str, Value], ...] = (
    ("delta_table_version", "Version of the table.", lambda r: r.version),
    ("delta_table_files", "Files of the table's version.", lambda r: r.files.count),
    ("delta_table_size_bytes", "Size of these files.", lambda r: r.files.total),
    ("delta_table_rows", "Rows by the log's statistics.", lambda r: r.files.rows),
    (
        "delta_table_small_files",
        "Files smaller than the configured size: OPTIMIZE would make them fewer.",
        lambda r: r.files.small,
    ),
    ("delta_table_file_size_bytes_min", "The smallest file.", lambda r: _size(r, 0)),
    ("delta_table_file_size_bytes_median", "Half of the files are smaller.", lambda r: _size(r, 1)),
    ("delta_table_file_size_bytes_max", "The largest file.", lambda r: _size(r, 2)),
    (
        "delta_table_missing_files",
        "Files that the log names and that are not there: reading the table fails.",
        lambda r: r.integrity.missing,
    ),
    (
        "delta_table_truncated_files",
        "Files of another size than the log says.",
        lambda r: r.integrity.truncated,
    ),
    (
        "delta_table_orphan_files",
        "Files older than a week that the table's version does not name: VACUUM deletes them.",
        lambda r: r.integrity.orphans,
    ),
    (
        "delta_last_data_commit_timestamp_seconds",
        "When rows were last written or removed; maintenance and empty batches do not count.",
        lambda r: r.last_data_commit,
    ),
    (
        "delta_commits_since_checkpoint",
        "Commits that opening the table must read one by one.",
        lambda r: r.commits_since_checkpoint,
    ),
    (
        "delta_probe_duration_seconds",
        "How long reading the first rows of the newest partition took.",
        lambda r: r.probe_seconds,
    ),
    (
        "delta_probe_up",
        "1 if these rows could be read, 0 if not: a file is damaged, perhaps.",
        lambda r: None if r.probed is None else float(r.probed),
    ),
)

_BY_LABEL: tuple[tuple[str, str, str, Labelled], ...] = (
    (
        "delta_last_commit_timestamp_seconds",
        "When each operation was last committed.",
        "operation",
        lambda r: iter(r.last_commits.items()),
    ),
    (
        "delta_table_null_fraction",
        "Share of nulls in a column, of the files with statistics.",
        "column",
        lambda r: ((name, column.null_fraction) for name, column in r.columns.items()),
    ),
    (
        "delta_table_column_min",
        "Least value of a column by statistics; moments as seconds since 1970.",
        "column",
        lambda r: ((name, column.least) for name, column in r.columns.items()),
    ),
    (
        "delta_table_column_max",
        "Greatest value of a column by statistics; moments as seconds since 1970.",
        "column",
        lambda r: ((name, column.greatest) for name, column in r.columns.items()),
    ),
)


def _size(reading: TableReading, at: int) -> float | None:
    return reading.files.sizes[at] if reading.files.sizes else None


class DeltaMetrics(Collector):
    """What prometheus_client asks for at each scrape; nothing is read then."""

    def __init__(self, tables: Sequence[WatchedTable]) -> None:
        self._tables = tables

    def describe(self) -> Iterator[Metric]:
        """The names, so that another collector cannot have them."""
        yield from _families([])
        yield from self._counters()

    def collect(self) -> Iterator[Metric]:
        yield from _families([(table.name, table.rounds.latest()) for table in self._tables])
        yield from self._counters()

    def _counters(self) -> Iterator[CounterMetricFamily]:
        yield counter(
            "delta_table_errors",
            "Looks at which something could not be read, by kind.",
            ("table", "kind"),
            {
                (table.name, kind): count
                for table in self._tables
                for kind, count in table.rounds.errors.items()
            },
        )
        yield counter(
            "delta_commits",
            "Commits seen since the exporter started, by operation.",
            ("table", "operation"),
            {
                (table.name, operation): count
                for table in self._tables
                for operation, count in dict(table.log.counts).items()
            },
        )


def _families(looks: Sequence[tuple[str, Look[TableReading]]]) -> Iterator[GaugeMetricFamily]:
    readings = [(name, look.seen) for name, look in looks if look.seen]
    yield gauge(
        "delta_table_up",
        "1 if the table could be read, else 0.",
        ("table",),
        [((name,), float(look.seen is not None)) for name, look in looks if look.at is not None],
    )
    yield gauge(
        "delta_collection_duration_seconds",
        "How long the last look at the table took.",
        ("table",),
        [((name,), look.seconds) for name, look in looks],
    )
    yield gauge(
        "delta_last_collection_timestamp_seconds",
        "When the last look at the table ended.",
        ("table",),
        [((name,), look.at) for name, look in looks],
    )
    for metric, told, value in _PLAIN:
        yield gauge(metric, told, ("table",), [((name,), value(seen)) for name, seen in readings])
    for metric, told, label, values in _BY_LABEL:
        yield gauge(
            metric,
            told,
            ("table", label),
            [((name, key), number) for name, seen in readings for key, number in values(seen)],
        )
