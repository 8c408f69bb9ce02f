"""Silencing from Slack, with a real Alertmanager: the modal, the command, the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.notifiers.wording import words
from app.slack.speech import SENTENCES, sentence
from tests.engine.stage import DIRECT
from tests.house import alert
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.slack import Fault, Message, Modal, Person
from tests.slack.workplace import PORTUGUESE, Workplace, workplace

QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
neighbour = pytest.mark.neighbour

ALERTS = [alert("KafkaLag", severity="critical", topic=topic) for topic in ("pix", "ted")]


@pytest.fixture
def alertmanager(tmp_path: Path) -> Any:
    with Alertmanager(tmp_path, QUIET) as each:
        each.post_alerts([{"labels": a["labels"], "startsAt": a["startsAt"]} for a in ALERTS])
        yield each


@pytest.fixture
async def work(tmp_path: Path, alertmanager: Alertmanager) -> AsyncIterator[Workplace]:
    now = datetime.now(UTC)
    async with workplace(tmp_path, start=now, alertmanager_url=(alertmanager.url,)) as each:
        yield each


async def firing(work: Workplace) -> Message:
    await work.fire(*ALERTS)
    root = await work.root("KafkaLag")
    work.slack.allow(thread_of=root)
    return root


async def asked(ana: Person, root: Message) -> Modal:
    await ana.click(root, "incident.silence")
    return await ana.expect_modal_soon("How long?")


def live(alertmanager: Alertmanager) -> list[dict[str, Any]]:
    return [s for s in alertmanager.silences() if s["status"]["state"] == "active"]


async def shows(work: Workplace, modal: Modal, containing: str) -> None:
    """Let time pass until the modal says this."""
    await work.play(lambda: containing in modal, seconds=10, step=0.25)


async def ends(work: Workplace, person: Person, containing: str) -> Modal:
    """Let time pass until the view above the form says how it ended."""

    def top() -> bool:
        view = work.slack.views.top(person.id)
        return view is not None and containing in view

    await work.play(top, seconds=10, step=0.25)
    return await person.expect_modal_soon(containing)


@neighbour
async def test_silence_all_for_two_hours_and_end_it_from_the_thread(
    work: Workplace, alertmanager: Alertmanager
) -> None:
    root, ana = await firing(work), work.slack.person("ana")
    modal = await asked(ana, root)
    assert modal.value("lasting") == "2h"
    assert modal.value("matchers") == 'alertname="KafkaLag"\nseverity="critical"'
    assert "mutes 2 of 2 firing alerts" in modal
    modal.fill("why", "new brokers")
    await modal.submit()
    result = await ends(work, ana, "#1 is silenced until")
    reply = await work.said(root, "2 firing alerts silenced until")
    assert "by Ana Souza" in reply
    assert "“new brokers”" in reply
    (silence,) = live(alertmanager)
    assert f"/#/silences/{silence['id']}|Silence in Alertmanager> · " in reply.text
    assert silence["createdBy"] == "Ana Souza"
    assert silence["comment"].startswith("new brokers")
    result.close()
    assert not modal.is_open

    bruno = work.slack.person("bruno")
    await work.shows(root, "End silence")
    await bruno.click(root, "silence.end")
    await work.said(root, "Silence ended by Bruno Lima")
    assert live(alertmanager) == []
    await work.shows(root, "Resolve", without="End silence")
    assert not [each for each in work.slack.replies(root) if "End silence" in each]


@neighbour
async def test_chosen_alerts_have_matchers_of_their_own(
    work: Workplace, alertmanager: Alertmanager
) -> None:
    root, ana = await firing(work), work.slack.person("ana")
    modal = await asked(ana, root)
    await modal.fill("silence.alerts", ["topic=pix"])
    await shows(work, modal, "mutes 1 of 2 firing alerts")
    assert 'topic="pix"' in str(modal.value("matchers"))
    modal.fill("lasting", "1h")
    await modal.submit()
    await work.said(root, "1 firing alert silenced until")
    (silence,) = live(alertmanager)
    assert ("topic", "pix") in {(m["name"], m["value"]) for m in silence["matchers"]}
    (await ends(work, ana, "#1 is silenced until")).close()

    again = await asked(ana, root)
    assert "Silenced until" in again
    await again.click("silence.end")
    await work.said(root, "Silence ended by Ana Souza")
    await shows(work, again, "mutes 2 of 2")
    again.close()
    assert live(alertmanager) == []


@neighbour
async def test_what_cannot_be_read_is_said_beside_its_field(
    work: Workplace, alertmanager: Alertmanager
) -> None:
    root, ana = await firing(work), work.slack.person("ana")
    modal = await asked(ana, root)
    modal.fill("lasting", "a while")
    modal.fill("matchers", "alertname=~(")
    await modal.submit()
    assert modal.errors["lasting"] == "Write how long, such as 30m, 2h or 1d."
    assert "would not understand" in next(v for k, v in modal.errors.items() if k != "lasting")
    modal.fill("lasting", "2h")
    modal.fill("matchers", 'alertname="SomethingElse"')
    await modal.submit()
    await (await ends(work, ana, "These matchers mute no firing alert of incident 1.")).close()
    assert live(alertmanager) == []
    assert modal.value("matchers") == 'alertname="SomethingElse"'  # to be mended
    modal.close()


@neighbour
async def test_the_command(work: Workplace, alertmanager: Alertmanager) -> None:
    root, ana = await firing(work), work.slack.person("ana")
    await ana.command("/plantao silence 1 30m new <brokers>")
    await ana.expect_ephemeral_soon("#1 is silenced until")
    await work.said(root, "2 firing alerts silenced until")
    (silence,) = live(alertmanager)
    assert silence["comment"].startswith("new <brokers>")
    await ana.command("/plantao silence 7 30m")
    await ana.expect_ephemeral_soon("There is no incident #7.")


@neighbour
async def test_instead_of_resolving(work: Workplace, alertmanager: Alertmanager) -> None:
    root, ana = await firing(work), work.slack.person("ana")
    await ana.click(root, "incident.resolve")
    modal = await ana.expect_modal_soon("2 alerts still fire")
    await modal.click("incident.silence")
    await shows(work, modal, "How long?")
    await modal.submit()
    (await ends(work, ana, "#1 is silenced until")).close()
    assert await work.state() == "triggered"
    assert len(live(alertmanager)) == 1
    await work.said(root, "2 firing alerts silenced until")


async def test_an_alertmanager_that_does_not_answer(tmp_path: Path) -> None:
    gone = ("http://127.0.0.1:9",)
    async with workplace(tmp_path, config=PORTUGUESE, alertmanager_url=gone) as work:
        root, ana = await firing(work), work.slack.person("ana")
        await ana.click(root, "incident.silence")
        modal = await ana.expect_modal_soon("Por quanto tempo?")
        modal.fill("lasting", "3h")
        await modal.submit()
        result = await ends(work, ana, "O Alertmanager não responde: nada foi silenciado.")
        await result.click("silence.retry")
        await shows(work, result, "será silenciado até")
        await work.said(root, "assim que o Alertmanager responder")
        result.close()
        assert not modal.is_open
        await ana.command("/plantao silenciar 1 2h")
        await ana.expect_ephemeral_soon("O Alertmanager não responde")


async def test_nothing_fires_any_more(work_alone: Workplace) -> None:
    work = work_alone
    root, ana = await firing(work), work.slack.person("ana")
    await work.fire(*(a | {"status": "resolved", "endsAt": "2026-11-23T06:05:00Z"} for a in ALERTS))
    await work.shows(root, "Resolved")
    await ana.command("/plantao silence 1 2h")
    await ana.expect_ephemeral_soon("Incident 1 is over: there is nothing to silence.")


async def test_no_time_to_open_the_modal(work_alone: Workplace) -> None:
    root, ana = await firing(work_alone), work_alone.slack.person("ana")
    fault = Fault("error", method="views.open", error="expired_trigger_id")
    work_alone.slack.faults.add(fault)
    await ana.click(root, "incident.silence")
    await ana.expect_ephemeral_soon("press again")


@pytest.fixture
async def work_alone(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path, config=DIRECT) as each:
        yield each


@pytest.mark.parametrize("message", SENTENCES)
def test_what_the_engine_says_is_said_in_portuguese(message: str) -> None:
    names = ("number", "names", "most", "longest", "person", "silence", "note")
    said = message.format(**dict.fromkeys(names, "X"))
    assert sentence(words("en", "UTC"), said) == said
    assert sentence(words("pt-BR", "UTC"), said) != said
