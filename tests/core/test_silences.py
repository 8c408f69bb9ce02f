"""What may be silenced, for how long, and our mark in Alertmanager's comment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.matchers import parse_matchers
from app.core.silences import (
    ListedSilence,
    Silence,
    SilenceState,
    check,
    check_length,
    is_same_wish,
    marked_comment,
    page,
)
from app.errors import InvalidSilence

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SILENCE = Silence(
    incident=12,
    matchers=parse_matchers('alertname="KafkaLag"'),
    by="Ana",
    comment="restarting",
    starts_at=NOW,
    ends_at=NOW + HOUR,
    token="0123456789abcdef",
)


@pytest.mark.parametrize(
    "text",
    [
        'alertname="KafkaLag"',
        'alertname=~"Kafka.*"',
        'alertname=~"Kafka.*", severity!="critical"',
        'team=~".+", alertname="KafkaLag"',
        '"dépôt.name"="x"',
    ],
)
def test_what_names_something_is_a_silence(text: str) -> None:
    check(parse_matchers(text), ends_at=NOW + HOUR, now=NOW)


@pytest.mark.parametrize(
    "text",
    ["", 'alertname=~".*"', 'alertname=~".+"', 'alertname!=""', 'a!="b"', 'a!~"b", c=~"|x"', 'a=""'],
)  # fmt: skip
def test_what_names_nothing_is_none(text: str) -> None:
    with pytest.raises(InvalidSilence):
        check(parse_matchers(text), ends_at=NOW + HOUR, now=NOW)


def test_more_matchers_than_anybody_reads() -> None:
    many = parse_matchers(",".join(f'a{n}="x"' for n in range(101)))
    with pytest.raises(InvalidSilence, match="at most 100"):
        check(many, ends_at=NOW + HOUR, now=NOW)


def test_an_end_that_is_none() -> None:
    with pytest.raises(InvalidSilence, match="in the past"):
        check(SILENCE.matchers, ends_at=NOW, now=NOW)


def test_the_longest() -> None:
    check_length(HOUR, longest=HOUR)
    with pytest.raises(InvalidSilence, match="at most 1h"):
        check_length(HOUR + timedelta(seconds=1), longest=HOUR)


@pytest.mark.parametrize(
    ("length", "before"), [(120, 10), (100, 10), (60, 6), (10, 1), (60 * 24, 10)]
)
def test_when_its_end_is_near(length: int, before: int) -> None:
    silence = replace(SILENCE, ends_at=NOW + timedelta(minutes=length))
    warned = silence.ends_at - silence.warns_at(timedelta(minutes=10))
    assert warned == timedelta(minutes=before)


@pytest.mark.parametrize(
    ("otherwise", "same"),
    [
        ({}, True),
        ({"starts_at": NOW + timedelta(seconds=60)}, True),  # a second press
        ({"starts_at": NOW + timedelta(seconds=61)}, False),
        ({"ends_at": NOW + timedelta(minutes=61)}, True),  # an hour from a minute later on
        ({"ends_at": NOW + timedelta(minutes=59)}, True),
        ({"ends_at": NOW + 2 * HOUR}, False),
        ({"by": "Bruno"}, False),
        ({"matchers": parse_matchers('alertname="KafkaDown"')}, False),
        ({"comment": "another reason"}, True),
    ],
)
def test_what_is_asked_for_twice(otherwise: dict[str, Any], same: bool) -> None:
    known = replace(SILENCE, state=SilenceState.ACTIVE)
    assert is_same_wish(known, replace(SILENCE, **otherwise)) is same


@pytest.mark.parametrize(
    "state", [SilenceState.ENDED, SilenceState.NOT_MADE, SilenceState.DOUBTFUL]
)
def test_what_is_over_may_be_asked_for_again(state: SilenceState) -> None:
    assert not is_same_wish(replace(SILENCE, state=state), SILENCE)


@pytest.mark.parametrize("comment", ["", "restarting", "a · b [plantao:x]", "Plantão #1 x"])
def test_our_mark_is_found_and_taken_off_again(comment: str) -> None:
    text = marked_comment(replace(SILENCE, comment=comment), "https://p.example/incidents/12")
    listed = ListedSilence("r", (), "Ana", text, NOW, NOW + HOUR, NOW, "active")
    assert listed.token == SILENCE.token
    assert listed.reason == comment


@pytest.mark.parametrize("comment", ["", "[plantao:0123456789abcdef] later", "[plantao:xyz]"])
def test_what_only_looks_like_it(comment: str) -> None:
    listed = ListedSilence("r", (), "Ana", comment, NOW, NOW + HOUR, NOW, "active")
    assert listed.token == ""
    assert listed.reason == comment


def test_its_page() -> None:
    assert page("http://am:9093/", "a/b#c") == "http://am:9093/#/silences/a%2Fb%23c"
