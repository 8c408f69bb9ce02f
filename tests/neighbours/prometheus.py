"""A real Prometheus with short intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from tests.neighbours.processes import Process, eventually, find_program, free_port, request

# Rules as YAML text or as the same structure: {"groups": [{"name": …, "rules": […]}]}.
Rules = str | Mapping[str, Any]


class Prometheus:
    """A context manager. It scrapes and evaluates every second, and repeats a firing alert to
    every Alertmanager each `resend_delay`.

    `targets` maps a job's name to its `host:port` addresses; `rules` is one set of rules, and
    `rule_files` are files used where they are.
    """

    def __init__(
        self,
        directory: Path,
        *,
        targets: Mapping[str, Sequence[str]] | None = None,
        rules: Rules = "",
        rule_files: Sequence[Path] = (),
        alertmanagers: Sequence[str] = (),
        external_labels: Mapping[str, str] | None = None,
        resend_delay: str = "1s",
        interval: str = "1s",
        arguments: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = directory / f"prometheus-{self.port}"
        self.directory.mkdir(parents=True)
        self.targets = dict(targets or {})
        self.rules = rules
        self.rule_files = list(rule_files)
        self.alertmanagers = list(alertmanagers)
        self.external_labels = dict(external_labels or {})
        self.interval = interval
        self.process = Process(
            [*self._command(), f"--rules.alert.resend-delay={resend_delay}", *arguments],
            log=self.directory / "log",
            cwd=self.directory,
        )

    def _command(self) -> list[str]:
        return [
            find_program("prometheus"),
            f"--config.file={self.directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--web.external-url={self.url}/",
            "--web.enable-lifecycle",
        ]

    def config(self) -> dict[str, Any]:
        """The configuration as Prometheus reads it at the next start or reload."""
        return {
            "global": {
                "scrape_interval": self.interval,
                "scrape_timeout": self.interval,
                "evaluation_interval": self.interval,
                "external_labels": self.external_labels,
            },
            "rule_files": [str(self.directory / "rules.yml"), *map(str, self.rule_files)],
            "alerting": {"alertmanagers": [_alertmanager(url) for url in self.alertmanagers]},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
                for job, addresses in self.targets.items()
            ],
        }

    def _write(self) -> None:
        rules = self.rules if isinstance(self.rules, str) else _yaml(self.rules)
        (self.directory / "rules.yml").write_text(rules)
        (self.directory / "prometheus.yml").write_text(_yaml(self.config()))

    def start(self) -> None:
        """Start it, or start it again with the same port and data after `stop` or `kill`."""
        self._write()
        self.process.start()
        self.process.wait_for_url(f"{self.url}/-/ready")

    def reload(self) -> None:
        """Write the configuration and rules anew and have them read; raises when refused."""
        self._write()
        request("POST", f"{self.url}/-/reload").raise_for_status()

    def query(self, expr: str) -> dict[tuple[tuple[str, str], ...], float]:
        """An instant query: the value of each series, by its sorted (label, value) pairs."""
        data = self.api("query", query=expr)
        if data["resultType"] == "scalar":
            return {(): float(data["result"][1])}
        return {
            tuple(sorted(series["metric"].items())): float(series["value"][1])
            for series in data["result"]
        }

    def value(self, expr: str) -> float | None:
        """The value of the one series that `expr` finds, or None for no series."""
        values = list(self.query(expr).values())
        if len(values) > 1:
            raise ValueError(f"{expr} finds {len(values)} series")
        return values[0] if values else None

    def wait_for(self, expr: str, *, within: float = 30.0) -> float:
        """Wait until `expr` finds something; the first value."""
        found = eventually(lambda: self.query(expr), within=within, what=expr)
        return next(iter(found.values()))

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts as Prometheus sees them now, pending ones included."""
        alerts: list[dict[str, Any]] = self.api("alerts")["alerts"]
        return alerts

    def api(self, path: str, **parameters: str) -> dict[str, Any]:
        """The `data` of a GET of `/api/v1/{path}`."""
        response = request("GET", f"{self.url}/api/v1/{path}", params=parameters)
        data: dict[str, Any] = response.raise_for_status().json()["data"]
        return data

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        """Freeze it: connections are accepted by the system and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _alertmanager(url: str) -> dict[str, Any]:
    scheme, _, address = url.partition("://")
    return {"scheme": scheme, "static_configs": [{"targets": [address.rstrip("/")]}]}


def _yaml(data: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)
    return text
