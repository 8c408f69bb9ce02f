"""MLflow: can a good champion be had, today and after the next restart?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import DOWN, above, below
from grafana.boards.panels import HALF, QUARTER, figure, lines, listing

_M = 'model=~"$model"'
_CHAMPION = f'mlflow_model_alias_info{{{_M},alias="champion"}}'


def make(plantao: str) -> Dashboard:
    return board(
        "training",
        "training",
        "MLflow: the registry, what was trained, and how good it was then.",
        {
            "State": _state(),
            "Models": _models(),
            "MLflow itself": _mlflow_itself(),
        },
        choice("model", "Model", "mlflow_model_version_info", "model"),
        plantao=plantao,
    )


def _state() -> list[Panel]:
    return [
        figure(
            "Registry",
            "1 while MLflow answers. What is loaded goes on scoring without it.",
            "none",
            ("mlflow_registry_up", ""),
            alerts=["RegistryUnreachable"],
            limit=DOWN,
        ),
        figure(
            "Champions",
            "1 for each model that has one.",
            "none",
            (
                f"count by (model) ({_CHAMPION})"
                f" or 0 * count by (model) (mlflow_model_version_info{{{_M}}})",
                "{{model}}",
            ),
            alerts=["ChampionAliasMissing"],
            limit=DOWN,
        ),
        figure(
            "The champion's files",
            "0 where there are none: a scoring process that restarts cannot load it.",
            "none",
            (
                f"mlflow_model_artifact_present * on (model, version) group_left (alias) {_CHAMPION}",
                "{{model}} {{version}}",
            ),
            alerts=["ChampionArtifactMissing"],
            limit=DOWN,
        ),
        figure(
            "Last training",
            "How long ago it ended.",
            "s",
            (
                f"time() - mlflow_model_last_training_timestamp_seconds{{{_M}}}",
                "{{model}}",
            ),
            alerts=["ModelTrainingOverdue"],
            limit=above("model_training_age:seconds"),
        ),
    ]


def _models() -> list[Panel]:
    return [
        listing(
            "Aliases",
            "The version that each names.",
            f"count by (model, alias, version) (mlflow_model_alias_info{{{_M}}})",
            "model",
            "alias",
            "version",
        ),
        listing(
            "Parameters",
            "That the exporter was told to show.",
            f"count by (model, alias, version, param, value) (mlflow_model_param_info{{{_M}}})",
            "model",
            "alias",
            "version",
            "param",
            "value",
        ),
        lines(
            "AUC at training",
            "Of the champion, and of what was trained after it.",
            "none",
            (
                f'mlflow_model_metric{{{_M},metric="auc"}}',
                "{{model}} {{alias}} {{version}}",
            ),
            alerts=["ChampionMetricLow"],
            limit=below("champion_auc:ratio"),
            most=1,
        ),
        lines(
            "Other metrics at training",
            "That the exporter was told to show.",
            "none",
            (
                f'mlflow_model_metric{{{_M},metric!="auc"}}',
                "{{model}} {{alias}} {{metric}}",
            ),
        ),
        lines(
            "Size of models",
            "Of the versions that have an alias, and the newest.",
            "bytes",
            (f"mlflow_model_artifact_bytes{{{_M}}}", "{{model}} {{version}}"),
            width=HALF,
        ),
    ]


def _mlflow_itself() -> list[Panel]:
    return [
        lines(
            "Requests",
            "By status, a second.",
            "reqps",
            ("sum by (status) (rate(mlflow_http_request_total[5m]))", "{{status}}"),
            width=QUARTER,
        ),
        lines(
            "Errors",
            "The share of requests that it answered with 5xx.",
            "percentunit",
            (
                '(sum(rate(mlflow_http_request_total{status=~"5.."}[5m])) or vector(0))'
                " / sum(rate(mlflow_http_request_total[5m]))",
                "",
            ),
            width=QUARTER,
        ),
        lines(
            "Duration",
            "99th percentile of its requests, and a whole look of the exporter.",
            "s",
            (
                "histogram_quantile(0.99, sum by (le)"
                " (rate(mlflow_http_request_duration_seconds_bucket[5m])))",
                "requests",
            ),
            ("mlflow_registry_duration_seconds", "a look"),
            width=QUARTER,
        ),
        lines(
            "What the exporter could not learn",
            "Within 5 minutes, by reason.",
            "none",
            ("increase(mlflow_registry_errors_total[5m]) > 0", "{{kind}}"),
            width=QUARTER,
        ),
    ]
