"""What an Alertmanager says of itself, recorded and odd."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alertmanager.status import Running, read_status

RECORDED = Path(__file__).parents[1] / "recordings" / "api" / "am025_status.json"
CONFIG = """
route:
  receiver: default
  group_interval: 2m
  routes:
    - {receiver: plantao, routes: [{group_interval: 7m}, {group_interval: 1m}]}
    - {receiver: other, group_interval: 1h}
receivers:
  - {name: default}
  - {name: plantao, webhook_configs: [{url: 'http://plantao:8080/webhooks/alertmanager'}]}
  - {name: other, webhook_configs: [{url: 'http://elsewhere/hook'}]}
"""


def status(config: object, **more: object) -> dict[str, Any]:
    return {"config": {"original": config}, **more}


def test_the_recorded_one() -> None:
    running = read_status(json.loads(RECORDED.read_text()))
    assert running.up_since is not None
    assert running.group_intervals["default"] == timedelta(seconds=10)
    assert running.group_intervals["rec-flap"] == timedelta(seconds=6)
    assert "rec-group5" in running.receivers


def test_receivers_and_intervals_are_inherited_and_the_longest_counts() -> None:
    running = read_status(status(CONFIG, uptime="2026-11-23T06:00:00.5Z"))
    assert running.up_since == datetime(2026, 11, 23, 6, 0, 0, 500_000, tzinfo=UTC)
    assert running.receivers == {"plantao"}
    assert running.news_within({"plantao"}) == timedelta(minutes=7)
    assert running.news_within({"default"}) == timedelta(minutes=2)
    assert running.news_within({"unheard of"}) == timedelta()
    assert running.news_within(None) == timedelta(hours=1)


def test_without_a_group_interval_it_is_alertmanagers_own() -> None:
    running = read_status(status("route: {receiver: a}"))
    assert running.news_within({"a"}) == timedelta(minutes=5)


def test_hidden_addresses_may_all_be_ours() -> None:
    hidden = CONFIG.replace("http://plantao:8080/webhooks/alertmanager", "<secret>")
    assert read_status(status(hidden)).receivers == {"plantao"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"config": None},
        status(None),
        status("{"),
        status("- a list"),
        status("route: [1]\nreceivers: 7"),
        status("receivers: [{name: a, webhook_configs: [null]}]"),
        {"uptime": "yesterday"},
        {"uptime": "2026-11-23T06:00:00"},
    ],
)
def test_what_it_does_not_tell_is_left_out(answer: dict[str, Any]) -> None:
    assert read_status(answer) == Running()
