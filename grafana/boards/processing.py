"""Spark: does every streaming query run, and does it keep up?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import ANY, DOWN, above, below
from grafana.boards.panels import HALF, QUARTER, THIRD, figure, lines

_QUERY = '{query=~"$query"}'
_APP = 'application_name=~"$application"'
_EXECUTORS = f'{{{_APP},executor_id!="driver"}}'


def make(plantao: str) -> Dashboard:
    return board(
        "processing",
        "processing",
        "Spark: rate, errors and duration of streaming queries; executors, and what weighs on them.",
        {
            "State": _state(),
            "Rate": _rate(),
            "Errors": _errors(),
            "Duration": _duration(),
            "Utilization and saturation": _utilization_and_saturation(),
        },
        choice("query", "Query", "spark_streaming_batch_latency_milliseconds", "query"),
        choice("application", "Application", "metrics_executor_totalCores", "application_name"),
        plantao=plantao,
    )


def _state() -> list[Panel]:
    return [
        figure(
            "Drivers that answer",
            "The share of drivers that answer Prometheus.",
            "percentunit",
            ('avg(up{job="spark-driver"})', ""),
            alerts=["SparkDriverDown"],
            limit=DOWN,
        ),
        figure(
            "Queries that are gone",
            "That ran within the last day and that no driver reports now.",
            "none",
            (
                "count(group by (query) (last_over_time("
                "spark_streaming_batch_latency_milliseconds[1d]))"
                " unless on (query) spark_streaming_batch_latency_milliseconds) or vector(0)",
                "",
            ),
            alerts=["SparkQueryGone"],
            limit=ANY,
        ),
        figure(
            "Executors",
            "That each application has, its driver left out.",
            "none",
            (f"application:spark_executors:count{{{_APP}}}", "{{application_name}}"),
            alerts=["SparkExecutorsMissing"],
            limit=below("spark_executors:min"),
            width=HALF,
        ),
    ]


def _rate() -> list[Panel]:
    return [
        lines(
            "Rows in and rows processed",
            "A second. While more come in than are processed, the rest piles up in Kafka.",
            "cps",
            (f"spark_streaming_input_rows_per_second{_QUERY}", "{{query}} in"),
            (f"spark_streaming_processing_rows_per_second{_QUERY}", "{{query}} processed"),
            alerts=["SparkQueryStalled"],
        ),
        lines(
            "Rows in, for each that could be processed",
            "Above 1 a query falls behind.",
            "percentunit",
            (
                f"avg_over_time(spark_streaming_input_rows_per_second{_QUERY}[5m])"
                f" / avg_over_time(spark_streaming_processing_rows_per_second{_QUERY}[5m])",
                "{{query}}",
            ),
            alerts=["SparkQueryFallingBehind"],
            limit=above("spark_input_to_processing:ratio"),
        ),
    ]


def _errors() -> list[Panel]:
    return [
        lines(
            "Failed tasks",
            "The share of tasks. The fourth failure of one task ends its query.",
            "percentunit",
            (
                f"application:spark_failed_tasks_ratio:rate5m{{{_APP}}}",
                "{{application_name}}",
            ),
            alerts=["SparkTasksFailing"],
            limit=above("spark_failed_tasks:ratio"),
        ),
        lines(
            "Failed jobs",
            "Within 5 minutes. Each batch is a job or more.",
            "none",
            ("increase(spark_driver_failed_jobs_total[5m])", "{{instance}}"),
        ),
    ]


def _duration() -> list[Panel]:
    return [
        lines(
            "Batches",
            "How long one takes, averaged over 5 minutes.",
            "s",
            (
                f"avg_over_time(spark_streaming_batch_latency_milliseconds{_QUERY}[5m]) / 1000",
                "{{query}}",
            ),
            width=THIRD,
            alerts=["SparkBatchSlow"],
            limit=above("spark_batch:seconds"),
        ),
        lines(
            "Age of what is worked on",
            "How far each query's watermark is behind the clock.",
            "s",
            (
                f"time() - (spark_streaming_watermark_milliseconds{_QUERY} > 0) / 1000",
                "{{query}}",
            ),
            width=THIRD,
            alerts=["SparkWatermarkLate"],
            limit=above("spark_watermark_delay:seconds"),
        ),
        lines(
            "Tasks",
            "How long one takes on average.",
            "s",
            (f"application:spark_task_seconds:rate5m{{{_APP}}}", "{{application_name}}"),
            width=THIRD,
            alerts=["SparkTasksSlow"],
            limit=above("spark_task:seconds"),
        ),
    ]


def _utilization_and_saturation() -> list[Panel]:
    return [
        lines(
            "Task slots in use",
            "The share of each executor's. At 1 for long, tasks wait.",
            "percentunit",
            (
                f"metrics_executor_activeTasks{_EXECUTORS} / metrics_executor_maxTasks{_EXECUTORS}",
                "{{application_name}} {{executor_id}}",
            ),
            width=QUARTER,
            most=1,
        ),
        lines(
            "Collecting garbage",
            "The share of task time. High, the executor has too little memory.",
            "percentunit",
            (
                f"executor:spark_gc_ratio:rate5m{{{_APP}}}",
                "{{application_name}} {{executor_id}}",
            ),
            width=QUARTER,
            alerts=["SparkExecutorGcHigh"],
            limit=above("spark_gc:ratio"),
        ),
        lines(
            "Heap",
            "That executors and drivers use.",
            "bytes",
            (
                f"metrics_executor_JVMHeapMemory_bytes{_EXECUTORS}",
                "{{application_name}} {{executor_id}}",
            ),
            ("spark_driver_heap_bytes", "driver {{instance}}"),
            width=QUARTER,
        ),
        lines(
            "State",
            "Memory that each query's state takes; without a watermark it grows for ever.",
            "bytes",
            (f"spark_streaming_state_bytes{_QUERY}", "{{query}}"),
            width=QUARTER,
        ),
    ]
