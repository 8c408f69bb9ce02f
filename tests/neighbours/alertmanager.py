"""A real Alertmanager with short intervals, alone or as one of a gossiping pair."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from tests.neighbours.processes import (
    NeighbourFailed,
    Process,
    eventually,
    find_program,
    free_port,
    request,
)


def webhook_config(
    *webhooks: str,
    token: str | None = None,
    group_by: Sequence[str] = ("alertname",),
    group_wait: str = "200ms",
    group_interval: str = "1s",
    repeat_interval: str = "1h",
    resolve_timeout: str = "5m",
    max_alerts: int = 0,
    send_resolved: bool = True,
) -> dict[str, Any]:
    """A configuration with one receiver, `plantao`, that posts to every url of `webhooks`.

    `token` is sent as a bearer token; `max_alerts` 0 means no limit; `group_by` may be `["..."]`.
    """
    options: dict[str, Any] = {"max_alerts": max_alerts, "send_resolved": send_resolved}
    if token is not None:
        options["http_config"] = {
            "authorization": {"type": "Bearer", "credentials": token},
        }
    return {
        "global": {"resolve_timeout": resolve_timeout},
        "route": {
            "receiver": "plantao",
            "group_by": list(group_by),
            "group_wait": group_wait,
            "group_interval": group_interval,
            "repeat_interval": repeat_interval,
        },
        "receivers": [
            {"name": "plantao", "webhook_configs": [{"url": url, **options} for url in webhooks]}
        ],
    }


class Alertmanager:
    """A context manager. `config` is YAML text or the same structure; `webhook_config` makes one.

    Without a cluster port it does not gossip.
    """

    def __init__(
        self,
        directory: Path,
        config: str | Mapping[str, Any],
        *,
        cluster_port: int | None = None,
        peers: Sequence[int] = (),
        peer_timeout: str = "1s",
        arguments: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = directory / f"alertmanager-{self.port}"
        self.directory.mkdir(parents=True)
        self.config = config
        self.process = Process(
            [*self._command(), *_cluster(cluster_port, peers, peer_timeout), *arguments],
            log=self.directory / "log",
            cwd=self.directory,
        )

    def _command(self) -> list[str]:
        return [
            find_program("prometheus-alertmanager", "alertmanager"),
            f"--config.file={self.directory / 'alertmanager.yml'}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--web.external-url={self.url}",
        ]

    def _write(self) -> None:
        text = self.config if isinstance(self.config, str) else yaml.safe_dump(dict(self.config))
        (self.directory / "alertmanager.yml").write_text(text)

    def start(self) -> None:
        """Start it, or start it again with the same ports and data after `stop` or `kill`."""
        self._write()
        self.process.start()
        self.process.wait_for_url(f"{self.url}/-/ready")

    def reload(self) -> None:
        """Write `config` anew and have it read; raises when it is refused."""
        self._write()
        request("POST", f"{self.url}/-/reload").raise_for_status()

    def alerts(self, **parameters: str | bool) -> list[dict[str, Any]]:
        """The alerts of `/api/v2/alerts`; `parameters` as there (`active=False`, `filter=…`)."""
        alerts: list[dict[str, Any]] = self.api("GET", "alerts", params=parameters).json()
        return alerts

    def wait_for_alerts(self, count: int = 1, *, within: float = 30.0) -> list[dict[str, Any]]:
        def enough() -> list[dict[str, Any]] | None:
            alerts = self.alerts()
            return alerts if len(alerts) >= count else None

        found = eventually(enough, within=within, what=f"{count} alerts at {self.url}")
        return found or []

    def post_alerts(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Each alert as the API has it: `labels`, and if wished `annotations`, `startsAt`,
        `endsAt`, `generatorURL`. An `endsAt` in the past resolves."""
        self.api("POST", "alerts", json=[dict(alert) for alert in alerts])

    def silence(
        self,
        matchers: Mapping[str, str],
        minutes: float,
        *,
        created_by: str = "tests",
        comment: str = "made by a test",
    ) -> str:
        """Silence what has these labels from now on; the silence's id."""
        now = datetime.now(UTC)
        silence = {
            "matchers": [
                {"name": name, "value": value, "isRegex": False, "isEqual": True}
                for name, value in matchers.items()
            ],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(minutes=minutes)).isoformat(),
            "createdBy": created_by,
            "comment": comment,
        }
        return str(self.api("POST", "silences", json=silence).json()["silenceID"])

    def silences(self) -> list[dict[str, Any]]:
        """Every silence, expired ones included."""
        silences: list[dict[str, Any]] = self.api("GET", "silences").json()
        return silences

    def expire_silence(self, silence_id: str) -> None:
        self.api("DELETE", f"silence/{silence_id}")

    def peers(self) -> int:
        """How many members its cluster has, itself included; 0 without a cluster."""
        return len(self.api("GET", "status").json()["cluster"].get("peers") or [])

    def api(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | bool] | None = None,
        json: object = None,
    ) -> httpx.Response:
        """One request to `/api/v2/{path}`; raises, with its words, when it is refused."""
        response = request(method, f"{self.url}/api/v2/{path}", params=params, json=json)
        if not response.is_success:
            raise NeighbourFailed(f"{method} {path}: {response.status_code} {response.text}")
        return response

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        """Freeze it: connections are accepted by the system and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def restart(self) -> None:
        """Stop it in an orderly way, so that its state is on disk, and start it again."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def alertmanager_pair(
    directory: Path, config: str | Mapping[str, Any], *, peer_timeout: str = "1s"
) -> Iterator[tuple[Alertmanager, Alertmanager]]:
    """Two that gossip with each other and know it.

    One of them (which, is their own choice) lets the other notify first and notifies only what it
    has not heard of after `peer_timeout`.
    """
    ports = (free_port(), free_port())
    first = Alertmanager(
        directory, config, cluster_port=ports[0], peers=[ports[1]], peer_timeout=peer_timeout
    )
    second = Alertmanager(
        directory, config, cluster_port=ports[1], peers=[ports[0]], peer_timeout=peer_timeout
    )
    with first, second:
        eventually(lambda: first.peers() == second.peers() == 2, what="two peers in a cluster")
        yield first, second


def _cluster(port: int | None, peers: Sequence[int], peer_timeout: str) -> list[str]:
    if port is None:
        return ["--cluster.listen-address="]
    return [
        f"--cluster.listen-address=127.0.0.1:{port}",
        f"--cluster.advertise-address=127.0.0.1:{port}",
        *(f"--cluster.peer=127.0.0.1:{peer}" for peer in peers),
        f"--cluster.peer-timeout={peer_timeout}",
        "--cluster.gossip-interval=50ms",
        "--cluster.pushpull-interval=1s",
        "--cluster.settle-timeout=1s",
        "--cluster.reconnect-interval=1s",
    ]
