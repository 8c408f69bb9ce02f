"""Delta Lake: is what was written whole, fresh, and quick to read?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import ANY, DOWN, above, below
from grafana.boards.panels import HALF, THIRD, figure, lines

_T = '{table=~"$table"}'


def make(plantao: str) -> Dashboard:
    return board(
        "storage",
        "storage",
        "Delta Lake: commits, what is broken, how long reading takes; files, sizes and values.",
        {
            "State": _state(),
            "Rate": _rate(),
            "Errors": _errors(),
            "Duration": _duration(),
            "Utilization and saturation": _utilization_and_saturation(),
            "Values": _values(),
            "The exporter": _the_exporter(),
        },
        choice("table", "Table", "delta_table_up", "table"),
        plantao=plantao,
    )


def _state() -> list[Panel]:
    return [
        figure(
            "Tables that can be read",
            "0 where the log cannot be read: nobody can query the table or write to it.",
            "none",
            (f"delta_table_up{_T}", "{{table}}"),
            alerts=["DeltaTableUnreadable"],
            limit=DOWN,
            width=THIRD,
        ),
        figure(
            "Missing files",
            "That the log names and that are not there: queries that need them fail.",
            "none",
            (f"delta_table_missing_files{_T}", "{{table}}"),
            alerts=["DeltaFilesMissing"],
            limit=ANY,
            width=THIRD,
        ),
        figure(
            "Truncated files",
            "Of another size than the log says.",
            "none",
            (f"delta_table_truncated_files{_T}", "{{table}}"),
            alerts=["DeltaFilesTruncated"],
            limit=ANY,
            width=THIRD,
        ),
    ]


def _rate() -> list[Panel]:
    return [
        lines(
            "Commits",
            "By operation, a minute.",
            "cpm",
            (
                f"60 * sum by (table, operation) (rate(delta_commits_total{_T}[5m])) > 0",
                "{{table}} {{operation}}",
            ),
        ),
        lines(
            "Age of the last data",
            "Since rows were last written or removed. OPTIMIZE and VACUUM do not count.",
            "s",
            (f"time() - delta_last_data_commit_timestamp_seconds{_T}", "{{table}}"),
            alerts=["DeltaCommitsStopped"],
            limit=above("delta_last_data_commit:seconds"),
        ),
    ]


def _errors() -> list[Panel]:
    return [
        lines(
            "Looks that failed",
            "Within 5 minutes, whole or in part, by what was wrong.",
            "none",
            (
                f"sum by (table, kind) (increase(delta_table_errors_total{_T}[5m])) > 0",
                "{{table}} {{kind}}",
            ),
        ),
        lines(
            "Rows can be read",
            "1 while the first rows of the newest partition can be read.",
            "none",
            (f"delta_probe_up{_T}", "{{table}}"),
            alerts=["DeltaReadFailing"],
            limit=DOWN,
            most=1,
        ),
    ]


def _duration() -> list[Panel]:
    return [
        lines(
            "Reading one partition",
            "The first 1,000 rows of the newest.",
            "s",
            (f"delta_probe_duration_seconds{_T}", "{{table}}"),
            alerts=["DeltaReadSlow"],
            limit=above("delta_probe:seconds"),
        ),
        lines(
            "Commits since the last checkpoint",
            "Whoever opens the table reads them one by one.",
            "none",
            (f"delta_commits_since_checkpoint{_T}", "{{table}}"),
        ),
    ]


def _utilization_and_saturation() -> list[Panel]:
    return [
        lines(
            "Rows kept",
            "Against the most within the hour.",
            "percentunit",
            (
                f"delta_table_rows{_T} / (max_over_time(delta_table_rows{_T}[1h]) > 0)",
                "{{table}}",
            ),
            width=THIRD,
            alerts=["DeltaRowsLost"],
            limit=below("delta_rows_kept:ratio"),
            most=1,
        ),
        lines(
            "Size",
            "Of the files of the present version.",
            "bytes",
            (f"delta_table_size_bytes{_T}", "{{table}}"),
            width=THIRD,
        ),
        lines(
            "Files",
            "Of the present version, and old ones that VACUUM would delete.",
            "none",
            (f"delta_table_files{_T}", "{{table}}"),
            (f"delta_table_orphan_files{_T}", "{{table}} orphans"),
            width=THIRD,
        ),
        lines(
            "Small files",
            "The share of files. Many of them make queries slow; OPTIMIZE joins them.",
            "percentunit",
            (f"delta_table_small_files{_T} / delta_table_files{_T}", "{{table}}"),
            width=HALF,
            most=1,
            alerts=["DeltaSmallFiles"],
            limit=above("delta_small_files:ratio"),
        ),
        lines(
            "Sizes of files",
            "The smallest, the one in the middle, the largest.",
            "bytes",
            (f"delta_table_file_size_bytes_min{_T}", "{{table}} least"),
            (f"delta_table_file_size_bytes_median{_T}", "{{table}} median"),
            (f"delta_table_file_size_bytes_max{_T}", "{{table}} most"),
        ),
    ]


def _values() -> list[Panel]:
    return [
        lines(
            "Nulls, against the day before",
            "By how much the share of nulls rose.",
            "percentunit",
            (
                f"delta_table_null_fraction{_T}"
                f" - avg_over_time(delta_table_null_fraction{_T}[1d] offset 1h)",
                "{{table}} {{column}}",
            ),
            alerts=["DeltaNullsRising"],
            limit=above("delta_null_fraction_rise:ratio"),
        ),
        lines(
            "Greatest value, against the day before",
            "How many times the greatest of the day before.",
            "none",
            (
                f"delta_table_column_max{_T}"
                f" / (max_over_time(delta_table_column_max{_T}[1d] offset 1h) > 0)",
                "{{table}} {{column}}",
            ),
            alerts=["DeltaValuesShifted"],
            limit=above("delta_column_max_growth:ratio"),
        ),
    ]


def _the_exporter() -> list[Panel]:
    return [
        lines(
            "Age of the last look",
            "Since the exporter last looked at each table.",
            "s",
            (f"time() - delta_last_collection_timestamp_seconds{_T}", "{{table}}"),
            alerts=["DeltaMetricsStale"],
            limit=above("delta_collection_age:seconds"),
        ),
        lines(
            "How long a look takes",
            "Half a second for 10,000 files is usual.",
            "s",
            (f"delta_collection_duration_seconds{_T}", "{{table}}"),
        ),
    ]
