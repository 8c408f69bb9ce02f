"""Each neighbour does what the other tests rely on. A missing neighbour is a failure."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.neighbours.alertmanager import Alertmanager, alertmanager_pair, webhook_config
from tests.neighbours.browser import screenshot, size
from tests.neighbours.exporter import Exporter
from tests.neighbours.postgres import Postgres
from tests.neighbours.processes import (
    NeighbourFailed,
    Process,
    eventually,
    find_program,
    free_port,
)
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.recorder import Recorder

pytestmark = pytest.mark.neighbour

RULES = {
    "groups": [
        {
            "name": "serving",
            "rules": [
                {
                    "alert": "ErrorRatioHigh",
                    "expr": "http_error_ratio > 0.05",
                    "labels": {"severity": "critical"},
                    "annotations": {"value": "{{ $value }}"},
                }
            ],
        }
    ]
}


def test_a_rule_on_the_exporter_reaches_the_webhook_and_resolves(tmp_path: Path) -> None:
    with (
        Recorder() as recorder,
        Exporter() as exporter,
        Alertmanager(tmp_path, webhook_config(recorder.url, token="s3cret")) as alertmanager,
        Prometheus(
            tmp_path,
            targets={"serving": [exporter.address]},
            rules=RULES,
            alertmanagers=[alertmanager.url],
            external_labels={"cluster": "são-paulo"},
        ),
    ):
        exporter.set("http_error_ratio", 0.42, service="checkout")
        (firing, *_) = recorder.wait_for(1)
        exporter.set("http_error_ratio", 0.0, service="checkout")
        eventually(lambda: recorder.bodies[-1]["status"] == "resolved", what="the resolved")

    assert recorder.requests[0].headers["Authorization"] == "Bearer s3cret"
    assert firing["alerts"][0]["labels"] == {
        "alertname": "ErrorRatioHigh",
        "cluster": "são-paulo",
        "instance": exporter.address,
        "job": "serving",
        "service": "checkout",
        "severity": "critical",
    }
    assert firing["alerts"][0]["annotations"] == {"value": "0.42"}


def test_prometheus_answers_queries_and_takes_new_rules(tmp_path: Path) -> None:
    with (
        Exporter() as exporter,
        Prometheus(tmp_path, targets={"serving": [exporter.address]}) as prometheus,
    ):
        exporter.set("http_error_ratio", 0.42, path='a"b\\c\nd')
        assert prometheus.wait_for("http_error_ratio") == 0.42
        assert dict(next(iter(prometheus.query("http_error_ratio"))))["path"] == 'a"b\\c\nd'
        assert prometheus.alerts() == []
        prometheus.rules = RULES
        prometheus.reload()
        eventually(prometheus.alerts, what="an alert from the new rules")
        exporter.remove("http_error_ratio")
        eventually(lambda: prometheus.value("http_error_ratio") is None, what="no series")
        exporter.failing = True
        eventually(lambda: prometheus.value("up") == 0, what="the target down")


def test_prometheus_pauses_resumes_and_comes_back_after_a_kill(tmp_path: Path) -> None:
    with (
        Exporter() as exporter,
        Prometheus(tmp_path, targets={"serving": [exporter.address]}) as prometheus,
    ):
        exporter.set("table_files", 7)
        prometheus.wait_for("table_files")
        prometheus.pause()
        prometheus.resume()
        assert prometheus.value("vector(1)") == 1
        prometheus.kill()
        assert not prometheus.process.running
        prometheus.start()
        assert prometheus.wait_for("table_files") == 7


def test_alertmanager_groups_cuts_and_silences(tmp_path: Path) -> None:
    with (
        Recorder() as recorder,
        Alertmanager(
            tmp_path, webhook_config(recorder.url, max_alerts=1, send_resolved=False)
        ) as alertmanager,
    ):
        silence = alertmanager.silence({"alertname": "Silenced"}, minutes=5)
        alertmanager.post_alerts(
            [{"labels": {"alertname": "Lag", "partition": str(number)}} for number in range(3)]
            + [{"labels": {"alertname": "Silenced"}}]
        )
        (body, *_) = recorder.wait_for(1)
        assert (len(body["alerts"]), body["truncatedAlerts"]) == (1, 2)
        assert len(alertmanager.wait_for_alerts(4)) == 4
        assert [a["labels"]["alertname"] for a in alertmanager.alerts(active=False)] == ["Silenced"]
        alertmanager.restart()
        assert [s["status"]["state"] for s in alertmanager.silences()] == ["active"]
        alertmanager.expire_silence(silence)
        assert [s["status"]["state"] for s in alertmanager.silences()] == ["expired"]


def test_alertmanager_pair_gossips_and_goes_on_when_one_is_killed(tmp_path: Path) -> None:
    with Recorder() as recorder:
        config = webhook_config(recorder.url, group_by=["..."])
        with alertmanager_pair(tmp_path, config) as (first, second):
            silence = first.silence({"alertname": "Other"}, minutes=5)
            eventually(lambda: [s["id"] for s in second.silences()] == [silence], what="gossip")
            lag = {"labels": {"alertname": "Lag"}}
            first.post_alerts([lag])
            second.post_alerts([lag])
            recorder.wait_for(1)
            first.kill()
            second.post_alerts([{"labels": {"alertname": "Late"}}])
            eventually(lambda: _names(recorder) >= {"Lag", "Late"}, what="both alerts")


def test_alertmanager_says_why_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NeighbourFailed, match="no routes provided"):
        Alertmanager(tmp_path, "receivers: []").start()


def _names(recorder: Recorder) -> set[str]:
    return {body["commonLabels"]["alertname"] for body in recorder.bodies}


def test_a_process_that_hangs_is_killed_and_named(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo warming up; sleep 1000"], log=tmp_path / "log")
    process.start()
    with pytest.raises(NeighbourFailed, match=r"not ready within 0\.5 s(.|\n)*warming up"):
        process.wait_for_port(free_port(), within=0.5)
    assert not process.running
    process.kill()


def test_a_missing_program_is_a_failure_that_says_what_to_do() -> None:
    with pytest.raises(NeighbourFailed, match="install-neighbours"):
        find_program("no-such-program", "nor-this-one")


def test_free_ports_are_never_given_twice() -> None:
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == 100


def test_postgres_answers_keeps_databases_apart_and_comes_back(tmp_path: Path) -> None:
    with Postgres() as postgres:
        first, second = postgres.new_database(), postgres.new_database()
        assert first.startswith("postgresql+psycopg://")
        for url in (first, second):
            engine = create_engine(url)
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE receipts (id serial PRIMARY KEY)"))
            engine.dispose()
        postgres.kill()
        postgres.start()
        with postgres.connect(second.rpartition("/")[2]) as plain:
            assert plain.execute("SELECT count(*) FROM receipts").fetchone() == (0,)
    assert not postgres.directory.exists()


PAGE = """<!doctype html><meta charset="utf-8"><style>
html { background: #fff } @media (prefers-color-scheme: dark) { html { background: #000 } }
</style><p style="display: none">Plantão</p>"""


def test_a_page_has_its_picture_taken_in_light_and_in_dark(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    light = screenshot(page, tmp_path / "light.png", 640, 480)
    dark = screenshot(page, tmp_path / "dark.png", 640, 480, dark=True)
    assert size(light) == size(dark) == (640, 480)
    assert light.read_bytes() != dark.read_bytes()


def test_a_url_has_its_picture_taken(tmp_path: Path) -> None:
    with Exporter() as exporter:
        exporter.set("http_error_ratio", 0.42)
        picture = screenshot(f"{exporter.url}/metrics", tmp_path / "metrics.png", 320, 200)
    assert size(picture) == (320, 200)
