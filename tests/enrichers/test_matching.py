"""Which series are an alert's, and which is the worst."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.core.alerts import Alert
from app.core.facts import SeriesValue, Threshold
from app.enrichers.asking import apart, only, together
from app.enrichers.judging import judge, moment
from app.enrichers.matching import Fitting, worst_first
from app.enrichers.promql import Comparison, Reason, read, split
from tests.enrichers.pipeline import alert

_names = st.sampled_from(["job", "instance", "shard", "zone"])
_labels = st.dictionaries(_names, st.sampled_from(["1", "2", "3"]))
_series = st.lists(
    st.builds(SeriesValue, _labels, st.floats(-9, 9)),
    max_size=12,
    unique_by=lambda each: frozenset(each.labels.items()),
)


def _with(labels: dict[str, str]) -> Alert:
    return replace(alert("A"), labels={"alertname": "A", **labels})


@given(_labels, _series)
def test_a_series_with_all_labels_in_the_alert_is_the_alert_s(
    labels: dict[str, str], series: list[SeriesValue]
) -> None:
    found = Fitting([_with({"cluster": "x", **labels})]).among(series)
    whole = [each for each in series if each.labels.items() <= labels.items()]
    if whole:
        assert sorted(found, key=id) == sorted(whole, key=id)
    else:
        assert len(found) <= 1
        for each in found:
            assert all(labels.get(name, value) == value for name, value in each.labels.items())


def test_a_label_that_the_rule_adds_hides_the_series_own() -> None:
    series = [SeriesValue({"job": "api", "shard": "1"}, 1.0)]
    relabelled = alert("A", job="shown", shard="1")
    assert Fitting([relabelled]).among(series) == []
    assert Fitting([relabelled], frozenset({"job"})).among(series) == series


@given(_series, st.sampled_from([">", "<", ">=", "<=", "==", "!="]), st.floats(-9, 9))
def test_the_worst_comes_first(series: list[SeriesValue], operator: str, limit: float) -> None:
    threshold = Threshold(operator, limit)
    ordered = worst_first(series, Comparison("a", threshold, operator=operator), threshold)
    values = [each.value for each in ordered]
    assert sorted(values) == sorted(each.value for each in series)
    if operator.startswith(">"):
        assert values == sorted(values, reverse=True)
    if operator.startswith("<"):
        assert values == sorted(values)


def test_what_was_asked_together_is_told_apart() -> None:
    assert together(["a"]) == "a"
    query = together(["a > 1", "b or c"])
    assert not isinstance(read(query), Reason)
    answer = [
        SeriesValue({"x": "1", "plantao_part": "1"}, 2.0),
        SeriesValue({"plantao_part": "0"}, 1.0),
        SeriesValue({"plantao_part": "9"}, 3.0),
    ]
    assert apart(answer, 2) == [[SeriesValue({}, 1.0)], [SeriesValue({"x": "1"}, 2.0)]]


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=4))
def test_one_series_is_asked_for_in_promql(labels: dict[str, str]) -> None:
    assert not isinstance(read(only("a", labels)), Reason)


def test_of_alternatives_a_value_explains_an_alert_before_an_absence() -> None:
    comparison = split("absent(a) or b > 1")
    firing = [alert("A")]
    held = moment(comparison, [SeriesValue({"plantao_part": "1"}, 2.0)])
    judged = judge(comparison, Fitting(firing), held, None)
    assert (judged.comparison.left, judged.no_threshold) == ("b", Reason.HELD)
    absent = judge(comparison, Fitting(firing), moment(comparison, []), None)
    assert (absent.comparison.left, absent.no_threshold) == ("a", Reason.ABSENT)


def test_a_threshold_of_several_series_is_no_single_one() -> None:
    comparison = split("a > on (x) b")
    alerts = [alert("A", x="1"), alert("A", x="2")]
    limits = [SeriesValue({"plantao_part": "1", "x": x}, float(x)) for x in ("1", "2")]
    both = judge(comparison, Fitting(alerts), moment(comparison, limits), None)
    assert (both.threshold, both.no_threshold) == (None, Reason.VARIES)
    one = judge(comparison, Fitting(alerts[1:]), moment(comparison, limits), None)
    assert (one.threshold, one.no_threshold) == (Threshold(">", 2.0), None)
