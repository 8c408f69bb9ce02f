"""The first look at night: are the objectives kept, what is open, what serves, what changed?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import ANY, DOWN, Limit, above
from grafana.boards.panels import QUARTER, THIRD, WHOLE, figure, lines, listing

_FIRING = 'ALERTS{alertstate="firing",alertname!="Watchdog"}'
_BURNS = ("ScoringBudgetBurnsFast", "ScoringBudgetBurnsSlowly")
_PIX_BURNS = ("PixBudgetBurnsFast", "PixBudgetBurnsSlowly")
_BURNING = Limit(14.4)  # the alerts' own number: a fiftieth of a month's budget in an hour


def make(plantao: str) -> Dashboard:
    return board(
        "overview",
        "overview",
        "Objectives, open alerts, the models that serve, and what was changed.",
        {
            "Objectives": [*_objectives(), *_spending()],
            "Open": _open(),
            "What serves, and what changed": _what_serves_and_what_changed(),
            "The pipeline": _the_pipeline(),
        },
        choice("model", "Model", "fraud_model_info", "model"),
        plantao=plantao,
    )


def _objectives() -> list[Panel]:
    return [
        figure(
            "Scores: budget left",
            "99 % of scores within 200 ms. What is left of the 1 % that may be slower, over 28 days "
            "or as far back as Prometheus keeps data. Below 0 the objective is missed.",
            "percentunit",
            (
                "1 - (1 - sum by (model) (increase(fraud_scoring_duration_seconds_bucket"
                '{le="0.2",model=~"$model"}[28d])) / sum by (model) (increase('
                'fraud_scoring_duration_seconds_count{model=~"$model"}[28d])))'
                " / scalar(threshold:scoring_budget:ratio)",
                "{{model}}",
            ),
            alerts=_BURNS,
            limit=Limit(0, below=True),
            width=QUARTER,
            decimals=0,
        ),
        figure(
            "Pix: budget left",
            "99.9 % of Pix within 10 s from end to end. What is left of the 0.1 %, over 28 days "
            "or as far back as Prometheus keeps data.",
            "percentunit",
            (
                '1 - (1 - sum(increase(pix_end_to_end_seconds_bucket{le=~"10|10.0"}[28d]))'
                " / sum(increase(pix_end_to_end_seconds_count[28d])))"
                " / scalar(threshold:end_to_end_budget:ratio)",
                "",
            ),
            alerts=_PIX_BURNS,
            limit=Limit(0, below=True),
            decimals=0,
        ),
        figure(
            "Scoring, 99th percentile",
            "The slowest hundredth of scores over the last 5 minutes takes this or more.",
            "s",
            ('model:fraud_scoring_p99_seconds:rate5m{model=~"$model"}', "{{model}}"),
            alerts=["ScoringSlow"],
            limit=above("scoring_p99:seconds"),
        ),
        figure(
            "Pix, 99th percentile",
            "From the order to its answer, over the last 5 minutes.",
            "s",
            (
                "histogram_quantile(0.99, sum by (le) (rate(pix_end_to_end_seconds_bucket[5m])))",
                "",
            ),
            alerts=_PIX_BURNS,
        ),
    ]


def _spending() -> list[Panel]:
    return [
        lines(
            "How fast the budget for slow scores is spent",
            "1 spends a month's budget in a month. Fast is 14.4 over an hour, slow 1 over three days.",
            "none",
            ('model:scoring_budget_burn:rate5m{model=~"$model"}', "{{model}} 5m"),
            ('model:scoring_budget_burn:rate1h{model=~"$model"}', "{{model}} 1h"),
            ('model:scoring_budget_burn:rate3d{model=~"$model"}', "{{model}} 3d"),
            alerts=_BURNS,
            limit=_BURNING,
        ),
        lines(
            "How fast the budget for slow Pix is spent",
            "1 spends a month's budget in a month. Fast is 14.4 over an hour, slow 1 over three days.",
            "none",
            ("pix:end_to_end_budget_burn:rate5m", "5m"),
            ("pix:end_to_end_budget_burn:rate1h", "1h"),
            ("pix:end_to_end_budget_burn:rate3d", "3d"),
            alerts=_PIX_BURNS,
            limit=_BURNING,
        ),
    ]


def _open() -> list[Panel]:
    return [
        figure(
            "Open incidents",
            "That Plantão has, by what people have done about them.",
            "none",
            (
                "sum by (status) (max without (instance) (plantao_incidents)) or on () vector(0)",
                "{{status}}",
            ),
            limit=ANY,
        ),
        figure(
            "Alerts by severity",
            "Alerts that fire now, Watchdog left out.",
            "none",
            (f"sum by (severity) ({_FIRING}) or on () vector(0)", "{{severity}}"),
            limit=ANY,
        ),
        figure(
            "Watchdog",
            "1 while it fires, as it always should: else no alert may arrive.",
            "none",
            ('sum(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)', ""),
            alerts=["Watchdog"],
            limit=DOWN,
        ),
        figure(
            "Messages that fail",
            "Messages about incidents that Plantão cannot deliver now.",
            "none",
            ('sum(plantao_postings{state="failing"}) or vector(0)', ""),
            limit=ANY,
        ),
        listing(
            "Firing now",
            "Every alert that fires, by component. Alertmanager may mute some of them.",
            f"sum by (alertname, component, severity) ({_FIRING})",
            "alertname",
            "component",
            "severity",
            value="alerts",
            width=WHOLE,
        ),
    ]


def _what_serves_and_what_changed() -> list[Panel]:
    return [
        listing(
            "Versions in service",
            "What each scoring process says that it has loaded.",
            'count by (model, alias, version, instance) (fraud_model_info{model=~"$model"})',
            "model",
            "alias",
            "version",
            "instance",
            alerts=["ChampionNotServed"],
        ),
        listing(
            "Aliases in the registry",
            "What should be served.",
            'count by (model, alias, version) (mlflow_model_alias_info{model=~"$model"})',
            "model",
            "alias",
            "version",
            alerts=["ChampionAliasMissing"],
        ),
        listing(
            "Last commits",
            "Of each table and operation. OPTIMIZE, RESTORE and the like are changes at Plantão, too.",
            "delta_last_commit_timestamp_seconds * 1000",
            "table",
            "operation",
            value="committed",
            unit="dateTimeFromNow",
        ),
        listing(
            "Last starts",
            "When each process started that tells it.",
            "process_start_time_seconds * 1000",
            "job",
            "instance",
            value="started",
            unit="dateTimeFromNow",
        ),
    ]


def _the_pipeline() -> list[Panel]:
    return [
        lines(
            "Payments in",
            "Messages that producers wrote to Kafka, a second.",
            "cps",
            ("topic:kafka_messages_in:rate5m", "{{topic}}"),
            width=THIRD,
            alerts=["PixIngestionStopped", "PixIngestionDropped"],
        ),
        lines(
            "Rows processed",
            "By each of Spark's streaming queries, a second.",
            "cps",
            ("spark_streaming_processing_rows_per_second", "{{query}}"),
            width=THIRD,
        ),
        lines(
            "Scores",
            "Requests to the scoring service, a second.",
            "reqps",
            ('model:fraud_scoring:rate5m{model=~"$model"}', "{{model}}"),
            width=THIRD,
            alerts=["ScoringStopped"],
        ),
        lines(
            "Targets that answer Prometheus",
            "The share of each job's targets. Below 1, some are down.",
            "percentunit",
            ("avg by (job) (up)", "{{job}}"),
            limit=DOWN,
            width=WHOLE,
            most=1,
            alerts=["TargetDown"],
        ),
    ]
