"""Expressions taken apart; those of popular rule packs among them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from httpx import HTTPStatusError
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.facts import Threshold
from app.enrichers.promql import LONGEST, Reason, Selector, quoted, read, selectors, split
from tests.neighbours.prometheus import Prometheus

# fmt: off
# The expression, its left side ("" where it is the expression), operator, threshold, reason.
CASES: list[tuple[str, str, str, float | None, Reason | None]] = [
    ("a > 5", "a", ">", 5, None),
    ("a >= 5", "a", ">=", 5, None),
    ("a == 0", "a", "==", 0, None),
    ("a != 1", "a", "!=", 1, None),
    ("a > 5 * 60", "a", ">", 300, None),
    ("a > (1 - 0.999) * 14.4", "a", ">", (1 - 0.999) * 14.4, None),
    ("a < -2^3", "a", "<", -8, None),
    ("a > 7 % 4", "a", ">", 3, None),
    ("a > 1e9", "a", ">", 1e9, None),
    ("a > 0x10", "a", ">", 16, None),
    ("a > 5m", "a", ">", 300, None),
    ("-a > -5", "-a", ">", -5, None),
    ("(((a))) > (5)", "a", ">", 5, None),
    ("a / b > 0.05", "a / b", ">", 0.05, None),
    ("0.05 < a / b", "a / b", ">", 0.05, None),
    ("300 >= a", "a", "<=", 300, None),
    ("0 != a", "a", "!=", 0, None),
    ("a > bool 0", "a", ">", 0, None),
    ("(a > bool 5) == 1", "a", ">", 5, None),
    ("time() > bool 5", "vector(time())", ">", 5, None),
    ("a > on () vector(5)", "a", ">", 5, None),
    ("a > scalar(vector(5))", "a", ">", 5, None),
    ("a > b", "a", ">", None, Reason.QUERY),
    ("a > on (x) group_left (y) b", "a", ">", None, Reason.QUERY),
    ("a > on (x) 2 * b", "a", ">", None, Reason.QUERY),
    ("a > scalar(b)", "a", ">", None, Reason.QUERY),
    ("a > NaN", "a", ">", None, Reason.NOT_FINITE),
    ("a > -Inf", "a", ">", None, Reason.NOT_FINITE),
    ("a > 1 / 0", "a", ">", None, Reason.NOT_FINITE),
    ("a > (-8) ^ 0.5", "a", ">", None, Reason.NOT_FINITE),
    ('absent(up{job="x"})', 'up{job="x"}', "", None, Reason.ABSENT),
    ('absent(up{job="x"} == 1)', 'up{job="x"} == 1', "", None, Reason.ABSENT),
    ("absent_over_time(up[5m] offset 1d)", "up offset 1d", "", None, Reason.ABSENT),
    ("absent_over_time(rate(a[5m])[1h:])", "rate(a[5m])", "", None, Reason.ABSENT),
    ("a unless b", "a", "", None, Reason.UNLESS),
    ("a > 5 unless on (x) b", "a", ">", 5, Reason.UNLESS),
    ("absent(a) unless b", "a", "", None, Reason.ABSENT),
    ("a > 5 and b < 6", "a", ">", 5, Reason.FURTHER),
    ("(a > 5) and on (x) (b < 6) and c", "a", ">", 5, Reason.FURTHER),
    ("a and on (x) b > 6", "b", ">", 6, Reason.FURTHER),
    ("a and b", "a", "", None, Reason.NOT_COMPARED),
    ("a > b and c > 1", "a", ">", None, Reason.QUERY),
    ("0 < a < 10", "a", "<", 10, Reason.FURTHER),
    ("a > b > 5", "a", ">", 5, Reason.FURTHER),
    ("a > 5 or b > 6", "a", ">", 5, Reason.FIRST),
    ("topk(5, a > 5)", "topk(5, a)", ">", 5, None),
    ("sort_desc(a > 5)", "sort_desc(a)", ">", 5, None),
    (
        'label_replace(a > 5, "x", "$1", "y", "(.*)")',
        'label_replace(a, "x", "$1", "y", "(.*)")', ">", 5, None,
    ),
    ("sum(a > 5)", "", "", None, Reason.NOT_COMPARED),
    ("count(up == 0) > 2", "count(up == 0)", ">", 2, None),
    ("vector(1)", "", "", None, Reason.NOT_COMPARED),
    ('a{path=~`\\d+"`} > 1', 'a{path=~"\\\\d+\\""}', ">", 1, None),
    (
        "max_over_time(rate(a[5m])[1h:1m] offset 5m) == 1",
        "max_over_time(rate(a[5m])[1h:1m] offset 5m)", "==", 1, None,
    ),
    ("# why\na > 1", "a", ">", 1, None),
    ("holt_winters(a[5m], 0.5, 0.5) > 1", "holt_winters(a[5m], 0.5, 0.5)", ">", 1, None),
    ("sum(a", "", "", None, Reason.UNREADABLE),
    ("", "", "", None, Reason.UNREADABLE),
    ("a[$__interval] > 1", "", "", None, Reason.UNREADABLE),
    # kube-prometheus and the Prometheus mixin
    (
        "apiserver_request:burnrate1h > (14.40 * 0.01000)"
        " and apiserver_request:burnrate5m > (14.40 * 0.01000)",
        "apiserver_request:burnrate1h", ">", 14.4 * 0.01, Reason.FURTHER,
    ),
    (
        'max_over_time(prometheus_config_last_reload_successful{job="p"}[5m]) == 0',
        'max_over_time(prometheus_config_last_reload_successful{job="p"}[5m])', "==", 0, None,
    ),
    (
        'increase(prometheus_tsdb_compactions_failed_total{job="p"}[3h]) > 0',
        'increase(prometheus_tsdb_compactions_failed_total{job="p"}[3h])', ">", 0, None,
    ),
    (
        '(node_filesystem_avail_bytes{fstype!=""} / node_filesystem_size_bytes{fstype!=""} * 100'
        ' < 15 and predict_linear(node_filesystem_avail_bytes{fstype!=""}[6h], 24 * 60 * 60) < 0'
        ' and node_filesystem_readonly{fstype!=""} == 0)',
        'node_filesystem_avail_bytes{fstype!=""} / node_filesystem_size_bytes{fstype!=""} * 100',
        "<", 15, Reason.FURTHER,
    ),
    (
        "kube_deployment_status_replicas_available != kube_deployment_spec_replicas",
        "kube_deployment_status_replicas_available", "!=", None, Reason.QUERY,
    ),
    (
        "100 * (count(up == 0) BY (cluster, job) / count(up) BY (cluster, job)) > 10",
        "100 * (count by (cluster, job) (up == 0) / count by (cluster, job) (up))", ">", 10, None,
    ),
    (
        "time() - max(kube_job_status_start_time and kube_job_status_active > 0) by (job) > 43200",
        "time() - max by (job) (kube_job_status_start_time and kube_job_status_active > 0)",
        ">", 43200, None,
    ),
    # awesome-prometheus-alerts
    (
        "kafka_controller_kafkacontroller_activecontrollercount != 1",
        "kafka_controller_kafkacontroller_activecontrollercount", "!=", 1, None,
    ),
    (
        "sum(kafka_consumergroup_lag) by (consumergroup) > 10000",
        "sum by (consumergroup) (kafka_consumergroup_lag)", ">", 10_000, None,
    ),
    (
        "(node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100 < 10)"
        ' * on (instance) group_left (nodename) node_uname_info{nodename=~".+"}',
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100",
        "<", 10, None,
    ),
    # Strimzi
    (
        'sum without(job) (rate(kafka_network_requestmetrics_errors_total{error!="NONE"}[5m])) > 0',
        'sum without (job) (rate(kafka_network_requestmetrics_errors_total{error!="NONE"}[5m]))',
        ">", 0, None,
    ),
]
# fmt: on


@pytest.mark.parametrize(("expression", "left", "operator", "threshold", "reason"), CASES)
def test_what_is_compared(
    expression: str, left: str, operator: str, threshold: float | None, reason: Reason | None
) -> None:
    found = split(expression)
    assert "".join(found.left.split()) == "".join((left or expression).split())
    assert (found.operator, found.reason) == (operator, reason)
    assert found.threshold == (None if threshold is None else Threshold(operator, threshold))


def test_a_threshold_that_is_a_query_can_be_queried() -> None:
    assert split("a > on (x) 2 * b").right == "2 * b"
    assert split("b + 1 < scalar(a)").right == "vector(scalar(a))"


def test_alternatives_keep_their_own_thresholds() -> None:
    found = split("(a > 1 and b > 1) or (c > 2 and d > 2) or absent(e)")
    assert found.threshold == Threshold(">", 1)
    assert [(each.left, each.threshold) for each in found.alternatives] == [
        ("c", Threshold(">", 2)),
        ("e", None),
    ]


def test_a_long_expression_stays_on_one_line() -> None:
    names = ", ".join(f"label_{number}" for number in range(20))
    left = f'sum by ({names}) (rate(requests_total{{path="a\\n  b"}}[5m]))'
    assert split(f"{left} > 1").left == left


@pytest.mark.parametrize(
    "expression",
    [
        "a" * (LONGEST + 1),
        "(" * 100_000 + "a" + ")" * 100_000,
        "(" * 51 + "a" + ")" * 51,
        "-" * 5_000 + "a",
        " or ".join(["a > 1"] * 400),
        "+".join(["1"] * 400),
    ],
)
def test_what_would_take_the_parser_too_long_is_not_parsed(expression: str) -> None:
    assert split(expression).reason is Reason.TOO_LONG
    assert selectors(expression) == ()


def test_the_largest_expression_takes_milliseconds() -> None:
    began = time.process_time()
    assert split(" or ".join(["a" * 40 + " > 1"] * 75)).threshold is not None
    assert time.process_time() - began < 0.2


def test_brackets_in_strings_are_no_depth() -> None:
    assert split(f'a{{b="{"(" * 200}"}} > 1').threshold == Threshold(">", 1)


def test_selectors_are_without_time_and_each_once() -> None:
    assert selectors(
        'rate(a{job=~"x|y",code!="5"}[5m] offset 1d) / a > b or {__name__=~"c.*"}'
    ) == (
        Selector("a", 'a{job=~"x|y",code!="5"}', ('job=~"x|y"',), names_job=True),
        Selector("a", "a", (), names_job=False),
        Selector("b", "b", (), names_job=False),
        Selector("", '{__name__=~"c.*"}', (), names_job=False),
    )
    assert selectors('up{instance!~"a.*"}')[0].target_matchers == ('instance!~"a.*"',)
    assert selectors("sum(") == ()


@given(st.text())
def test_a_label_s_value_is_read_back_as_it_was(value: str) -> None:
    expression = f"a{{job={quoted(value)}}} > 1"
    (selector,) = selectors(expression)
    assert selector.text == expression.removesuffix(" > 1")
    (again,) = selectors(f"{split(expression).left} > 1")
    assert again == selector


_metrics = st.sampled_from(["a", "b:c_total", 'up{job="x",y!~"z|é"}', "rate(d[5m])", "time()"])
_numbers = st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)
_operators = st.sampled_from(
    ["+", "-", "*", "/", "^", "%", ">", "<=", "== bool", "and", "or", "unless", "> on (x)"]
)


def _larger(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(smaller, _operators, smaller).map(" ".join),
        smaller.map("({})".format),
        smaller.map("-{}".format),
        smaller.map("absent({})".format),
        smaller.map("sum by (x) ({})".format),
        smaller.map("topk(3, {})".format),
        smaller.map("max_over_time(({})[1h:1m])".format),
    )


expressions = st.recursive(st.one_of(_metrics, _numbers), _larger, max_leaves=8)


@given(expressions)
@settings(max_examples=300)
def test_what_is_split_can_be_read_again(expression: str) -> None:
    found = split(expression)
    for each in (found, *found.alternatives):
        if each.reason is not Reason.UNREADABLE:
            assert not isinstance(read(each.left), Reason)
            assert not each.right or not isinstance(read(each.right), Reason)
        assert (each.threshold is None) <= (each.reason is not None)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
@settings(max_examples=300)
def test_any_text_is_answered(text: str) -> None:
    assert split(text).left is not None
    assert selectors(f"{text} > 1") is not None


@pytest.mark.neighbour
def test_prometheus_reads_what_is_written_as_it_reads_the_rule(tmp_path: Path) -> None:
    newer = []
    with Prometheus(tmp_path) as prometheus:
        for expression, *_, reason in CASES:
            tree = read(expression)
            if isinstance(tree, Reason):
                assert reason is tree
                continue
            try:
                formatted = prometheus.api("format_query", query=expression)
            except HTTPStatusError:
                newer.append(expression)
                continue
            assert prometheus.api("format_query", query=tree.prettify()) == formatted
            found = split(expression)
            for query in filter(None, (found.left, found.right)):
                assert prometheus.api("query", query=query)["resultType"] == "vector"
    assert newer == ["a > 5m"]
