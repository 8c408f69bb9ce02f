"""Which matchers are proposed for which alerts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.alerts import Labels
from app.core.proposing import propose
from app.core.silences import mutes

LAG_1 = {"alertname": "KafkaLag", "topic": "pix", "broker": "1", "severity": "critical"}
LAG_2 = {**LAG_1, "broker": "2"}
LAG_3 = {**LAG_1, "broker": "3"}
TED = {**LAG_1, "topic": "ted"}
DISK = {"alertname": "DiskFull", "broker": "1", "severity": "critical"}


def proposed(chosen: Sequence[Labels], others: Sequence[Labels]) -> list[str]:
    return [str(matcher) for matcher in propose(chosen, others)]


@pytest.mark.parametrize(
    ("chosen", "others", "matchers"),
    [
        ([LAG_1, LAG_2], [], ['alertname="KafkaLag"', 'severity="critical"', 'topic="pix"']),
        ([LAG_1], [LAG_2], ['alertname="KafkaLag"', 'broker="1"', 'severity="critical"', 'topic="pix"']),
        # Narrowed by what tells them from the others, and by nothing else.
        ([LAG_1, LAG_2], [LAG_3, DISK], ['alertname="KafkaLag"', 'severity="critical"', 'topic="pix"', 'broker=~"1|2"']),
        ([LAG_1, TED], [LAG_2], ['alertname="KafkaLag"', 'broker="1"', 'severity="critical"']),
        # The name is among them even where they do not share it.
        ([LAG_1, DISK], [], ['alertname=~"DiskFull|KafkaLag"', 'broker="1"', 'severity="critical"']),
        # What nothing can tell apart stays in.
        ([LAG_1, LAG_2], [{**LAG_1, "pod": "x"}], ['alertname="KafkaLag"', 'severity="critical"', 'topic="pix"']),
        # Values mean themselves.
        ([{"alertname": "A", "a": "x.y"}, {"alertname": "A", "a": "x+"}], [{"alertname": "A", "a": "xzy"}], ['alertname="A"', r'a=~"x\\+|x\\.y"']),
        # Without a name, by what there is; with nothing in common, by nothing.
        ([{"a": "1", "b": "2"}], [], ['a="1"', 'b="2"']),
        ([{"a": "1"}, {"b": "2"}], [], []),
        ([], [LAG_1], []),
    ],
)  # fmt: skip
def test_what_is_proposed(chosen: list[Labels], others: list[Labels], matchers: list[str]) -> None:
    assert proposed(chosen, others) == matchers


def test_what_keeps_most_out_comes_first_and_what_adds_nothing_never() -> None:
    chosen = [{"alertname": "A", "x": str(n), "y": str(n % 2)} for n in range(3)]
    others = [{"alertname": "A", "x": "9", "y": str(n % 3)} for n in range(6)]
    assert proposed(chosen, others) == ['alertname="A"', 'x=~"0|1|2"']


def test_so_many_values_that_nobody_reads_them_are_not_named() -> None:
    chosen = [{"alertname": "A", "pod": f"pod-{n}"} for n in range(51)]
    assert proposed(chosen, [{"alertname": "A", "pod": "other"}]) == ['alertname="A"']


_LABELS = st.dictionaries(
    st.sampled_from(["alertname", "a", "b", "dépôt.name"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4),
)


@given(st.lists(_LABELS, min_size=1, max_size=4), st.lists(_LABELS, max_size=4))
def test_the_chosen_are_always_muted(chosen: list[Labels], others: list[Labels]) -> None:
    matchers = propose(chosen, others)
    assert all(mutes(matchers, labels) for labels in chosen)
