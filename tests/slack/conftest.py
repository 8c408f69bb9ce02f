"""Fixtures for these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.neighbours.slack import Person, Workspace
from tests.slack.app import App, Stage, stage


@pytest.fixture
async def play() -> AsyncIterator[Stage]:
    """At the end nothing may be left that nobody expected."""
    async with stage() as each:
        each.slack.allow()
        yield each
        each.slack.assert_nothing_unexpected()


@pytest.fixture
def app(play: Stage) -> App:
    return play.app


@pytest.fixture
def slack(play: Stage) -> Workspace:
    return play.slack


@pytest.fixture
def ana(slack: Workspace) -> Person:
    return slack.person("ana")


@pytest.fixture
def bruno(slack: Workspace) -> Person:
    return slack.person("bruno")
