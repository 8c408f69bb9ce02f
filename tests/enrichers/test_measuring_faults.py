"""What is found when Prometheus hangs, fails, lies or knows too much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.core.alerts import Alert
from app.core.facts import Threshold
from app.enrichers.measuring import PrometheusEnricher
from app.enrichers.prometheus import MOST_POINTS, Prometheus, step_of
from app.enrichers.promql import Reason
from app.errors import NeighbourFailed, Unanswerable
from tests.enrichers import hostile
from tests.enrichers.hostile import Form, Hostile
from tests.enrichers.pipeline import alert, find, found, now, pipeline, rule, rules, subject
from tests.neighbours.exporter import Exporter
from tests.neighbours.processes import free_port
from tests.neighbours.serving import Answer

LINK = "http://prometheus.example/graph?g0.expr=latency_seconds+%3E+0.2&g0.tab=1"


def slow(instance: str = "a") -> Alert:
    return alert("Slow", generator_url=LINK, instance=instance, cluster="external")


def _is_value(form: Form) -> bool:
    return "latency_seconds" in form.get("query", "") and "up{" not in form["query"]


async def test_a_server_that_answers_well_is_believed() -> None:
    with Hostile() as server:
        measured = found(await find(server.url, [slow()]))
        assert len(server.asked) == 6
    assert (measured.firing, measured.now, measured.last_week) == (0.5, 0.5, 0.5)
    assert measured.threshold == Threshold(">", 0.2)
    assert [sample.value for sample in measured.line] == [0.5, 0.5]


async def test_every_query_tells_prometheus_when_to_give_up() -> None:
    with Hostile() as server:
        await find(server.url, [slow()], patience=2.0)
        limits = [form["timeout"] for path, form in server.asked if path != "rules"]
    assert len(limits) == 5
    assert all(0 < int(limit.removesuffix("ms")) <= 2_000 for limit in limits)


ANSWERS = {
    "nonsense": (Answer(body=b"<html>no</html>"), "in a form nobody knows"),
    "cut JSON": (Answer(body=b'{"status":"success","data":{"resu'), "in a form nobody knows"),
    "no UTF-8": (Answer(body=b'{"data":"\xff"}'), "in a form nobody knows"),
    "deep JSON": (Answer(body=b"[" * 100_000), "in a form nobody knows"),
    "another form": (hostile.success("string", [1, "x"]), "in a form nobody knows"),
    "a time of no year": (
        hostile.success("vector", [{"metric": {}, "value": [1e300, "1"]}]),
        "in a form nobody knows",
    ),
    "an error": (hostile.refused(422, "many-to-many\nmatching"), "422: many-to-many matching."),
    "a proxy": (Answer(status=502, body=b"<html>"), "Prometheus answered 502."),
    "a login page": (Answer(status=302, headers={"Location": "/login"}), "answered 302"),
    "a flood": (Answer(body=b" " * 17_000_000), "more than 16 MB"),
}


@pytest.mark.parametrize("what", ANSWERS)
@pytest.mark.parametrize("where", ["rules", "query"])
async def test_a_bad_answer_is_named(what: str, where: str) -> None:
    answer, reason = ANSWERS[what]
    with (
        Hostile(lambda path, _: answer if path == where else None) as server,
        pytest.raises(NeighbourFailed, match=reason),
    ):
        await find(server.url, [slow()])


@pytest.mark.parametrize(("status", "down"), [(400, False), (422, False), (503, True), (500, True)])
async def test_a_query_that_is_refused_is_no_prometheus_that_is_down(
    status: int, down: bool
) -> None:
    refused = hostile.refused(status, "many-to-many matching")
    with (
        Hostile(lambda path, _: refused if path == "query" else None) as server,
        pytest.raises(NeighbourFailed) as failure,
    ):
        await find(server.url, [slow()])
    assert isinstance(failure.value, Unanswerable) is not down


async def test_nobody_there_is_named() -> None:
    with pytest.raises(NeighbourFailed, match=r"^Prometheus cannot be reached\.$"):
        await find(f"http://127.0.0.1:{free_port()}", [slow()])


@pytest.mark.parametrize("where", ["rules", "query"])
async def test_one_that_hangs_is_left_in_time(where: str) -> None:
    server = Hostile()
    server.bad = lambda path, _: server.hang() if path == where else None
    with server:
        began = time.monotonic()
        with pytest.raises(NeighbourFailed, match=r"did not answer within 0\.[45] s"):
            await find(server.url, [slow()], patience=0.5)
        assert time.monotonic() - began < 1.5


LATE: dict[str, Callable[[str, Form], bool]] = {
    "yesterday": lambda path, form: path == "query_range" and _ago(form["end"], 1),
    "last_week": lambda path, form: path == "query_range" and _ago(form["start"], 7),
    "line": lambda path, form: path == "query_range" and _ago(form["end"], 0),
    "also_firing": lambda _, form: "ALERTS" in form.get("query", ""),
    "targets_down": lambda _, form: "up{" in form.get("query", ""),
}


def _ago(time: str, days: int) -> bool:
    ago = now() - datetime.fromisoformat(time)
    return abs(ago - timedelta(days=days)) < timedelta(minutes=1)


@pytest.mark.parametrize("fact", LATE)
@pytest.mark.parametrize("way", ["hangs", "fails"])
async def test_one_fact_that_is_late_leaves_the_others(fact: str, way: str) -> None:
    server = Hostile()

    def bad(path: str, form: Form) -> Answer | None:
        if not LATE[fact](path, form):
            return None
        return server.hang() if way == "hangs" else hostile.refused(503, "no")

    server.bad = bad
    with server:
        measured = found(await find(server.url, [slow()], patience=0.7))
    assert (measured.firing, measured.now) == (0.5, 0.5)
    assert not getattr(measured, fact)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
async def test_what_is_no_finite_number_is_no_value(value: str) -> None:
    def bad(path: str, form: Form) -> Answer | None:
        if path == "query_range":
            ends = (datetime.fromisoformat(form[name]) for name in ("start", "end"))
            values = [[at.timestamp(), value] for at in ends]
            return hostile.success("matrix", [{"metric": hostile.SERIES, "values": values}])
        return hostile.vector([value]) if path == "query" and _is_value(form) else None

    with Hostile(bad) as server:
        measured = found(await find(server.url, [slow()]))
    assert (measured.firing, measured.now) == (None, None)
    assert (measured.yesterday, measured.last_week, measured.line) == (None, None, ())


async def test_another_series_than_the_alert_s_is_no_value() -> None:
    def bad(path: str, form: Form) -> Answer | None:
        return hostile.vector([0.9, 0.8]) if path == "query" and _is_value(form) else None

    with Hostile(bad) as server:
        measured = found(await find(server.url, [slow("elsewhere")]))
        of_b = found(await find(server.url, [slow("b")]))
    assert (measured.firing, measured.now) == (None, None)
    assert of_b.now == 0.8


async def test_an_expression_nobody_can_read_is_still_measured() -> None:
    strange = "latency_seconds >> 0.2"
    answers = {"rules": hostile.rules(strange)}
    with Hostile(lambda path, _: answers.get(path)) as server:
        measured = found(await find(server.url, [alert("Slow", instance="a")]))
    assert (measured.no_threshold, measured.expression) == (Reason.UNREADABLE, strange)


async def test_two_rules_of_one_name_are_not_guessed_between() -> None:
    answers = {"rules": hostile.rules("a > 1", "b > 2")}
    with Hostile(lambda path, _: answers.get(path)) as server:
        assert await find(server.url, [alert("Slow")]) is None


async def test_an_alert_s_own_name_is_no_other_alert_where_the_component_is_external() -> None:
    part = {"plantao_part": "0"}  # several queries go as one
    firing: list[dict[str, object]] = [
        {"metric": {"alertname": name, **part}, "value": [1, "1"]} for name in ("Slow", "Other")
    ]

    def bad(_path: str, form: Form) -> Answer | None:
        return hostile.success("vector", firing) if "ALERTS" in form.get("query", "") else None

    with Hostile(bad) as server:
        measured = found(await find(server.url, [alert("Slow", component="outside")]))
    assert measured.also_firing == {"": ["Other"]}


async def test_a_storm_asks_for_the_rules_once() -> None:
    with Hostile() as server:
        async with httpx.AsyncClient(trust_env=False) as client:
            enricher = PrometheusEnricher(Prometheus(server.url, client))
            first = asyncio.create_task(enricher.find(subject([slow()])))
            others = [asyncio.create_task(enricher.find(subject([slow()]))) for _ in range(10)]
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.gather(*others)
        assert [path for path, _ in server.asked].count("rules") == 1


async def test_rules_that_could_not_be_had_are_asked_for_again() -> None:
    failing = [hostile.refused(503, "starting")]
    with Hostile(lambda path, _: failing.pop() if path == "rules" and failing else None) as server:
        async with httpx.AsyncClient(trust_env=False) as client:
            enricher = PrometheusEnricher(Prometheus(server.url, client))
            with pytest.raises(NeighbourFailed, match="starting"):
                await enricher.find(subject([slow()]))
            assert found(await enricher.find(subject([slow()]))).now == 0.5


@pytest.mark.parametrize("span", [0, 1, 239, 240, 3_600, 86_400, 31_536_000])
def test_no_range_has_too_many_points(span: int) -> None:
    length = timedelta(seconds=span)
    assert length // step_of(length) + 1 <= MOST_POINTS < 11_000


@pytest.mark.neighbour
async def test_ten_thousand_series_of_a_real_prometheus(tmp_path: Path) -> None:
    exporter = Exporter()
    for number in range(10_000):
        exporter.set("wide_seconds", float(number), shard=f"shard-{number}", zone="b")
    wide = rules(rule("Wide", "wide_seconds > 9949"))
    with pipeline(tmp_path, wide, exporter=exporter, interval="5s") as seen:
        alerts = seen.alerted.alerts("Wide", 50)
        began = time.monotonic()
        measured = found(await seen.find(alerts))
        assert time.monotonic() - began < 5
        assert len(seen.requests) <= 6
        assert (measured.now, measured.series) == (9_999.0, 50)
        assert (measured.targets_down, measured.targets) == ([], 1)
        assert measured.worst[0].labels == {"shard": "shard-9999"}
        assert {sample.value for sample in measured.line} == {9_999.0}
        seen.prometheus.pause()
        with pytest.raises(NeighbourFailed, match=r"did not answer within 0\.6 s"):
            await find(seen.prometheus.url, alerts, patience=0.6)
        seen.prometheus.resume()
