"""`plantao exporter`, as Prometheus and the service see it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.cli.shell import COMMAND, REPOSITORY, Shell, environment
from tests.exporters.tables import write
from tests.neighbours.mlflow import Mlflow
from tests.neighbours.processes import Process, eventually, find_program, free_port, request
from tests.neighbours.prometheus import Prometheus
from tests.service import Service


@contextmanager
def exporter(directory: Path, section: dict[str, object], **settings: str) -> Iterator[str]:
    """The process, with this section of plantao.yml; its address."""
    port = free_port()
    (directory / "exporter.yml").write_text(yaml.safe_dump({"exporter": section}))
    process = Process(
        [*COMMAND, "exporter", "--config", "exporter.yml", "--port", str(port)],
        log=directory / "exporter.log",
        env=environment(**settings),
        cwd=directory,
    )
    process.start()
    try:
        process.wait_for_url(f"http://127.0.0.1:{port}/metrics", within=120)
        yield f"127.0.0.1:{port}"
    finally:
        process.stop()


@pytest.mark.neighbour
def test_promtool_has_nothing_to_say(tmp_path: Path, mlflow_server: Mlflow) -> None:
    """Of every family that there is: a table and a model with everything."""
    write(tmp_path / "lake")
    mlflow_server.create_model("pix-fraud-exported")
    version, _ = mlflow_server.create_version(
        "pix-fraud-exported", metrics={"auc": 0.9}, params={"depth": "6"}
    )
    mlflow_server.set_alias("pix-fraud-exported", "champion", version)
    section: dict[str, object] = {
        "tables": [{"name": "payments", "url": str(tmp_path / "lake"), "columns": ["amount"]}],
        "models": [{"name": "pix-fraud-exported", "params": ["depth"]}],
    }
    with exporter(tmp_path, section, MLFLOW_TRACKING_URI=mlflow_server.url) as address:

        def scrape() -> str:
            text = request("GET", f"http://{address}/metrics").text
            done = ("delta_table_up{", "mlflow_model_metric{")
            return text if all(series in text for series in done) else ""

        text = eventually(scrape)
    checked = subprocess.run(
        [find_program("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.neighbour
@pytest.mark.timeout(300)
def test_what_is_done_to_a_table_is_a_change_for_the_service(tmp_path: Path) -> None:
    """From a real table's log through a real Prometheus to `GET /changes`."""
    table = write(tmp_path / "lake", "day", "day")
    section: dict[str, object] = {
        "interval": "200ms",
        "tables": [{"name": "lake/payments", "url": str(tmp_path / "lake")}],
    }
    with ExitStack() as stack:
        address = stack.enter_context(exporter(tmp_path, section))
        prometheus = Prometheus(tmp_path, targets={"delta": [address]})
        stack.enter_context(prometheus)
        config = "receivers: {oncall: {console: true}}\ncontext: {watch_every: 500ms}\n"
        env = {"PLANTAO_PROMETHEUS_URL": prometheus.url}
        service = Service(tmp_path, config=config, env=env)
        service.start(within=180)
        stack.callback(service.process.stop)
        prometheus.wait_for('delta_last_commit_timestamp_seconds{operation="WRITE"}')
        service.has_looked("prometheus", calls=3)
        acts: dict[str, Callable[[], object]] = {
            "OPTIMIZE": table.optimize.compact,
            "RESTORE": partial(table.restore, 0),
        }
        for operation, act in acts.items():
            act()
            title = f"lake/payments: {operation}"
            eventually(partial(told, service, title), within=60, what=title)


def told(service: Service, title: str) -> bool:
    return title in [change["title"] for change in service.get("/changes")["items"]]


def test_nothing_to_export(shell: Shell) -> None:
    assert "the section exporter of plantao.yml" in shell.error("exporter")


def test_a_section_that_cannot_be_used(shell: Shell) -> None:
    (shell.directory / "plantao.yml").write_text(
        "exporter:\n  tables:\n    - {name: a, url: /lake, colums: [x]}\n"
    )
    assert "plantao.yml:3: exporter.tables[0].colums" in shell.error("exporter")


def test_the_extra_is_not_installed(shell: Shell) -> None:
    (shell.directory / "plantao.yml").write_text("exporter: {tables: [{name: a, url: /lake}]}\n")
    absent = shell.directory / "absent/deltalake"
    absent.mkdir(parents=True)
    (absent / "__init__.py").write_text("raise ModuleNotFoundError('no', name='deltalake')\n")
    without = shell.at(PYTHONPATH=f"{absent.parent}:{REPOSITORY}")
    assert "pip install 'plantao[exporter]'" in without.error("exporter")


def test_a_port_that_is_taken(shell: Shell, tmp_path: Path) -> None:
    section: dict[str, object] = {"tables": [{"name": "a", "url": str(tmp_path / "lake")}]}
    with exporter(tmp_path, section) as address:
        (shell.directory / "plantao.yml").write_text(yaml.safe_dump({"exporter": section}))
        taken = shell.error("exporter", "--port", address.rpartition(":")[2])
    assert "cannot listen on 127.0.0.1" in taken
