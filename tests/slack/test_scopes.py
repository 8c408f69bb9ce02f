"""The manifest asks for what the service uses, and for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.notifiers.slack_scopes import GROUPS, HEARING, NAMES, SHOWING
from app.slack import marks
from tests.neighbours.slack.events import SCOPES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "slack" / "manifest.yaml").read_text("utf-8"))
    return found


def test_its_scopes_are_those_that_are_checked(manifest: dict[str, Any]) -> None:
    asked = manifest["oauth_config"]["scopes"]["bot"]
    checked = {name for scope in (*SHOWING, *NAMES, *HEARING, *GROUPS) for name in scope.names}
    assert set(asked) == checked
    assert len(asked) == len(checked)


def test_every_event_has_the_scope_it_needs(manifest: dict[str, Any]) -> None:
    asked = set(manifest["oauth_config"]["scopes"]["bot"])
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert {SCOPES[event] for event in events} - {None} <= asked


def test_its_addresses_and_names_are_ours(manifest: dict[str, Any]) -> None:
    features, settings = manifest["features"], manifest["settings"]
    addresses = [
        settings["interactivity"]["request_url"],
        settings["event_subscriptions"]["request_url"],
        features["slash_commands"][0]["url"],
    ]
    assert [each.removeprefix("https://plantao.example.com") for each in addresses] == [
        "/slack/interactions",
        "/slack/events",
        "/slack/commands",
    ]
    assert [each["callback_id"] for each in features["shortcuts"]] == [marks.ADD]


def test_the_setup_page_names_every_scope() -> None:
    page = (ROOT / "docs" / "slack.md").read_text("utf-8")
    for scope in (*SHOWING, *NAMES, *HEARING, *GROUPS):
        for name in scope.names:
            assert f"`{name}`" in page
