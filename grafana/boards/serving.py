"""The scoring service: does every payment get its score, and in time?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import DOWN, Limit, above
from grafana.boards.panels import THIRD, density, figure, lines, listing

_M = 'model=~"$model"'
_SECONDS = f"fraud_scoring_duration_seconds_bucket{{{_M}}}"


def make(plantao: str) -> Dashboard:
    return board(
        "serving",
        "serving",
        "The scoring service: rate, errors and duration; versions, budgets, and what weighs on it.",
        {
            "State": _state(),
            "Rate, errors, duration": _rate_errors_duration(),
            "Objectives": _objectives(),
            "Utilization and saturation": _utilization_and_saturation(),
        },
        choice("model", "Model", "fraud_model_info", "model"),
        plantao=plantao,
    )


def _state() -> list[Panel]:
    return [
        figure(
            "Scoring processes that answer",
            "The share of them that answer Prometheus.",
            "percentunit",
            ('avg(up{job="scoring"})', ""),
            alerts=["ScoringDown"],
            limit=DOWN,
            width=THIRD,
        ),
        figure(
            "Processes with another version than the champion",
            "They go on with what they loaded when they started.",
            "none",
            (
                f"count(group by (model, version, instance) (fraud_model_info{{{_M},"
                'alias="champion"})'
                f' unless on (model, version) mlflow_model_alias_info{{{_M},alias="champion"}}'
                f' and on (model) mlflow_model_alias_info{{{_M},alias="champion"}})'
                " or vector(0)",
                "",
            ),
            alerts=["ChampionNotServed"],
            limit=Limit(1),
            width=THIRD,
        ),
        figure(
            "Scores a second",
            "Over the last 5 minutes.",
            "reqps",
            (f"model:fraud_scoring:rate5m{{{_M}}}", "{{model}}"),
            alerts=["ScoringStopped"],
            width=THIRD,
        ),
    ]


def _rate_errors_duration() -> list[Panel]:
    return [
        lines(
            "Requests",
            "By version, a second.",
            "reqps",
            (
                f"sum by (model, version) (rate(fraud_scoring_requests_total{{{_M}}}[5m]))",
                "{{model}} {{version}}",
            ),
            width=THIRD,
        ),
        lines(
            "Errors",
            "The share of requests without a score: those payments were decided without one.",
            "percentunit",
            (f"model:fraud_scoring_errors_ratio:rate5m{{{_M}}}", "{{model}}"),
            width=THIRD,
            alerts=["ScoringErrors"],
            limit=above("scoring_errors:ratio"),
        ),
        lines(
            "Duration",
            "Half of the requests are faster; one in twenty, one in a hundred is slower.",
            "s",
            (
                f"histogram_quantile(0.5, sum by (le, model) (rate({_SECONDS}[5m])))",
                "{{model}} median",
            ),
            (
                f"histogram_quantile(0.95, sum by (le, model) (rate({_SECONDS}[5m])))",
                "{{model}} 95th",
            ),
            (f"model:fraud_scoring_p99_seconds:rate5m{{{_M}}}", "{{model}} 99th"),
            width=THIRD,
            alerts=["ScoringSlow"],
            limit=above("scoring_p99:seconds"),
        ),
    ]


def _objectives() -> list[Panel]:
    return [
        density(
            "How long scores take",
            "Each row is a bucket of the histogram; the objective is 200 ms.",
            "s",
            f"sum by (le) (increase({_SECONDS}[$__rate_interval]))",
            width=THIRD,
        ),
        lines(
            "Scores slower than 200 ms",
            "The share of the last hour. The objective allows 1 %.",
            "percentunit",
            (
                "1 - sum by (model) (rate(fraud_scoring_duration_seconds_bucket"
                f'{{le="0.2",{_M}}}[1h])) / sum by (model) '
                f"(rate(fraud_scoring_duration_seconds_count{{{_M}}}[1h]))",
                "{{model}}",
            ),
            width=THIRD,
            alerts=["ScoringBudgetBurnsFast", "ScoringBudgetBurnsSlowly"],
            limit=above("scoring_budget:ratio"),
        ),
        lines(
            "Pix slower than 10 s",
            "The share of the last hour, from end to end. The objective allows 0.1 %.",
            "percentunit",
            (
                '1 - sum(rate(pix_end_to_end_seconds_bucket{le=~"10|10.0"}[1h]))'
                " / sum(rate(pix_end_to_end_seconds_count[1h]))",
                "",
            ),
            width=THIRD,
            alerts=["PixBudgetBurnsFast", "PixBudgetBurnsSlowly"],
            limit=above("end_to_end_budget:ratio"),
        ),
    ]


def _utilization_and_saturation() -> list[Panel]:
    return [
        listing(
            "Versions in service",
            "What each process says that it has loaded.",
            f"count by (model, alias, version, instance) (fraud_model_info{{{_M}}})",
            "model",
            "alias",
            "version",
            "instance",
            width=THIRD,
        ),
        lines(
            "Processor",
            "Cores that each process uses.",
            "none",
            (
                'rate(process_cpu_seconds_total{job="scoring"}[$__rate_interval])',
                "{{instance}}",
            ),
            width=THIRD,
        ),
        lines(
            "Memory",
            "That each process uses.",
            "bytes",
            ('process_resident_memory_bytes{job="scoring"}', "{{instance}}"),
            width=THIRD,
        ),
    ]
