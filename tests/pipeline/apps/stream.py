"""The Spark application: two streaming queries read payments from Kafka and write Delta tables.

    stream.py BROKERS FOLDER UI_PORT JARS

`FOLDER/stream.json` has its orders: for each query its `generation` (another one is a deploy: the
query is stopped and started anew), whether it reads amounts `strict`ly, and for how many
milliseconds it `dawdle`s at each row; `churn` has the executor make garbage.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming import StreamingQuery

from tests.pipeline.apps.orders import Orders

_TOPIC = "pix.transactions"
_PAYMENT = "id STRING, payer STRING, channel STRING, amount STRING, ordered_at DOUBLE"

log = logging.getLogger("stream")


def session(ui_port: str, jars: str) -> SparkSession:
    settings = {
        # A cluster on this machine: its executor is a process of its own, as in production.
        "spark.master": "local-cluster[1,1,640]",
        "spark.executor.memory": "512m",
        "spark.driver.memory": "768m",
        "spark.jars": jars,
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.port": ui_port,
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.executor.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        # A hanging executor is given up after this, and another one started.
        "spark.network.timeout": "60s",
        "spark.executor.heartbeatInterval": "2s",
        # What docs/monitoring.md asks for.
        "spark.metrics.namespace": "pix_fraud",
        "spark.metrics.conf.*.sink.prometheusServlet.class": (
            "org.apache.spark.metrics.sink.PrometheusServlet"
        ),
        "spark.metrics.conf.*.sink.prometheusServlet.path": "/metrics/prometheus",
        "spark.metrics.appStatusSource.enabled": "true",
        "spark.ui.prometheus.enabled": "true",
        "spark.sql.streaming.metricsEnabled": "true",
        "spark.executor.processTreeMetrics.enabled": "true",
    }
    builder = SparkSession.builder.appName("pix-fraud")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class Stream:
    """The queries as they should be, and the making of them so."""

    def __init__(self, spark: SparkSession, brokers: str, folder: Path) -> None:
        self._spark = spark
        self._brokers = brokers
        self._folder = folder
        self._running: dict[str, tuple[int, StreamingQuery]] = {}
        self._make = {"pix_ingest": self._ingest, "pix_features": self._features}

    def follow(self, orders: dict[str, Any]) -> None:
        """Start what is ordered anew. A query that failed stays down until it is deployed."""
        for name, make in self._make.items():
            wanted = orders[name]
            generation, query = self._running.get(name, (0, None))
            if wanted["generation"] == generation:
                continue
            if query is not None:
                _end(query)
            log.info("starting %s, generation %s", name, wanted["generation"])
            self._running[name] = (wanted["generation"], make(name, wanted))

    def _payments(self, *, strict: bool) -> DataFrame:
        source = (
            self._spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", self._brokers)
            .option("subscribe", _TOPIC)
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", "2000")
            .load()
        )
        payment = f.from_json(f.col("value").cast("string"), _PAYMENT).alias("payment")
        # Spark reads numbers strictly by default: text that is none ends the query.
        amount = f.col("amount").cast("double") if strict else f.expr("try_cast(amount AS DOUBLE)")
        return (
            source.select(payment)
            .select("payment.*")
            .withColumn("amount", amount)
            .withColumn("ordered_at", f.timestamp_seconds("ordered_at"))
        )

    def _ingest(self, name: str, wanted: dict[str, Any]) -> StreamingQuery:
        payments = self._payments(strict=wanted["strict"]).coalesce(1)
        return self._write(payments, name, "transactions", wanted, partitioned=["channel"])

    def _features(self, name: str, wanted: dict[str, Any]) -> StreamingQuery:
        habits = (
            self._payments(strict=wanted["strict"])
            .withWatermark("ordered_at", "5 seconds")
            .groupBy(f.window("ordered_at", "10 seconds"), "channel")
            .agg(f.count("*").alias("payments"), f.avg("amount").alias("mean_amount"))
            .select("window.start", "channel", "payments", "mean_amount")
        )
        return self._write(habits, name, "features", wanted)

    def _write(
        self,
        rows: DataFrame,
        name: str,
        table: str,
        wanted: dict[str, Any],
        partitioned: list[str] | None = None,
    ) -> StreamingQuery:
        if wanted["dawdle"]:
            # As a slow store would: the batch waits, on the executor.
            nap = f"java_method('java.lang.Thread', 'sleep', {wanted['dawdle']}L)"
            rows = rows.where(f.expr(f"coalesce({nap}, '') = ''"))  # one that Spark cannot foresee
        writer = (
            rows.writeStream.queryName(name)
            .format("delta")
            .outputMode("append")
            .option("checkpointLocation", str(self._folder / "checkpoints" / name))
            .trigger(processingTime="3 seconds")
        )
        if partitioned:
            writer = writer.partitionBy(*partitioned)
        return writer.start(str(self._folder / "tables" / table))


def _end(query: StreamingQuery) -> None:
    try:
        query.stop()
    except PySparkException as error:
        log.warning("%s: %s", query.name, error)


def churn(spark: SparkSession, orders: Orders) -> None:
    """While it is ordered, have the executor hold and drop more than it has room for."""
    while True:
        if orders.read().get("churn"):
            rows = spark.range(0, 1_500_000, 1, 4).selectExpr("id % 7 AS k", "repeat(id, 12) AS s")
            grouped = rows.groupBy("k").agg(f.sort_array(f.collect_list("s")).alias("all"))
            grouped.selectExpr("sum(size(all))").collect()
        time.sleep(0.5)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    brokers, folder, ui_port, jars = sys.argv[1:]
    spark = session(ui_port, jars)
    orders = Orders(Path(folder) / "stream.json")
    stream = Stream(spark, brokers, Path(folder))
    threading.Thread(target=churn, args=(spark, orders), daemon=True).start()
    while True:
        stream.follow(orders.read())
        time.sleep(0.5)


if __name__ == "__main__":
    main()
