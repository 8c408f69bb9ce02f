"""What is found of a real Prometheus' alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import nan

import pytest

from app.core.alerts import Alert
from app.core.facts import Measured, Threshold
from app.enrichers.prometheus import MOST_POINTS
from app.enrichers.promql import Reason
from tests.enrichers.pipeline import (
    EXTERNAL_LABELS,
    Pipeline,
    alert,
    found,
    now,
    past,
    pipeline,
    rule,
    rules,
)
from tests.neighbours.exporter import Exporter
from tests.neighbours.processes import eventually, free_port

pytestmark = pytest.mark.neighbour

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
LATENCY = 'score_latency_seconds{quantile="0.99"}'
RATIO = "sum by (service) (failed_requests) / sum by (service) (requests)"

RULES = rules(
    rule("ErrorRatioHigh", f"{RATIO} > 0.05", component="serving"),
    rule("ScoreLatencyHigh", f"{LATENCY} > 0.2", component="serving", model="shown-instead")
    | {"for": "2s"},
    rule("LatencyOverLimit", f"{LATENCY} > on (model) group_left () latency_limit_seconds"),
    rule("FeedAbsent", 'absent(feed_rows{topic="pix"})', component="ingestion"),
    rule("QueryGone", "absent(query_rows)"),
    rule("QueueUnread", "queue_depth unless on (queue) consumers"),
    rule("LagGrows", "lag_messages > 100 and on (topic) lag_growth > 0"),
    rule("BudgetBurns", "burn_long > 14.4 or burn_short > 6"),
    rule("ShardSlow", "shard_seconds > 10", component="storage"),
    rule("DiskFull", "disk_free_bytes < 100"),
    rule("TurnsToNothing", "flaky_ratio > 0.5"),
    rule("Vanishes", "vanishing > 5"),
    rule("TargetDown", 'up{job="api"} == 0'),
    rule("Odd", "odd_value > 1 and on () vector(1)"),
    rule("Watchdog", "vector(1)", severity="none"),
)


def exporter_of_the_pipeline() -> Exporter:
    exporter = Exporter()
    for service, failed in {"pay": 30.0, "refund": 1.0}.items():
        exporter.set("failed_requests", failed, service=service)
        exporter.set("requests", 100.0, service=service)
    exporter.set("score_latency_seconds", 0.42, model="pix-fraud", quantile="0.99")
    exporter.set("score_latency_seconds", 0.1, model="pix-limits", quantile="0.99")
    exporter.set("latency_limit_seconds", 0.25, model="pix-fraud")
    exporter.set("latency_limit_seconds", 9.0, model="pix-limits")
    exporter.set("queue_depth", 7.0, queue="retries")
    exporter.set("lag_messages", 5_000.0, topic="pix")
    exporter.set("lag_growth", 2.0, topic="pix")
    exporter.set("burn_long", 1.0, slo="latency")
    exporter.set("burn_short", 8.0, slo="latency")
    for shard in range(60):
        exporter.set("shard_seconds", float(shard), shard=f"s{shard}")
    exporter.set("disk_free_bytes", 60.0, disk="a")
    exporter.set("disk_free_bytes", 20.0, disk="b")
    exporter.set("flaky_ratio", 0.9, job_name="x")
    exporter.set("vanishing", 8.0, thing="x")
    exporter.set("odd_value", 3.0, path='C:\\"dir"\n$1 ${name}', other="é")
    return exporter


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    exporter = exporter_of_the_pipeline()
    scraped = {"instance": exporter.address, "job": "api"}
    latency = {"model": "pix-fraud", "quantile": "0.99", **scraped}
    history = (
        "# TYPE feed_rows gauge\n"
        + past("feed_rows", {"topic": "pix", **scraped}, 12.0, DAY)
        + "# TYPE query_rows gauge\n"
        + past("query_rows", {"query": "scores", **scraped}, 4.0, timedelta(minutes=75))
        + "# TYPE score_latency_seconds gauge\n"
        + past("score_latency_seconds", latency, 0.09, WEEK)
        + past("score_latency_seconds", latency, 0.11, DAY)
    )
    directory = tmp_path_factory.mktemp("pipeline")
    dead = f"127.0.0.1:{free_port()}"
    with pipeline(directory, RULES, exporter=exporter, dead=[dead], history=history) as running:
        running.alerted.alerts("ShardSlow", 49)
        running.alerted.alerts("TargetDown")
        yield running


async def test_a_latency_rule_has_its_value_then_and_now_and_before(seen: Pipeline) -> None:
    alerts = seen.alerted.alerts("ScoreLatencyHigh")
    assert EXTERNAL_LABELS.items() <= alerts[0].labels.items()
    assert alerts[0].labels["model"] == "shown-instead"
    measured = found(await seen.find(alerts))
    assert measured.rule is not None
    assert (measured.rule.name, measured.rule.group) == ("ScoreLatencyHigh", "pipeline")
    assert measured.rule.duration == timedelta(seconds=2)
    assert measured.rule.expression == f"{LATENCY} > 0.2"
    assert (measured.expression, measured.unit) == (LATENCY, "seconds")
    assert measured.threshold == Threshold(">", 0.2)
    assert measured.no_threshold == ""
    assert (measured.firing, measured.now) == (0.42, 0.42)
    assert (measured.yesterday, measured.last_week) == (0.11, 0.09)
    assert (measured.series, measured.worst) == (1, ())


async def test_the_line_ends_at_the_moment_asked_for(seen: Pipeline) -> None:
    alerts = seen.alerted.alerts("ScoreLatencyHigh")
    at = alerts[0].starts_at + timedelta(seconds=2)
    eventually(lambda: seen.prometheus.value("time()") or at.timestamp() < 0, what="2 s")
    line = found(await seen.find(alerts, at=at)).line
    assert line
    assert abs(line[-1].at - at) < timedelta(seconds=1)
    assert {sample.value for sample in line} == {0.42}
    assert all(one.at < other.at for one, other in pairwise(line))


async def test_a_ratio_is_that_of_the_alert_s_own_labels(seen: Pipeline) -> None:
    measured = await seen.measure("ErrorRatioHigh")
    assert measured.expression == RATIO
    assert (measured.firing, measured.now) == (0.3, 0.3)
    assert measured.threshold == Threshold(">", 0.05)
    assert measured.yesterday is None


async def test_a_threshold_that_is_a_query_is_the_alert_s_own(seen: Pipeline) -> None:
    measured = await seen.measure("LatencyOverLimit")
    assert measured.threshold == Threshold(">", 0.25)
    assert (measured.no_threshold, measured.now) == ("", 0.42)


async def test_what_is_absent_has_no_value_but_yesterday_s(seen: Pipeline) -> None:
    measured = await seen.measure("FeedAbsent")
    assert (measured.expression, measured.threshold) == ('feed_rows{topic="pix"}', None)
    assert measured.no_threshold == Reason.ABSENT
    assert (measured.firing, measured.now, measured.yesterday) == (None, None, 12.0)


async def test_what_was_there_and_is_gone_is_drawn_until_it_went(seen: Pipeline) -> None:
    measured = await seen.measure("QueryGone")
    assert (measured.firing, measured.now) == (None, None)
    assert {sample.value for sample in measured.line} == {4.0}
    assert measured.line[-1].at < now() - timedelta(minutes=5)


async def test_unless_has_a_value_and_no_threshold(seen: Pipeline) -> None:
    measured = await seen.measure("QueueUnread")
    assert (measured.now, measured.threshold) == (7.0, None)
    assert measured.no_threshold == Reason.UNLESS
    assert measured.line


async def test_a_chain_tells_of_its_first_comparison(seen: Pipeline) -> None:
    measured = await seen.measure("LagGrows")
    assert (measured.expression, measured.now) == ("lag_messages", 5_000.0)
    assert measured.threshold == Threshold(">", 100.0)
    assert measured.no_threshold == Reason.FURTHER


async def test_of_alternatives_the_one_that_held_is_told(seen: Pipeline) -> None:
    measured = await seen.measure("BudgetBurns")
    assert (measured.expression, measured.firing, measured.now) == ("burn_short", 8.0, 8.0)
    assert measured.threshold == Threshold(">", 6.0)
    assert measured.no_threshold == Reason.HELD
    assert {sample.value for sample in measured.line} == {8.0}


async def test_fifty_alerts_cost_no_more_than_one(seen: Pipeline) -> None:
    alerts = seen.alerted.alerts("ShardSlow", 49)
    one_more = replace(alerts[0], labels={**alerts[0].labels, "shard": "gone"})
    measured = found(await seen.find([*alerts, one_more]))
    assert len(seen.requests) <= 6
    assert measured.series == 50
    assert [each.value for each in measured.worst] == [59.0, 58.0, 57.0, 56.0, 55.0]
    assert measured.worst[0].labels == {"shard": "s59"}
    assert (measured.firing, measured.now) == (59.0, 59.0)
    assert {sample.value for sample in measured.line} == {59.0}


async def test_the_worst_is_the_least_where_the_rule_looks_for_less(seen: Pipeline) -> None:
    measured = await seen.measure("DiskFull", 2)
    assert [each.value for each in measured.worst] == [20.0, 60.0]
    assert (measured.now, measured.unit) == (20.0, "bytes")


async def test_other_alerts_are_named_by_component(seen: Pipeline) -> None:
    measured = await seen.measure("ScoreLatencyHigh")
    assert measured.also_firing["ingestion"] == ["FeedAbsent"]
    assert measured.also_firing["serving"] == ["ErrorRatioHigh"]
    assert "DiskFull" in measured.also_firing[""]
    names = [name for each in measured.also_firing.values() for name in each]
    assert "Watchdog" not in names
    assert "ScoreLatencyHigh" not in names


@pytest.mark.parametrize("name", ["ScoreLatencyHigh", "ErrorRatioHigh", "TargetDown"])
async def test_targets_that_are_down_behind_the_expression(seen: Pipeline, name: str) -> None:
    dead = seen.prometheus.targets["api"][1]
    measured = await seen.measure(name)
    assert (measured.targets_down, measured.targets) == ([f"api/{dead}"], 2)


async def test_targets_of_an_expression_that_reads_nothing_are_not_known(seen: Pipeline) -> None:
    measured = found(await seen.find([alert("Watchdog", severity="none")]))
    assert (measured.targets_down, measured.targets) == ((), 0)


async def test_labels_that_need_escaping_are_found_again(seen: Pipeline) -> None:
    measured = await seen.measure("Odd")
    assert measured.now == 3.0
    assert {sample.value for sample in measured.line} == {3.0}


async def test_not_a_number_is_no_value(seen: Pipeline) -> None:
    alerts = seen.alerted.alerts("TurnsToNothing")
    seen.exporter.set("flaky_ratio", nan, job_name="x")
    eventually(lambda: not seen.prometheus.query("flaky_ratio == flaky_ratio"), what="NaN")
    measured = found(await seen.find(alerts))
    assert (measured.firing, measured.now) == (0.9, None)
    assert {sample.value for sample in measured.line} <= {0.9}


async def test_a_series_that_is_gone_has_no_value_now(seen: Pipeline) -> None:
    alerts = seen.alerted.alerts("Vanishes")
    seen.exporter.remove("vanishing")
    eventually(lambda: not seen.prometheus.query("vanishing"), what="a stale series")
    measured = found(await seen.find(alerts))
    assert (measured.firing, measured.now) == (8.0, None)


async def test_a_rule_is_found_by_its_name_where_no_prometheus_made_the_link(
    seen: Pipeline,
) -> None:
    for url in ("", "http://grafana.example/alerting/x/view?orgId=1", "http://[broken"):
        by_name = alert("QueueUnread", generator_url=url, queue="retries")
        assert found(await seen.find([by_name])).now == 7.0


async def test_a_rule_that_was_edited_since_is_not_taken_for_the_alert_s(seen: Pipeline) -> None:
    url = "http://prometheus.example/graph?g0.expr=queue_depth+%3E+1000&g0.tab=1"
    measured = found(await seen.find([alert("QueueUnread", generator_url=url, queue="retries")]))
    assert (measured.rule, measured.now) == (None, None)
    assert measured.also_firing


async def test_what_no_prometheus_knows_has_other_alerts_only(seen: Pipeline) -> None:
    measured = found(await seen.find([alert("MadeByHand")]))
    assert measured == Measured(None, "", None, also_firing=measured.also_firing)
    assert "QueueUnread" in measured.also_firing[""]


async def test_an_incident_of_weeks_is_drawn_in_few_points(seen: Pipeline) -> None:
    fired = seen.alerted.alerts("ScoreLatencyHigh")[0]
    old: Alert = replace(fired, starts_at=fired.starts_at - timedelta(days=7))
    measured = found(await seen.find([old]))
    assert 1 < len(measured.line) <= MOST_POINTS
    assert measured.firing == pytest.approx(0.09)
    assert (measured.now, measured.line[-1].value) == (0.42, 0.42)
    assert measured.line[-1].at - measured.line[0].at > timedelta(days=6)
