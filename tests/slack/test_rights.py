"""Who is who, and who may act."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.notifiers.slack_api import SlackApi
from app.slack.directory import Directory
from app.slack.requests import Caller
from tests.clock import FakeClock
from tests.engine.stage import DIRECT
from tests.neighbours.slack import BOT_TOKEN, Fault, SlackServer, Workspace
from tests.slack.workplace import PORTUGUESE, Workplace, workplace

LIMITED = f"{DIRECT}slack: {{allowed_usergroups: [oncall]}}\n"


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path, config=LIMITED) as each:
        each.slack.add_group("oncall", "ana")
        yield each


async def test_only_people_of_the_group_act(limited: Workplace) -> None:
    root = await limited.incident()
    ana, bruno = limited.slack.person("ana"), limited.slack.person("bruno")
    await bruno.click(root, "incident.acknowledge")
    await bruno.expect_ephemeral_soon("Only people in these user groups may act here: @oncall.")
    said = bruno.say("I found it", thread_of=root)
    await bruno.react(said, "pushpin")
    await bruno.expect_ephemeral_soon("Only people in these user groups")
    await bruno.click(root, "incident.note")
    modal = await bruno.expect_modal_soon("Note")
    modal.fill("text", "I found it")
    await modal.submit()
    await bruno.expect_ephemeral_soon("Only people in these user groups")
    await bruno.command("/plantao list")  # everybody may look
    await bruno.expect_ephemeral_soon("1 open incident")
    await ana.click(root, "incident.acknowledge")
    await limited.shows(root, "Acknowledged by Ana Souza")
    assert await limited.entries("note") == []


async def test_where_slack_does_not_say_nobody_acts(tmp_path: Path) -> None:
    config = f"{PORTUGUESE}slack: {{allowed_usergroups: [oncall]}}\n"
    async with workplace(tmp_path, config=config) as work:
        root, ana = await work.incident(), work.slack.person("ana")
        fault = Fault("error", method="usergroups.list", error="fatal_error", times=None)
        work.slack.faults.add(fault)
        await ana.click(root, "incident.acknowledge")
        await ana.expect_ephemeral_soon("O Slack não diz agora se você pode agir aqui")
        assert await work.state() == "triggered"


async def test_names_while_slack_does_not_tell_them(tmp_path: Path) -> None:
    async with workplace(tmp_path) as work:
        root, ana = await work.incident(), work.slack.person("ana")
        work.slack.faults.add(Fault("error", method="users.info", error="fatal_error"))
        await ana.click(root, "incident.acknowledge")
        await work.shows(root, "Acknowledged by ana")  # her handle
        await ana.click(root, "incident.unacknowledge")  # and it is still her
        await work.shows(root, "CRITICAL", without="Acknowledged")
        refs = [each["actor"] for each in await work.entries("unacknowledged")]
        assert refs == ["Ana Souza"]


# The directory


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def directory(clock: FakeClock) -> AsyncIterator[tuple[Directory, Workspace]]:
    with SlackServer(Workspace(clock=clock.time, rate_limits=False)) as server:
        api = SlackApi(BOT_TOKEN, api_url=server.api_url)
        yield Directory(api, clock), server.workspace
        await api.close()


async def test_people_are_asked_for_once_an_hour(
    directory: tuple[Directory, Workspace], clock: FakeClock
) -> None:
    people, slack = directory
    for _ in range(3):
        found = await people.member(Caller("U0ANA"))
    assert (found.name, found.email, found.may_act) == ("Ana Souza", "ana@example.com", True)
    assert found.person.refs == {"slack:U0ANA", "email:ana@example.com"}
    assert len(slack.calls("users.info")) == 1
    await clock.advance(hours=1)
    slack.users["U0ANA"].display_name = "Aninha"
    assert (await people.member(Caller("U0ANA"))).name == "Aninha"
    assert len(slack.calls("users.info")) == 2


async def test_an_old_answer_is_better_than_none(
    directory: tuple[Directory, Workspace], clock: FakeClock
) -> None:
    people, slack = directory
    await people.member(Caller("U0ANA"))
    slack.faults.add(Fault("drop", method="users.info", times=None))
    await clock.advance(seconds=timedelta(hours=2).total_seconds())
    assert (await people.member(Caller("U0ANA", "ana"))).name == "Ana Souza"
    assert (await people.member(Caller("U0BRUNO", "bruno"))).name == "bruno"


async def test_bots_and_who_has_left_do_not_act(
    directory: tuple[Directory, Workspace],
) -> None:
    people, slack = directory
    slack.deactivate("bruno")
    assert not (await people.member(Caller("U0BRUNO"))).may_act
    assert not (await people.member(Caller("U0PLANTAO"))).may_act
    assert (await people.member(Caller("U0NOBODY"))).name == "U0NOBODY"


async def test_by_address(directory: tuple[Directory, Workspace]) -> None:
    people, slack = directory
    assert await people.by_email("Ana@Example.com ") == "U0ANA"
    assert await people.by_email("nobody@example.com") is None
    assert await people.by_email("nobody@example.com") is None
    assert len(slack.calls("users.lookupByEmail")) == 2
    slack.deactivate("ana")
    assert await people.by_email("ana@example.com") == "U0ANA"  # for an hour


async def test_a_rate_limit_is_not_waited_for(directory: tuple[Directory, Workspace]) -> None:
    people, slack = directory
    slack.faults.add(Fault("ratelimited", method="users.info", retry_after=30))
    assert (await people.member(Caller("U0ANA", "ana"))).name == "ana"
    assert (await people.member(Caller("U0ANA", "ana"))).name == "Ana Souza"
