"""What watches: Plantão itself, Prometheus and Alertmanager."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board
from grafana.boards.limits import ANY, DOWN, above
from grafana.boards.panels import HALF, THIRD, figure, lines

_FIRST = "plantao_first_message_seconds_bucket"


def make(plantao: str) -> Dashboard:
    return board(
        "service",
        "Plantão",
        "The way of an alert: Prometheus, Alertmanager, Plantão, and the messages it becomes.",
        {
            "State": _state(),
            "Webhooks": _webhooks(),
            "Messages": _messages(),
            "People, over seven days": _people(),
            "Slack and the loops": _slack_and_the_loops(),
            "Prometheus and Alertmanager": _prometheus_and_alertmanager(),
            "Utilization": _utilization(),
        },
        plantao=plantao,
    )


def _state() -> list[Panel]:
    return [
        figure(
            "Plantão",
            "The share of its processes that answer Prometheus.",
            "percentunit",
            ('avg(up{job="plantao"})', ""),
            alerts=["PlantaoDown", "AlertUnheard"],
            limit=DOWN,
        ),
        figure(
            "Alerts wait",
            "The age of the oldest webhook when it was last applied.",
            "s",
            ("max(plantao_ingest_lag_seconds)", ""),
            alerts=["PlantaoIngestLate"],
            limit=above("plantao_ingest_lag:seconds"),
        ),
        figure(
            "Configuration of Prometheus",
            "1 while the file on disk is the one in force.",
            "none",
            ("min(prometheus_config_last_reload_successful)", ""),
            alerts=["PrometheusConfigReloadFailed"],
            limit=DOWN,
        ),
        figure(
            "Sources of context at rest",
            "That are not asked because they were down: messages lack what they would say.",
            "none",
            ("sum(plantao_source_resting) or vector(0)", ""),
            limit=ANY,
        ),
    ]


def _webhooks() -> list[Panel]:
    return [
        lines(
            "Received",
            "Webhooks stored, a minute; one in quarantine could not be read.",
            "cpm",
            ("60 * sum by (state) (rate(plantao_receipts_total[5m]))", "{{state}}"),
            width=THIRD,
        ),
        lines(
            "Refused",
            "Within 5 minutes, by reason. What they told may not be known.",
            "none",
            (
                "sum by (reason) (increase(plantao_receipts_refused_total[5m]))",
                "{{reason}}",
            ),
            width=THIRD,
            alerts=["PlantaoReceiptsRefused"],
            limit=ANY,
        ),
        lines(
            "Alerts applied",
            "To incidents, a minute.",
            "cpm",
            ("60 * sum(rate(plantao_ingested_alerts_total[5m]))", "alerts"),
            width=THIRD,
        ),
    ]


def _messages() -> list[Panel]:
    return [
        lines(
            "First message",
            "From an incident's opening to its first message: half are sooner, one in twenty is later.",
            "s",
            (
                f"histogram_quantile(0.5, sum by (le, transport) (rate({_FIRST}[30m])))",
                "{{transport}} median",
            ),
            (
                f"histogram_quantile(0.95, sum by (le, transport) (rate({_FIRST}[30m])))",
                "{{transport}} 95th",
            ),
            width=THIRD,
        ),
        lines(
            "Postings",
            "Messages by transport and state: what fails for long reaches nobody.",
            "none",
            ("sum by (transport, state) (plantao_postings)", "{{transport}} {{state}}"),
            width=THIRD,
        ),
        lines(
            "Calls to neighbours that failed",
            "By neighbour and outcome, a minute.",
            "cpm",
            (
                "60 * sum by (neighbour, outcome)"
                ' (rate(plantao_neighbour_calls_total{outcome!="ok"}[5m]))',
                "{{neighbour}} {{outcome}}",
            ),
            width=THIRD,
        ),
    ]


def _people() -> list[Panel]:
    return [
        lines(
            "Time to acknowledge",
            "From an incident's opening to the first acknowledgement.",
            "s",
            (
                "max without (instance) (plantao_time_to_acknowledge_seconds)",
                "{{severity}} {{quantile}}",
            ),
            width=THIRD,
        ),
        lines(
            "Time to resolve",
            "From an incident's opening to its last end.",
            "s",
            (
                "max without (instance) (plantao_time_to_resolve_seconds)",
                "{{severity}} {{quantile}}",
            ),
            width=THIRD,
        ),
        lines(
            "Noise",
            "Of the incidents opened, by kind: alerts that nobody needed to be woken for.",
            "none",
            ("max without (instance) (plantao_noise)", "{{kind}}"),
            width=THIRD,
        ),
    ]


def _slack_and_the_loops() -> list[Panel]:
    return [
        lines(
            "What people do in Slack",
            "Requests by outcome, a minute.",
            "cpm",
            (
                "60 * sum by (kind, outcome) (rate(plantao_slack_requests_total[5m]))",
                "{{kind}} {{outcome}}",
            ),
            width=THIRD,
        ),
        lines(
            "Asked for and not done",
            "Within 5 minutes, by reason.",
            "none",
            (
                "sum by (reason) (increase(plantao_slack_failures_total[5m]))",
                "{{reason}}",
            ),
            width=THIRD,
        ),
        lines(
            "Failures of a loop",
            "Within 5 minutes. Any is a bug: please report it.",
            "none",
            ("sum by (loop) (increase(plantao_loop_failures_total[5m]))", "{{loop}}"),
            width=THIRD,
        ),
    ]


def _prometheus_and_alertmanager() -> list[Panel]:
    return [
        lines(
            "Alerts that Alertmanager did not take",
            "The share of those that Prometheus sent.",
            "percentunit",
            (
                "sum by (alertmanager) (rate(prometheus_notifications_errors_total[5m]))"
                " / sum by (alertmanager) (rate(prometheus_notifications_sent_total[5m]))",
                "{{alertmanager}}",
            ),
            width=THIRD,
            alerts=["PrometheusNotifierErrors"],
            limit=above("notification_errors:ratio"),
        ),
        lines(
            "Notifications that failed",
            "The share of Alertmanager's, by integration; Plantão is a webhook.",
            "percentunit",
            (
                "sum by (integration) (rate(alertmanager_notifications_failed_total[5m]))"
                " / sum by (integration) (rate(alertmanager_notifications_total[5m]))",
                "{{integration}}",
            ),
            width=THIRD,
            alerts=["AlertmanagerNotificationsFailing"],
            limit=above("notification_errors:ratio"),
        ),
        lines(
            "Rules that failed",
            "Evaluations within 5 minutes: their alerts cannot fire.",
            "none",
            (
                "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[5m]))",
                "{{rule_group}}",
            ),
            width=THIRD,
            alerts=["PrometheusRuleFailing"],
            limit=ANY,
        ),
    ]


def _utilization() -> list[Panel]:
    return [
        lines(
            "Processor",
            "Cores that each process uses.",
            "none",
            (
                'rate(process_cpu_seconds_total{job=~"plantao|prometheus|alertmanager"}'
                "[$__rate_interval])",
                "{{job}} {{instance}}",
            ),
            width=HALF,
        ),
        lines(
            "Memory",
            "That each process uses.",
            "bytes",
            (
                'process_resident_memory_bytes{job=~"plantao|prometheus|alertmanager"}',
                "{{job}} {{instance}}",
            ),
            width=HALF,
        ),
    ]
