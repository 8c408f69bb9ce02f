"""Faults of Kafka, and of those who write to it and read from it."""

from __future__ import annotations

from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import Town


class BrokerKilled(Fault):
    how = "a broker of two is killed (SIGKILL)"
    mended = "the broker is started again"
    alerts = (
        "KafkaBrokerDown",
        "KafkaOfflinePartitions",
        "KafkaUnderMinIsr",
        "KafkaUnderReplicated",
    )

    def provoke(self, town: Town) -> None:
        town.kafka.second.kill()

    def repair(self, town: Town) -> None:
        town.kafka.second.start()


class ControllersLost(Fault):
    how = "two of three controllers are killed: the quorum is lost"
    mended = "both are started again"
    alerts = ("KafkaNoActiveController",)

    def provoke(self, town: Town) -> None:
        town.kafka.third.kill()
        town.kafka.second.kill()

    def repair(self, town: Town) -> None:
        town.kafka.third.process.start()
        town.kafka.second.start()
        town.kafka.third.wait()


class MessagesTooLarge(Fault):
    how = "a producer sends messages larger than the broker takes"
    mended = "the producer stops"
    alerts = ("KafkaProduceErrors",)

    def provoke(self, town: Town) -> None:
        town.customers.change(oversized=True)

    def repair(self, town: Town) -> None:
        town.customers.change(oversized=False)


class ScorerFrozen(Fault):
    how = "the consumer `fraud-scorer` is frozen (SIGSTOP)"
    mended = "it goes on"
    alerts = ("KafkaConsumerStalled", "ScoringStopped")

    def provoke(self, town: Town) -> None:
        town.scorer.pause()

    def repair(self, town: Town) -> None:
        town.scorer.resume()


class CustomersGone(Fault):
    how = "the producer is frozen (SIGSTOP): nothing comes in"
    mended = "it goes on"
    alerts = ("PixIngestionStopped",)

    def provoke(self, town: Town) -> None:
        town.generator.pause()

    def repair(self, town: Town) -> None:
        town.generator.resume()


class CustomersFew(Fault):
    how = "the producer sends a fifth of its usual rate"
    mended = "it sends as usual"
    alerts = ("PixIngestionDropped",)

    def provoke(self, town: Town) -> None:
        town.customers.change(rate=3)

    def repair(self, town: Town) -> None:
        town.customers.change(rate=15)
