"""The model: does it still tell fraud from payments?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import above, below
from grafana.boards.panels import density, lines

_M = 'model=~"$model"'


def make(plantao: str) -> Dashboard:
    return board(
        "quality",
        "model quality",
        "Scores and decisions against those before; precision by the labels; features; the canary.",
        {
            "Scores and decisions": _scores_and_decisions(),
            "Labels": _labels(),
            "Features and canary": _features_and_canary(),
        },
        choice("model", "Model", "fraud_model_info", "model"),
        plantao=plantao,
    )


def _scores_and_decisions() -> list[Panel]:
    return [
        lines(
            "Drift of the scores",
            "Population stability index against the scores at training. Below 0.1 they are alike.",
            "none",
            (
                f"max by (model, version) (fraud_score_drift_psi{{{_M}}})",
                "{{model}} {{version}}",
            ),
            alerts=["ScoreDrift"],
            limit=above("score_drift:psi"),
        ),
        density(
            "Scores",
            "How they are distributed from 0 to 1.",
            "none",
            f"sum by (le) (increase(fraud_score_bucket{{{_M}}}[$__rate_interval]))",
        ),
        lines(
            "Approved, against the day before",
            "By how much the share of approved payments differs, all versions together.",
            "percentunit",
            (
                f"abs(model:fraud_approved_ratio:rate30m{{{_M}}}"
                f" - avg_over_time(model:fraud_approved_ratio:rate30m{{{_M}}}[1d] offset 1h))",
                "{{model}}",
            ),
            alerts=["ApprovalRateShifted"],
            limit=above("approval_rate_shift:ratio"),
        ),
        lines(
            "Decisions",
            "Each one's share of the payments.",
            "percentunit",
            (
                f"sum by (model, decision) (rate(fraud_decisions_total{{{_M}}}[30m]))"
                " / on (model) group_left ()"
                f" sum by (model) (rate(fraud_decisions_total{{{_M}}}[30m]))",
                "{{model}} {{decision}}",
            ),
            stacked=True,
            most=1,
        ),
    ]


def _labels() -> list[Panel]:
    return [
        lines(
            "Precision",
            "Of the payments that were declined, the share that was fraud; labels of the last day.",
            "percentunit",
            (
                f"model_version:fraud_precision_ratio:increase1d{{{_M}}}",
                "{{model}} {{version}}",
            ),
            alerts=["PrecisionLow"],
            limit=below("precision:ratio"),
            most=1,
        ),
        lines(
            "Fraud that was approved",
            "Labels of the last day that say fraud of a payment that went through.",
            "none",
            (
                "sum by (model, version) (increase(fraud_labels_total"
                f'{{{_M},label="fraud",decision="approved"}}[1d]))',
                "{{model}} {{version}}",
            ),
        ),
        lines(
            "Labels for declined payments",
            "Of the last day. With fewer, nobody knows the precision.",
            "none",
            (
                f"model_version:fraud_declined_labels:increase1d{{{_M}}}",
                "{{model}} {{version}}",
            ),
            alerts=["PrecisionLow"],
            limit=below("precision_labels:count"),
        ),
        lines(
            "Age of the last label",
            "While none comes, nobody knows how good the model is.",
            "s",
            (
                f"time() - max by (model) (fraud_label_last_timestamp_seconds{{{_M}}})",
                "{{model}}",
            ),
            alerts=["LabelsStopped"],
            limit=above("label_age:seconds"),
        ),
    ]


def _features_and_canary() -> list[Panel]:
    return [
        lines(
            "Age of features",
            "How old the values were that scores were made with.",
            "s",
            ("max by (feature) (fraud_feature_age_seconds)", "{{feature}}"),
            alerts=["FeatureStale"],
            limit=above("feature_age:seconds"),
        ),
        lines(
            "Champion and challenger",
            "By how much their scores differ on average, on a scale from 0 to 1.",
            "none",
            (f"max by (model) (fraud_canary_divergence{{{_M}}})", "{{model}}"),
            alerts=["CanaryDiverges"],
            limit=above("canary_divergence:ratio"),
        ),
    ]
