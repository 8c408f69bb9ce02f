"""A real Kafka: two brokers in KRaft mode, each process with the JMX exporter's
agent in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.neighbours.processes import NeighbourFailed, Process, answers, free_port
from tests.pipeline.neighbours.installed import REPOSITORY, jars, java

_CLUSTER = "cGxhbnRhby10ZXN0cy0wMQ"  # 16 bytes in base64, as Kafka wants its cluster's id
_HEAP = "-Xmx256m"
_RULES = REPOSITORY / "prometheus/jmx/kafka.yml"
_SECONDS = 600.0  # to start: ten on a machine at rest

_BROKER = {
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "message.max.bytes": 200_000,
    "offsets.topic.num.partitions": 4,
    "offsets.topic.replication.factor": 2,
    "group.initial.rebalance.delay.ms": 0,
    "num.io.threads": 2,
    "num.network.threads": 2,
    "log.cleaner.enable": "false",
    # A dead broker is missed within seconds, and leads again soon after it is back.
    "broker.session.timeout.ms": 6_000,
    "broker.heartbeat.interval.ms": 1_000,
    "replica.lag.time.max.ms": 6_000,
    "leader.imbalance.check.interval.seconds": 5,
}

_LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
"""


class Node:
    """One process of the cluster. `controllers` are the nodes that vote, by their address there."""

    def __init__(
        self, directory: Path, *, node: int, roles: Sequence[str], controllers: Mapping[int, str]
    ) -> None:
        self.node = node
        self.port = free_port()
        self.metrics = f"127.0.0.1:{free_port()}"
        self.address = f"127.0.0.1:{self.port}"
        self.directory = directory / f"kafka-{node}"
        self.directory.mkdir(parents=True)
        self._properties = self.directory / "server.properties"
        self._properties.write_text(self._settings(roles, controllers))
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        self.process = Process(
            [*self._java(self._agent()), "kafka.Kafka", self._properties],
            log=self.directory / "log",
            cwd=self.directory,
        )

    def _settings(self, roles: Sequence[str], controllers: Mapping[int, str]) -> str:
        listeners = {"broker": f"PLAINTEXT://{self.address}"}
        if "controller" in roles:
            listeners["controller"] = f"CONTROLLER://{controllers[self.node]}"
        voters = (f"{node}@{address}" for node, address in controllers.items())
        settings = {
            "process.roles": ",".join(roles),
            "node.id": self.node,
            "controller.quorum.voters": ",".join(voters),
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(listeners[role] for role in roles),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.directory / "data",
            **(_BROKER if "broker" in roles else {}),
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _agent(self) -> str:
        [agent] = jars("agent")
        return f"-javaagent:{agent}={self.metrics}:{_RULES}"

    def _java(self, *options: str) -> list[str]:
        path = ":".join(map(str, jars("kafka")))
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        light = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", _HEAP, logging)
        return [java(), *options, *light, "-cp", path]

    def format(self) -> Process:
        """Begin to make its directory of data; it is done when the process ends."""
        formatting = Process(
            [
                *self._java(),
                "kafka.tools.StorageTool",
                "format",
                *("-t", _CLUSTER),
                *("-c", self._properties),
            ],
            log=self.directory / "format.log",
        )
        formatting.start()
        return formatting

    def start(self) -> None:
        """Start it again with the same ports and data after `stop` or `kill`."""
        self.process.start()
        self.wait()

    def wait(self) -> None:
        """Wait until it answers; its agent does as soon as the process is up."""
        self.process.wait_until(
            lambda: answers(f"http://{self.metrics}/-/healthy"), within=_SECONDS
        )

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()


class Kafka:
    """A context manager: two brokers, and three controllers, of which two must live.

    The first node is broker and controller, the second too, the third is a controller alone: so
    the second can be killed without the cluster losing its head, and with the third it does.
    """

    def __init__(self, directory: Path) -> None:
        controllers = {node: f"127.0.0.1:{free_port()}" for node in (1, 2, 3)}

        def node(number: int, *roles: str) -> Node:
            return Node(directory, node=number, roles=roles, controllers=controllers)

        self.first = node(1, "broker", "controller")
        self.second = node(2, "broker", "controller")
        self.third = node(3, "controller")
        self.nodes = (self.first, self.second, self.third)
        self.addresses = f"{self.first.address},{self.second.address}"

    def start(self) -> None:
        for formatting in [node.format() for node in self.nodes]:
            if formatting.wait(within=_SECONDS):
                raise NeighbourFailed(formatting.log_text())
        for node in self.nodes:
            node.process.start()
        for node in self.nodes:
            node.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()
