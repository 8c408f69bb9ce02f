"""A real Kafka: two brokers in KRaft mode, each with the JMX exporter's agent in it."""

import subprocess
from pathlib import Path
from typing import Self

from tests.neighbours.processes import NeighbourFailed, Process, free_port, listens
from tests.pipeline.neighbours.installed import REPOSITORY, jars, java

_CLUSTER = "cGxhbnRhby10ZXN0cy0wMQ"  # 16 bytes in base64, as Kafka wants its cluster's id
_HEAP = "-Xmx256m"
_RULES = REPOSITORY / "prometheus/jmx/kafka.yml"
_START_SECONDS = 120.0

_LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
"""


class Broker:
    """One node. The first is the cluster's controller too, so that the second can be killed
    without the cluster losing its head."""

    def __init__(self, directory: Path, *, node: int, controller: int, heads: bool) -> None:
        self.node = node
        self.port = free_port()
        self.metrics = f"127.0.0.1:{free_port()}"
        self.address = f"127.0.0.1:{self.port}"
        self.directory = directory / f"kafka-{node}"
        self.directory.mkdir(parents=True)
        self._properties = self.directory / "server.properties"
        self._properties.write_text(self._settings(controller, heads=heads))
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        self.process = Process(
            [*self._java(self._agent()), "kafka.Kafka", self._properties],
            log=self.directory / "log",
            cwd=self.directory,
        )

    def _settings(self, controller: int, *, heads: bool) -> str:
        own = f"PLAINTEXT://{self.address}"
        heading = f",CONTROLLER://127.0.0.1:{controller}" if heads else ""
        return "\n".join(
            f"{name}={value}"
            for name, value in {
                "process.roles": "broker,controller" if heads else "broker",
                "node.id": self.node,
                "controller.quorum.voters": f"1@127.0.0.1:{controller}",
                "controller.listener.names": "CONTROLLER",
                "listeners": own + heading,
                "advertised.listeners": own,
                "inter.broker.listener.name": "PLAINTEXT",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "log.dirs": self.directory / "data",
                "auto.create.topics.enable": "false",
                "offsets.topic.num.partitions": 4,
                "offsets.topic.replication.factor": 2,
                "group.initial.rebalance.delay.ms": 0,
                "num.io.threads": 2,
                "num.network.threads": 2,
                "log.cleaner.enable": "false",
                # A dead broker is missed within seconds.
                "broker.session.timeout.ms": 3_000,
                "broker.heartbeat.interval.ms": 500,
                "replica.lag.time.max.ms": 4_000,
                "leader.imbalance.check.interval.seconds": 5,
            }.items()
        )

    def _agent(self) -> str:
        [agent] = jars("agent")
        return f"-javaagent:{agent}={self.metrics}:{_RULES}"

    def _java(self, *options: str) -> list[str]:
        path = ":".join(map(str, jars("kafka")))
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        light = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", _HEAP, logging)
        return [java(), *options, *light, "-cp", path]

    def start(self) -> None:
        """Start it, or start it again with the same ports and data after `stop` or `kill`."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        if not (self.directory / "data").exists():
            self._format()
        self.process.start()

    def wait(self) -> None:
        self.process.wait_until(lambda: listens(self.port), within=_START_SECONDS)

    def _format(self) -> None:
        command = [
            *self._java(),
            "kafka.tools.StorageTool",
            "format",
            *("-t", _CLUSTER),
            *("-c", str(self._properties)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NeighbourFailed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()


class Kafka:
    """A context manager: the cluster of two."""

    def __init__(self, directory: Path) -> None:
        controller = free_port()
        self.first = Broker(directory, node=1, controller=controller, heads=True)
        self.second = Broker(directory, node=2, controller=controller, heads=False)
        self.brokers = (self.first, self.second)
        self.addresses = ",".join(broker.address for broker in self.brokers)

    def start(self) -> None:
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for broker in reversed(self.brokers):
            broker.stop()
