"""Stories about context as it is shown: the chart in its thread, the mail that comes after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.context import Finding, Moment
from app.core.events import ContextFound
from app.engine.apply import apply_event
from app.store import contexts, incidents, postings
from app.store.database import Transaction
from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.neighbours.slack import BOT_TOKEN, Fault, Message, SlackServer, Workspace
from tests.neighbours.smtp import SmtpServer
from tests.notifiers import known

COMPLETE = "files.completeUploadExternal"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def slack(clock: FakeClock) -> Iterator[SlackServer]:
    with SlackServer(Workspace(rate_limits=False, clock=clock.time)) as server:
        yield server


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock, slack: SlackServer) -> AsyncIterator[House]:
    async with serving(
        tmp_path,
        clock=clock,
        slack_bot_token=BOT_TOKEN,
        slack_api_url=slack.api_url,
        slack_channel="#fraude-plantao",
    ) as service:
        yield service


async def measure(house: House, *, source: str = "prometheus") -> None:
    """Prometheus spoke of the first incident, as the loop that asks would store it."""
    context = house.context
    now = context.clock.now()

    def learn(tx: Transaction) -> None:
        incident = incidents.get(tx, 1, for_update=True)
        incident = replace(incident, context=contexts.of_incident(tx, 1))
        finding = Finding(source, Moment.OPENING, now, known.MEASURED)
        apply_event(tx, incident, ContextFound(finding), context.policy.current, now=now)

    await context.db.write(learn)


async def until(clock: FakeClock, true: Callable[[], bool], *, minutes: int = 5) -> None:
    for _ in range(minutes * 12):
        if true():
            return
        await clock.advance(seconds=5, settle=0.1)
    raise AssertionError("it never came")


def thread(slack: SlackServer) -> list[Message]:
    (root,) = slack.workspace.roots()
    return slack.workspace.replies(root)


def charts(slack: SlackServer) -> list[str]:
    return [str(file["name"]) for message in thread(slack) for file in message.files]


async def chart_column(house: House) -> str | None:
    found = await house.context.db.read(postings.of_incidents, [1])
    return found[1][0].chart


async def open_incident(house: House, clock: FakeClock, slack: SlackServer) -> None:
    await house.post(notification(alert("ScoringSlow", severity="critical")))
    await until(clock, lambda: bool(slack.workspace.roots()) and bool(thread(slack)))


async def test_value_and_chart_come_into_the_thread(
    house: House, clock: FakeClock, slack: SlackServer
) -> None:
    await open_incident(house, clock, slack)
    await measure(house)
    await until(clock, lambda: bool(charts(slack)))
    (root,) = slack.workspace.roots()
    assert "830 ms, above 500 ms for 4 min" in root
    assert "Now: 762 ms" in thread(slack)[0]
    assert len(charts(slack)) == 1
    assert str(await chart_column(house)).startswith("F")
    await house.http.post("/incidents/1/notes", json={"by": "ana", "text": "hm"})
    await until(clock, lambda: any("Note by ana: hm" in each for each in thread(slack)))
    assert len(charts(slack)) == 1


async def test_without_the_scope_there_is_no_chart_and_all_else_goes_on(
    house: House, clock: FakeClock, slack: SlackServer
) -> None:
    slack.workspace.set_scopes("chat:write", "channels:history")
    await open_incident(house, clock, slack)
    await measure(house)
    await until(clock, lambda: "830 ms" in slack.workspace.roots()[0])
    await until(clock, lambda: _asked(slack, "files.getUploadURLExternal") == 1)
    await house.http.post("/incidents/1/notes", json={"by": "ana", "text": "hm"})
    await until(clock, lambda: any("Note by ana: hm" in each for each in thread(slack)))
    assert await chart_column(house) == "none"
    assert _asked(slack, "files.getUploadURLExternal") == 1
    shown = (await house.incident(1))["postings"][0]
    assert (shown["state"], shown["last_error"]) == ("shown", None)


async def test_a_chart_that_may_have_come_through_is_looked_for_first(
    house: House, clock: FakeClock, slack: SlackServer
) -> None:
    slack.workspace.faults.add(Fault("record_then_drop", COMPLETE))
    await open_incident(house, clock, slack)
    await measure(house)
    await until(clock, lambda: bool(charts(slack)))
    await house.http.post("/incidents/1/notes", json={"by": "ana", "text": "hm"})
    await until(clock, lambda: any("Note by ana: hm" in each for each in thread(slack)))
    assert len(charts(slack)) == 1
    assert str(await chart_column(house)).startswith("F")


async def test_a_chart_is_tried_twice_and_never_in_the_way(
    house: House, clock: FakeClock, slack: SlackServer
) -> None:
    slack.workspace.faults.add(Fault("error", COMPLETE, error="ratelimited", times=None))
    await open_incident(house, clock, slack)
    await measure(house)
    for number in (1, 2, 3):
        await until(clock, lambda n=number: _asked(slack, COMPLETE) >= min(n, 2))  # type: ignore[misc]
        await house.http.post("/incidents/1/notes", json={"by": "ana", "text": f"n{number}"})
        await until(clock, lambda n=number: any(f": n{n}" in each for each in thread(slack)))  # type: ignore[misc]
    assert _asked(slack, COMPLETE) == 2
    assert await chart_column(house) == "none"


def _asked(slack: SlackServer, method: str) -> int:
    return sum(entry.method == method for entry in slack.workspace.journal)


async def test_the_chart_can_be_seen_by_itself(
    house: House, clock: FakeClock, slack: SlackServer
) -> None:
    await open_incident(house, clock, slack)
    missing = await house.http.get("/incidents/1/chart.svg")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert (await house.http.get("/incidents/99/chart.svg")).status_code == 404
    await measure(house)
    light = await house.http.get("/incidents/1/chart.svg")
    dark = await house.http.get("/incidents/1/chart.svg?dark=1")
    assert light.headers["content-type"] == "image/svg+xml"
    assert light.text.startswith("<svg ")
    assert light.text != dark.text


async def test_context_that_was_late_is_one_more_mail(tmp_path: Path, clock: FakeClock) -> None:
    with SmtpServer(tmp_path) as server:
        mails = {"smtp_url": server.url, "email_to": ("ana@example.com",)}
        async with serving(tmp_path, clock=clock, **mails) as house:
            await house.post(notification(alert("ScoringSlow", severity="critical")))
            await until(clock, lambda: len(server.mailbox.messages) == 1)
            await measure(house)
            await until(clock, lambda: len(server.mailbox.messages) == 2)
            await measure(house, source="another")
            await clock.advance(minutes=1)
            await asyncio.sleep(0.2)
            first, second = (each.message for each in server.mailbox.messages)
            assert second["In-Reply-To"] == first["Message-ID"]
            assert "830 ms, above 500 ms" in second.as_string()
