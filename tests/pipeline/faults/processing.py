"""Faults of the Spark application."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import Town


class PoisonedQueries(Fault):
    how = "a payment whose amount is no number ends both queries, after each task failed four times"
    mended = "the producer stops, and the queries are deployed with a reading that passes over it"
    alerts = ("SparkQueryGone", "SparkTasksFailing", "FeatureStale", "DeltaCommitsStopped")

    def provoke(self, town: Town) -> None:
        town.customers.change(poison=True)

    def repair(self, town: Town) -> None:
        town.customers.change(poison=False)
        for query in ("pix_ingest", "pix_features"):
            town.deploy(query, strict=False)


class SlowBatches(Fault):
    how = "both queries wait on a slow store, 80 ms for each row"
    mended = "the queries are deployed as they were"
    alerts = ("SparkBatchSlow", "SparkTasksSlow", "SparkQueryFallingBehind")

    def provoke(self, town: Town) -> None:
        for query in ("pix_ingest", "pix_features"):
            town.deploy(query, dawdle=80)

    def repair(self, town: Town) -> None:
        for query in ("pix_ingest", "pix_features"):
            town.deploy(query, dawdle=0)


class ExecutorFrozen(Fault):
    how = "the executor gets no CPU (SIGSTOP)"
    mended = "it gets it again"
    alerts = ("SparkQueryStalled", "SparkWatermarkLate")

    def provoke(self, town: Town) -> None:
        self.pid = executor(town)
        os.kill(self.pid, signal.SIGSTOP)

    def repair(self, town: Town) -> None:
        os.kill(self.pid, signal.SIGCONT)


class ExecutorStarved(Fault):
    how = "a job makes the executor hold more than its heap has room for"
    mended = "the job ends"
    alerts = ("SparkExecutorGcHigh",)

    def provoke(self, town: Town) -> None:
        town.streams.change(churn=True)

    def repair(self, town: Town) -> None:
        town.streams.change(churn=False)


class DriverKilled(Fault):
    how = "the driver is killed (SIGKILL)"
    mended = "the application is started again"
    alerts = ("SparkDriverDown",)

    def provoke(self, town: Town) -> None:
        town.spark.kill()

    def repair(self, town: Town) -> None:
        town.spark.start()


def executor(town: Town) -> int:
    """The process of the application's executor: a JVM in the driver's process group."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        own = os.getpgid(int(folder.name)) == town.spark.pid
        if own and b"CoarseGrainedExecutorBackend" in command:
            return int(folder.name)
    raise AssertionError("the application has no executor")
