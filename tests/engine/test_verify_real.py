"""What a real Alertmanager and a real Prometheus say settles what we are not sure of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.engine.clock import SystemClock
from tests.house import WEBHOOK, alert, notification, serving
from tests.neighbours.alertmanager import Alertmanager, alertmanager_pair, webhook_config
from tests.neighbours.exporter import Exporter
from tests.neighbours.processes import eventually, free_port, request
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.slack import BOT_TOKEN, DEFAULT_CHANNEL, SlackServer, Workspace
from tests.service import Service
from tests.waiting import soon, tell

pytestmark = pytest.mark.neighbour

CONFIG = """
receivers:
  oncall: {console: true}
routes: {receiver: oncall}
verify: {every: 1s, missed_after: 2s, orphan_after: 2s, confirm_within: 60s}
"""
IN_SLACK = CONFIG.replace("console: true", f'slack: {{channel: "#{DEFAULT_CHANNEL}"}}')
RULES = {
    "groups": [
        {
            "name": "serving",
            "rules": [
                {
                    "alert": "ErrorRatioHigh",
                    "expr": "http_error_ratio > 0.05",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "{{ $labels.service }} is failing"},
                }
            ],
        }
    ]
}


def real_alert(name: str = "KafkaLag", *, age: float = 0.0, **labels: str) -> dict[str, Any]:
    """An alert for Alertmanager's API that began `age` seconds ago and has no end yet."""
    return {
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": f"{name} is happening"},
        "startsAt": (datetime.now(UTC) - timedelta(seconds=age)).isoformat(),
    }


def ended(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**given, "endsAt": datetime.now(UTC).isoformat()}


def receipts(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get("/receipts")["items"]
    return found


def counted(service: Service, series: str) -> float:
    """The value of one series of the service's own metrics."""
    lines = request("GET", f"{service.url}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{series} "))


def url_of(service: Service) -> str:
    return f"{service.url}{WEBHOOK}"


def nowhere() -> str:
    """The webhook of a service that does not listen, as Alertmanager's configuration has it."""
    return f"http://127.0.0.1:{free_port()}{WEBHOOK}"


@contextmanager
def running(service: Service) -> Iterator[Service]:
    service.start()
    try:
        yield service
    finally:
        service.process.stop()


def acquainted(directory: Path, **options: Any) -> tuple[Alertmanager, Service]:
    """An Alertmanager that posts to a service that asks it; neither runs yet."""
    alertmanager = Alertmanager(directory, {})
    service = asking(directory, alertmanager.url)
    alertmanager.config = webhook_config(url_of(service), **options)
    return alertmanager, service


def asking(directory: Path, *urls: str, config: str = CONFIG, **more: str) -> Service:
    """A service that asks these Alertmanagers."""
    return Service(
        directory, config=config, env={"PLANTAO_ALERTMANAGER_URL": ",".join(urls), **more}
    )


def wait_for(service: Service, count: int, **wanted: object) -> list[dict[str, Any]]:
    """Wait until there are that many incidents, each of them as wanted; they."""

    def look() -> list[dict[str, Any]] | None:
        found = service.incidents()
        fitting = [each for each in found if wanted.items() <= each.items()]
        return found if len(found) == len(fitting) == count else None

    return eventually(look, within=60, what=f"{count} incidents, {wanted}") or []


def kinds(service: Service, number: int = 1) -> list[str]:
    return [entry["kind"] for entry in service.get(f"/incidents/{number}/timeline")["items"]]


def passes(service: Service, count: int = 3) -> None:
    """Let it compare that often with Alertmanager, with two calls or more for each time."""
    series = 'plantao_neighbour_calls_total{neighbour="alertmanager",outcome="ok"}'
    enough = counted(service, series) + 2 * count
    eventually(lambda: counted(service, series) >= enough, within=60, what="more passes")


# --- what was missed


def test_what_no_webhook_brought_is_taken_in_once(tmp_path: Path) -> None:
    """It fired while nobody listened; what is not meant for us stays out."""
    config = webhook_config(nowhere())
    config["receivers"].append({"name": "other"})
    config["route"]["routes"] = [{"receiver": "other", "matchers": ['team="other"']}]
    with Alertmanager(tmp_path, config) as alertmanager:
        alertmanager.post_alerts(
            [
                real_alert(age=600, instance="a"),
                real_alert(instance="b"),
                real_alert("NotForUs", age=600, team="other"),
            ]
        )
        alertmanager.wait_for_alerts(3)
        with running(asking(tmp_path, alertmanager.url)) as service:
            wait_for(service, 1, alert_counts={"firing": 2, "resolved": 0})
            passes(service)
            (incident,) = service.incidents()
    assert incident["group_labels"] == {"alertname": "KafkaLag"}
    assert incident["occurrences"] == 2


def test_what_began_while_the_service_was_down_is_not_doubled_by_its_webhook(
    tmp_path: Path,
) -> None:
    alertmanager, service = acquainted(tmp_path)
    with alertmanager:
        alertmanager.post_alerts([real_alert(age=600)])
        alertmanager.wait_for_alerts(1)
        with running(service):
            wait_for(service, 1, status="triggered")
            eventually(lambda: receipts(service), within=60, what="the webhook, retried")
            passes(service)
            wait_for(service, 1, alert_counts={"firing": 1, "resolved": 0})
            assert kinds(service) == ["opened"]


def test_what_came_while_the_database_was_locked_is_in_after_it(tmp_path: Path) -> None:
    alertmanager, service = acquainted(tmp_path)
    refused = 'plantao_receipts_refused_total{reason="unavailable"}'
    with alertmanager, running(service):
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            alertmanager.post_alerts([real_alert(age=600)])
            eventually(lambda: counted(service, refused), within=60, what="a webhook refused")
            assert service.incidents() == []
            other.execute("ROLLBACK")
        wait_for(service, 1, alert_counts={"firing": 1, "resolved": 0})
        assert kinds(service) == ["opened"]


def test_what_max_alerts_cut_off_is_fetched(tmp_path: Path) -> None:
    alertmanager, service = acquainted(tmp_path, max_alerts=2)
    with alertmanager, running(service):
        alertmanager.post_alerts([real_alert(instance=str(n)) for n in range(5)])
        (incident,) = wait_for(service, 1, alert_counts={"firing": 5, "resolved": 0})
        assert (incident["truncated"], incident["status"]) == (True, "triggered")
        wait_for(service, 1, hidden_alerts=0)


# --- doubts


@pytest.mark.parametrize("listed", [True, False])
def test_a_late_repeat_is_believed_if_alertmanager_lists_it(tmp_path: Path, listed: bool) -> None:
    posted = real_alert()
    body = alert("KafkaLag", starts=posted["startsAt"])
    end = alert("KafkaLag", status="resolved", starts=posted["startsAt"], ends=posted["startsAt"])
    with (
        Alertmanager(tmp_path, webhook_config(nowhere())) as alertmanager,
        running(asking(tmp_path, alertmanager.url)) as service,
    ):
        for each in (body, end):
            assert service.post(notification(each)).status_code == 202
        wait_for(service, 1, status="resolved")
        if listed:
            alertmanager.post_alerts([posted])
            alertmanager.wait_for_alerts(1)
        service.post(notification(body))
        last = "reopened" if listed else "dismissed"
        eventually(lambda: kinds(service)[-1] == last, what=last)
        assert kinds(service)[:2] == ["opened", "resolved"]
        assert kinds(service).count(last) == 1


# --- orphans


class Later(SystemClock):
    """Alertmanager has been up for a while when this clock is asked."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=3)


async def test_what_alertmanager_dropped_without_a_word_is_no_longer_reported(
    tmp_path: Path,
) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(CONFIG)
    posted = real_alert()
    with Alertmanager(tmp_path, webhook_config(nowhere(), send_resolved=False)) as alertmanager:
        alertmanager.post_alerts([posted])
        urls = (alertmanager.url,)
        async with serving(tmp_path, clock=Later(), config=config, alertmanager_url=urls) as house:
            await tell(house, notification(alert("KafkaLag", starts=posted["startsAt"])))
            alertmanager.post_alerts([ended(posted)])

            async def over() -> bool:
                return "no_longer_reported" in await house.timeline(1)

            await soon(over, what="no longer reported")
            assert (await house.incident(1))["resolution"] == "no longer reported"


def test_a_silenced_alert_is_still_there(tmp_path: Path) -> None:
    alertmanager, service = acquainted(tmp_path)
    with alertmanager, running(service):
        alertmanager.post_alerts([real_alert()])
        wait_for(service, 1, status="triggered")
        alertmanager.silence({"alertname": "KafkaLag"}, minutes=10)
        passes(service, 5)
        assert kinds(service) == ["opened", "silence_found"]


# --- ends, true and false

ALERTMANAGER, PROMETHEUS = "PLANTAO_ALERTMANAGER_URL", "PLANTAO_PROMETHEUS_URL"


@dataclass
class Pipeline:
    """A rule fires on the exporter, and the service has an incident of it."""

    exporter: Exporter
    prometheus: Prometheus
    service: Service


@contextmanager
def pipeline(directory: Path, *asked: str) -> Iterator[Pipeline]:
    """`asked` are the settings that the service has of its neighbours' addresses."""
    with Exporter() as exporter:
        alertmanager = Alertmanager(directory, {})
        prometheus = Prometheus(
            directory,
            targets={"serving": [exporter.address]},
            rules=RULES,
            alertmanagers=[alertmanager.url],
        )
        known = {ALERTMANAGER: alertmanager.url, PROMETHEUS: prometheus.url}
        service = Service(directory, config=CONFIG, env={name: known[name] for name in asked})
        alertmanager.config = webhook_config(url_of(service))
        exporter.set("http_error_ratio", 0.42, service="checkout")
        with alertmanager, prometheus, running(service):
            wait_for(service, 1, status="triggered")
            yield Pipeline(exporter, prometheus, service)


def test_a_real_end_stays_resolved(tmp_path: Path) -> None:
    with pipeline(tmp_path, ALERTMANAGER, PROMETHEUS) as there:
        passes(there.service)
        there.exporter.set("http_error_ratio", 0.0, service="checkout")
        wait_for(there.service, 1, status="resolved")
        passes(there.service)
        assert kinds(there.service) == ["opened", "resolved"]
        assert there.service.incidents()[0]["resolution"] == "resolved"


def test_an_end_because_prometheus_died_is_no_resolve(tmp_path: Path) -> None:
    """Alertmanager gives the alert up, at the expiry that it had shown."""
    with pipeline(tmp_path, ALERTMANAGER) as there:
        passes(there.service)
        there.prometheus.kill()
        wait_for(there.service, 1, status="resolved", resolution="no longer reported")
        assert kinds(there.service) == ["opened", "no_longer_reported"]


def test_an_end_that_a_dead_prometheus_cannot_vouch_for_is_no_resolve(tmp_path: Path) -> None:
    """With no Alertmanager to ask: the end is told, and then taken back."""
    with pipeline(tmp_path, PROMETHEUS) as there:
        there.prometheus.kill()
        wait_for(there.service, 1, status="resolved", resolution="no longer reported")
        assert kinds(there.service) == ["opened", "resolved", "no_longer_reported"]
        last = there.service.get("/incidents/1/timeline")["items"][-1]
        assert last["data"]["reason"] == "Prometheus did not answer, so the end cannot be confirmed"


# --- a clustered pair


def test_a_pair_makes_one_incident_and_one_root_and_one_of_them_may_die(tmp_path: Path) -> None:
    with (
        SlackServer(Workspace(rate_limits=False)) as slack,
        alertmanager_pair(tmp_path, webhook_config(nowhere())) as pair,
    ):
        service = asking(
            tmp_path,
            *(each.url for each in pair),
            config=IN_SLACK,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            PLANTAO_SLACK_API_URL=slack.api_url,
        )
        for each in pair:
            each.config = webhook_config(url_of(service))
            each.reload()
        with running(service):
            first, second = real_alert(instance="a"), real_alert(instance="b")
            told(pair, first)
            root = slack.workspace.expect_message(containing="KafkaLag", within=60)
            slack.workspace.allow(thread_of=root)
            pair[0].kill()
            told(pair[1:], first, second)
            wait_for(service, 1, alert_counts={"firing": 2, "resolved": 0})
            told(pair[1:], ended(first), ended(second))
            wait_for(service, 1, status="resolved", resolution="resolved")
            slack.workspace.expect_shown(root, "Resolved", within=60)
        slack.workspace.assert_nothing_unexpected()
        assert slack.workspace.roots() == [root]


def told(pair: Sequence[Alertmanager], *alerts: Mapping[str, Any]) -> None:
    """As Prometheus does: every Alertmanager is told everything."""
    for each in pair:
        each.post_alerts(alerts)
