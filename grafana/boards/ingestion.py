"""Kafka: are the payments coming in, and are they read in time?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import Panel, board, choice
from grafana.boards.limits import ANY, DOWN, Limit, above
from grafana.boards.panels import QUARTER, THIRD, figure, lines

_TOPIC = 'topic=~"$topic"'
_BYTES = f'{_TOPIC},topic!="",topic!~"__.+"'


def make(plantao: str) -> Dashboard:
    return board(
        "ingestion",
        "ingestion",
        "Kafka: rate, errors and duration of payments; brokers, and what weighs on them.",
        {
            "State": _state(),
            "Rate": _rate(),
            "Errors": _errors(),
            "Duration": _duration(),
            "Utilization and saturation": _utilization_and_saturation(),
        },
        choice("topic", "Topic", "kafka_topic_partition_current_offset", "topic"),
        choice("group", "Consumer group", "kafka_consumergroup_lag", "consumergroup"),
        plantao=plantao,
    )


def _state() -> list[Panel]:
    return [
        figure(
            "Brokers that answer",
            "The share of Kafka's nodes that answer Prometheus.",
            "percentunit",
            ('avg(up{job="kafka"})', ""),
            alerts=["KafkaBrokerDown"],
            limit=DOWN,
        ),
        figure(
            "Active controllers",
            "Exactly one is right: without it no leader is elected.",
            "none",
            ("sum(kafka_controller_kafkacontroller_activecontrollercount)", ""),
            alerts=["KafkaNoActiveController"],
            limit=Limit(1, below=True),
        ),
        figure(
            "Offline partitions",
            "Partitions without a leader: nobody can write to them or read from them.",
            "none",
            ("max(kafka_controller_kafkacontroller_offlinepartitionscount)", ""),
            alerts=["KafkaOfflinePartitions"],
            limit=ANY,
        ),
        figure(
            "Partitions under min.insync.replicas",
            "Producers with acks=all are refused there.",
            "none",
            ("sum(kafka_server_replicamanager_underminisrpartitioncount)", ""),
            alerts=["KafkaUnderMinIsr"],
            limit=ANY,
        ),
    ]


def _rate() -> list[Panel]:
    return [
        lines(
            "Messages in",
            "That producers wrote, a second.",
            "cps",
            (f"topic:kafka_messages_in:rate5m{{{_TOPIC}}}", "{{topic}}"),
            (
                f"topic:kafka_messages_in:rate5m{{{_TOPIC}}} offset 1w",
                "{{topic}} a week ago",
            ),
            alerts=["PixIngestionStopped", "PixIngestionDropped"],
        ),
        lines(
            "Bytes in",
            "That producers wrote, a second.",
            "Bps",
            (
                "sum by (topic) (rate(kafka_server_brokertopicmetrics_bytesin_total"
                f"{{{_BYTES}}}[$__rate_interval]))",
                "{{topic}}",
            ),
        ),
    ]


def _errors() -> list[Panel]:
    return [
        lines(
            "Produce errors",
            "Produce requests that brokers answered with an error, a second. MESSAGE_TOO_LARGE is a "
            "payment that never arrives.",
            "reqps",
            (
                "sum by (error) (rate(kafka_network_requestmetrics_errors_total"
                '{request="Produce",error!="NONE"}[5m]))',
                "{{error}}",
            ),
            alerts=["KafkaProduceErrors"],
            limit=above("kafka_produce_errors:per_second"),
        ),
        lines(
            "Partitions not in sync",
            "With fewer replicas in sync than they have. Losing another broker may lose payments.",
            "none",
            (
                "sum by (instance) (kafka_server_replicamanager_underreplicatedpartitions)",
                "{{instance}}",
            ),
            alerts=["KafkaUnderReplicated"],
            limit=ANY,
        ),
    ]


def _duration() -> list[Panel]:
    return [
        lines(
            "Produce requests, 99th percentile",
            "Time in the broker. It keeps its last value when nobody produces.",
            "s",
            (
                "max by (instance) (kafka_network_requestmetrics_totaltimems"
                '{request="Produce",quantile="0.99"}) / 1000',
                "{{instance}}",
            ),
            width=THIRD,
            alerts=["KafkaProduceSlow"],
            limit=above("kafka_produce_p99:seconds"),
        ),
        lines(
            "Delay of consumers",
            "How long what waits now will wait, at the pace of the last 5 minutes.",
            "s",
            (
                f'consumergroup:kafka_delay_seconds:rate5m{{{_TOPIC},consumergroup=~"$group"}}',
                "{{consumergroup}} {{topic}}",
            ),
            width=THIRD,
            alerts=["KafkaConsumerLate"],
            limit=above("kafka_consumer_delay:seconds"),
        ),
        lines(
            "Lag of consumers",
            "Messages that wait. One that stands still has no delay, and this grows.",
            "none",
            (
                f'consumergroup:kafka_lag:sum{{{_TOPIC},consumergroup=~"$group"}}',
                "{{consumergroup}} {{topic}}",
            ),
            width=THIRD,
            alerts=["KafkaConsumerStalled"],
            limit=above("kafka_consumer_stalled:messages"),
        ),
    ]


def _utilization_and_saturation() -> list[Panel]:
    return [
        lines(
            "Processor",
            "Cores that each node uses.",
            "none",
            (
                'rate(process_cpu_seconds_total{job="kafka"}[$__rate_interval])',
                "{{instance}}",
            ),
            width=QUARTER,
        ),
        lines(
            "Heap",
            "Memory that each node's Java uses.",
            "bytes",
            ('jvm_memory_used_bytes{job="kafka",area="heap"}', "{{instance}}"),
            width=QUARTER,
        ),
        lines(
            "Network threads busy",
            "The share of time. Near 1, requests wait before anybody looks at them.",
            "percentunit",
            (
                "1 - kafka_network_socketserver_networkprocessoravgidlepercent",
                "{{instance}}",
            ),
            width=QUARTER,
            most=1,
        ),
        lines(
            "Open files",
            "The share of what the system allows: each log segment and connection is one.",
            "percentunit",
            (
                'process_open_fds{job="kafka"} / process_max_fds{job="kafka"}',
                "{{instance}}",
            ),
            width=QUARTER,
            most=1,
        ),
    ]
