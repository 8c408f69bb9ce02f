"""Storms, limits and outages: nothing is lost, nothing is said too fast, urgent comes first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.clock import FakeClock
from tests.engine.stage import CHANNEL, DIRECT, Stage, nowhere, playing, stage
from tests.house import alert
from tests.neighbours.slack import Fault, SlackServer, Workspace

CHANNELS = [f"plantao-{number}" for number in range(8)]


def warning(number: int, **more: Any) -> dict[str, Any]:
    return alert(f"Disk{number}", severity="warning", **more)


def critical(number: int = 0, **more: Any) -> dict[str, Any]:
    return alert(f"Fraud{number}", severity="critical", **more)


async def everything_shown(play: Stage) -> None:
    """Let time pass until every posting shows its incident's present revision."""
    while True:
        incidents = await play.house.incidents(limit="500")
        shown = [(p, i) for i in incidents for p in i["postings"]]
        if all(p["state"] == "shown" and p["shown_revision"] == i["revision"] for p, i in shown):
            return
        await play.play(lambda: True)
        await play.clock.advance(seconds=10)


def said_in_order(play: Stage) -> bool:
    """Whether every thread tells its entries in the order in which they happened."""
    told: dict[str, list[int]] = {}
    for message in play.slack.all_messages():
        payload = (message.metadata or {}).get("event_payload", {})
        told.setdefault(payload.get("posting", ""), []).append(payload.get("entry", 0))
    replies = [[entry for entry in entries if entry > 0] for entries in told.values()]
    return all(entries == sorted(set(entries)) for entries in replies)


async def test_a_critical_incident_is_shown_next_in_a_storm(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.allow(containing="Disk")
        for number in range(300):
            await play.fire(warning(number))
        await play.play(lambda: len(play.slack.roots()) > 10)
        before = len(play.slack.roots())
        assert before < 60
        await play.fire(critical())
        await play.play(lambda: any("Fraud0" in root for root in play.slack.roots()))
        assert any("Fraud0" in root for root in play.slack.roots()[before : before + 3])
        root = await play.root("CRITICAL")
        await play.reply(root)
        await play.clock.advance(seconds=60)
        assert play.rate_limited() == 0


async def test_new_incidents_come_before_changes_and_details(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.allow(containing=())
        for number in range(20):
            await play.fire(warning(number))
        await play.play(lambda: len(play.slack.roots()) == 20)
        assert len(play.slack.all_messages()) - len(play.slack.roots()) <= 2


async def test_slack_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.faults.add(Fault("ratelimited", retry_after=45))
        await play.fire(critical())
        root = await play.root("CRITICAL")
        await play.reply(root)
        refused, next_one, *_ = play.slack.calls()
        assert next_one.at - refused.at >= 45
        await play.quiet()
        assert play.rate_limited() == 1


async def test_edits_in_many_channels_stay_below_the_limit_of_the_method(tmp_path: Path) -> None:
    """Slack counts chat.update for the whole workspace, whatever the channel."""

    def workspace(clock: FakeClock) -> Workspace:
        slack = Workspace(clock=clock.time)
        for name in CHANNELS:
            slack.add_channel(name)
        return slack

    async with stage(tmp_path, workspace=workspace, config=_by_channel()) as play:
        play.slack.allow(containing=())
        for second in range(60):
            for number in range(8):
                notes = {"summary": f"{second} seconds"}
                await play.fire(critical(number, channel=str(number), annotations=notes))
            await play.clock.advance(seconds=3, settle=0.01)
        await everything_shown(play)
        assert len(play.slack.roots(CHANNELS[0])) == 1
        edits = Counter(call.status for call in play.slack.calls("chat.update"))
        assert edits[429] <= edits[200] / 4


def _by_channel() -> str:
    names = range(len(CHANNELS))
    receivers = "\n".join(f"  r{n}: {{slack: {{channel: '#{CHANNELS[n]}'}}}}" for n in names)
    routes = "\n".join(f"    - {{matchers: ['channel=\"{n}\"'], receiver: r{n}}}" for n in names)
    return f"receivers:\n{receivers}\nroutes:\n  receiver: r0\n  routes:\n{routes}\n"


async def an_hour_of_news(play: Stage) -> None:
    """Incidents open, grow, end and reopen while nobody can be told."""
    for number in range(6):
        await play.fire(critical(number, instance="a"))
    await play.clock.advance(minutes=20)
    for number in range(6):
        await play.fire(critical(number, instance="b"))
    await play.clock.advance(minutes=20)
    for number in range(4):
        over = {"status": "resolved", "ends": "2026-11-23T06:35:00Z"}
        both = [critical(number, instance=name, **over) for name in "ab"]
        await play.fire(*both)
    await play.clock.advance(minutes=10)
    await play.fire(critical(0, instance="a", starts="2026-11-23T06:49:00Z"))
    await play.clock.advance(minutes=10)


async def told_afterwards(play: Stage) -> None:
    play.slack.allow(containing=())
    await play.clock.advance(seconds=75)
    await everything_shown(play)
    await play.quiet()
    assert said_in_order(play)
    roots = [root for root in play.slack.roots() if "PlantaoDeliveryFailing" not in root]
    assert len(roots) == 6
    assert sum("Resolved" in root for root in roots) == 3
    assert sum("CRITICAL" in root for root in roots) == 3
    assert play.rate_limited() == 0


async def test_an_hour_without_slack_unreachable(tmp_path: Path) -> None:
    clock = FakeClock()
    slack = Workspace(clock=clock.time)
    port, address = nowhere()
    async with playing(tmp_path, clock, slack, address, DIRECT) as play:
        await an_hour_of_news(play)
        assert (await play.posting())["state"] == "failing"
        with SlackServer(slack, port=port):
            await told_afterwards(play)


@pytest.mark.parametrize("kind", ["http_error", "record_then_http_error"])
async def test_an_hour_without_slack_answering(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path) as play:
        posts = "chat.postMessage" if kind.startswith("record") else None
        play.slack.faults.add(Fault(kind, method=posts, times=None))
        await an_hour_of_news(play)
        assert len(play.slack.calls()) < 400
        play.slack.faults.clear()
        await told_afterwards(play)
        assert play.slack.roots()[0].channel == play.slack.channel_id(CHANNEL)
