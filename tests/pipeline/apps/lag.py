"""What kafka_exporter tells of consumer groups, topics and brokers, under the same names.

kafka_exporter itself is a Go program that not every place can fetch; this asks the cluster the same
questions at each scrape, with librdkafka.

    lag.py BROKERS PORT
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import make_server

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_SECONDS = 2.0  # for each question: within a scrape's time-out
_Place = tuple[str, int]  # topic, partition


class Cluster:
    """The answers of the brokers, plain."""

    def __init__(self, brokers: str) -> None:
        self._settings = {"bootstrap.servers": brokers, "log_level": 2}
        self._admin = AdminClient(self._settings)
        self._consumers: dict[str, Consumer] = {}

    def metadata(self) -> Any:
        return self._admin.list_topics(timeout=_SECONDS)

    def ends(self, places: list[_Place], spec: OffsetSpec) -> dict[_Place, int]:
        """The first or next offset of each partition that has a leader."""
        asked = self._admin.list_offsets(
            {TopicPartition(*place): spec for place in places}, request_timeout=_SECONDS
        )
        found = {}
        for place, answer in asked.items():
            if answer.exception(timeout=_SECONDS) is None:
                found[place.topic, place.partition] = answer.result().offset
        return found

    def groups(self) -> list[str]:
        listed = self._admin.list_consumer_groups(request_timeout=_SECONDS).result(_SECONDS)
        return [group.group_id for group in listed.valid]

    def members(self, groups: list[str]) -> dict[str, int]:
        asked = self._admin.describe_consumer_groups(groups, request_timeout=_SECONDS)
        return {
            name: len(answer.result().members)
            for name, answer in asked.items()
            if answer.exception(timeout=_SECONDS) is None
        }

    def committed(self, group: str, places: list[_Place]) -> dict[_Place, int]:
        """Asked as a consumer that never joins: AdminClient.list_consumer_group_offsets ends the
        whole process where the group's coordinator has moved (librdkafka's rd_kafka_cgrp_op)."""
        try:
            answers = self._consumer(group).committed(
                [TopicPartition(*place) for place in places], timeout=_SECONDS
            )
        except KafkaException:
            return {}
        return {(each.topic, each.partition): each.offset for each in answers if each.offset >= 0}

    def _consumer(self, group: str) -> Consumer:
        if group not in self._consumers:
            settings = {**self._settings, "group.id": group, "enable.auto.commit": False}
            self._consumers[group] = Consumer(settings)
        return self._consumers[group]


class LagMetrics(Collector):
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def collect(self) -> Iterator[GaugeMetricFamily]:
        metadata = self._cluster.metadata()
        brokers = GaugeMetricFamily("kafka_brokers", "Brokers in the cluster.")
        brokers.add_metric([], len(metadata.brokers))
        yield brokers
        yield from _partitions(metadata)
        places = [
            (topic, number)
            for topic, described in metadata.topics.items()
            for number, partition in described.partitions.items()
            if partition.leader >= 0
        ]
        ends = self._cluster.ends(places, OffsetSpec.latest())
        yield _by_place("kafka_topic_partition_current_offset", "Next offset.", ends)
        oldest = self._cluster.ends(places, OffsetSpec.earliest())
        yield _by_place("kafka_topic_partition_oldest_offset", "First offset.", oldest)
        yield from self._groups(places, ends)

    def _groups(self, places: list[_Place], ends: dict[_Place, int]) -> Iterator[GaugeMetricFamily]:
        of = ["consumergroup", "topic", "partition"]
        offset = GaugeMetricFamily(
            "kafka_consumergroup_current_offset", "Offset committed.", labels=of
        )
        lag = GaugeMetricFamily("kafka_consumergroup_lag", "Messages not yet read.", labels=of)
        members = GaugeMetricFamily(
            "kafka_consumergroup_members", "Members of a group.", labels=["consumergroup"]
        )
        groups = self._cluster.groups()
        for group in groups:
            for (topic, number), at in self._cluster.committed(group, places).items():
                labels = [group, topic, str(number)]
                offset.add_metric(labels, at)
                if (topic, number) in ends:
                    lag.add_metric(labels, ends[topic, number] - at)
        if groups:
            for group, count in self._cluster.members(groups).items():
                members.add_metric([group], count)
        yield from (offset, lag, members)


def _partitions(metadata: Any) -> Iterator[GaugeMetricFamily]:
    def gauge(name: str, told: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            f"kafka_topic_partition_{name}", told, labels=["topic", "partition"]
        )

    leader = gauge("leader", "Broker that leads; -1 without.")
    replicas = gauge("replicas", "Replicas that should be.")
    in_sync = gauge("in_sync_replica", "Replicas in sync.")
    under = gauge("under_replicated_partition", "1 with fewer in sync than there should be.")
    for topic, described in metadata.topics.items():
        for number, partition in described.partitions.items():
            labels = [topic, str(number)]
            leader.add_metric(labels, partition.leader)
            replicas.add_metric(labels, len(partition.replicas))
            in_sync.add_metric(labels, len(partition.isrs))
            under.add_metric(labels, int(len(partition.isrs) < len(partition.replicas)))
    yield from (leader, replicas, in_sync, under)


def _by_place(name: str, told: str, values: dict[_Place, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=["topic", "partition"])
    for (topic, number), value in values.items():
        family.add_metric([topic, str(number)], value)
    return family


def main() -> None:
    brokers, port = sys.argv[1:]
    registry = CollectorRegistry()
    # Without auto_describe: registering must not ask a cluster that may not be there yet.
    registry.register(LagMetrics(Cluster(brokers)))
    server = make_server("127.0.0.1", int(port), make_wsgi_app(registry))
    server.serve_forever()


if __name__ == "__main__":
    main()
