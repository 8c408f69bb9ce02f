"""`/plantao`, and the same said to @plantao."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.slack import grammar
from app.slack.grammar import Acknowledge, Help, List, Note, Resolve, Show, Silence, Who, parse
from tests.house import alert
from tests.neighbours.slack import Person
from tests.slack.workplace import PORTUGUESE, Workplace, workplace


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path) as each:
        yield each


@pytest.fixture
def ana(work: Workplace) -> Person:
    return work.slack.person("ana")


# What can be said

SAID = [
    ("list", List()),
    (" LIST ", List()),
    ("lista", List()),
    ("list all", Help()),
    ("who", Who()),
    ("help", Help()),
    ("", Help()),
    ("make coffee", Help()),
    ("show 7", Show(7)),
    ("show #7", Show(7)),
    ("show", Help()),
    ("show seven", Help()),
    ("show 0", Help()),
    ("show 99999999999999999999", Help()),
    ("ack 7", Acknowledge(7)),
    ("ack 7 please", Help()),
    ("resolve 7", Resolve(7)),
    ("note 7 the broker is back", Note(7, "the broker is back")),
    ("note 7", Help()),
    ("nota 7 o broker voltou", Note(7, "o broker voltou")),
    ("silence 7 2h", Silence(7, timedelta(hours=2))),
    ("silence 7", Silence(7, timedelta(hours=2))),
    ("silence 7 1h30m new disk", Silence(7, timedelta(minutes=90), "new disk")),
    ("silence 7 0s", Help()),
    ("silence 7 soon", Help()),
]


@pytest.mark.parametrize(("text", "meant"), SAID)
def test_what_is_meant(text: str, meant: grammar.Command) -> None:
    assert parse(text) == meant
    assert parse(f"<@U0PLANTAO> {text}") == meant
    assert parse(f"<@U0PLANTAO|plantao>: {text}") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ack", Acknowledge(grammar.HERE)),
        ("ack 7", Acknowledge(7)),
        ("note 7 up to 5", Note(7, "up to 5")),
        ("note the broker is back", Note(grammar.HERE, "the broker is back")),
        ("silence 2h", Silence(grammar.HERE, timedelta(hours=2))),
        ("list", List()),
    ],
)
def test_in_a_thread_the_number_can_be_left_out(text: str, meant: grammar.Command) -> None:
    assert parse(text, in_thread=True) == meant


@given(st.text())
def test_anything_can_be_said(text: str) -> None:
    parse(text)
    parse(text, in_thread=True)


# What is answered


async def test_help_is_the_answer_to_what_is_not_understood(work: Workplace, ana: Person) -> None:
    for said in ("help", "make coffee", ""):
        await ana.command(f"/plantao {said}")
        told = await ana.expect_ephemeral_soon("list")
        assert "silence 7 2h" in told


async def test_nobody_is_on_call_yet(work: Workplace, ana: Person) -> None:
    await ana.command("/plantao who")
    await ana.expect_ephemeral_soon("not set up")


async def test_list_the_worst_first_each_with_its_next_step(work: Workplace, ana: Person) -> None:
    await ana.command("/plantao list")
    await ana.expect_ephemeral_soon("No incident is open")

    await work.fire(alert("Slow", severity="warning", annotations={"summary": "<!here> *slow*"}))
    await work.root("Slow")
    await work.incident("KafkaLag")
    work.slack.allow()
    await ana.command("/plantao list")
    told = await ana.expect_ephemeral_soon("2 open incidents")
    lines = told.visible_text.splitlines()
    (first,) = [n for n, line in enumerate(lines) if "KafkaLag" in line]
    (second,) = [n for n, line in enumerate(lines) if "Slow" in line]
    assert first < second
    assert told.mentions == []

    await ana.click(told, "incident.acknowledge", value="2")
    await work.shows(work.slack.roots()[1], "Acknowledged by Ana Souza")


async def test_show_one_with_its_buttons(work: Workplace, ana: Person) -> None:
    root = await work.incident()
    await ana.command("/plantao show 1")
    told = await ana.expect_ephemeral_soon("KafkaLag")
    await ana.click(told, "incident.acknowledge")
    await work.shows(root, "Acknowledged by Ana Souza")
    await ana.command("/plantao show 7")
    await ana.expect_ephemeral_soon("There is no incident #7.")


async def test_acknowledge_note_and_resolve(work: Workplace, ana: Person) -> None:
    root = await work.incident()
    await ana.command("/plantao ack 1")
    await ana.expect_ephemeral_soon("You have acknowledged #1.")
    await work.shows(root, "Acknowledged by Ana Souza")
    await ana.command("/plantao note 1 p99 > 3 s & rising")
    await ana.expect_ephemeral_soon("Your note stands in the timeline of #1.")
    (note,) = await work.entries("note")
    assert note["data"]["text"] == "p99 > 3 s & rising"
    await ana.command("/plantao unack 1")
    await ana.expect_ephemeral_soon("You have handed back #1.")
    await ana.command("/plantao resolve 1")
    modal = await ana.expect_modal_soon("1 alert still fires")
    await modal.submit()
    await work.shows(root, "Resolved by Ana Souza")
    await ana.command("/plantao resolve 1")
    await ana.expect_ephemeral_soon("You have resolved #1.")  # it was her
    await work.slack.person("bruno").command("/plantao resolve 1")
    await work.slack.person("bruno").expect_ephemeral_soon("already resolved by Ana Souza at 03:0")


async def test_in_portuguese(tmp_path: Path) -> None:
    async with workplace(tmp_path, config=PORTUGUESE) as work:
        ana = work.slack.person("ana")
        await work.incident()
        await ana.command("/plantao lista")
        told = await ana.expect_ephemeral_soon("1 incidente aberto")
        assert "desde 03:00" in told
        await ana.command("/plantao ajuda")
        await ana.expect_ephemeral_soon("mostrar 7")


# Mentions


async def test_a_mention_in_the_thread_is_about_its_incident(work: Workplace, ana: Person) -> None:
    root = await work.incident()
    ana.say("<@U0PLANTAO> ack", thread_of=root)
    await work.shows(root, "Acknowledged by Ana Souza")
    ana.say("<@U0PLANTAO> note the <#C0FRAUDE|fraude> broker is &lt;back&gt;", thread_of=root)
    await work.play(lambda: any("Note by Ana Souza" in m for m in work.slack.replies(root)))
    (note,) = await work.entries("note")
    assert note["data"]["text"] == "the #fraude broker is <back>"


async def test_a_mention_elsewhere_is_answered_in_its_thread(work: Workplace, ana: Person) -> None:
    asked = ana.say("<@U0PLANTAO> ack")
    answer = await work.slack.expect_message_soon(thread_of=asked, containing="list")
    assert answer.notified == []
    ana.say("<@U0PLANTAO> ack", thread_of=asked)
    await work.slack.expect_message_soon(
        thread_of=asked, containing="This is not the thread of an incident"
    )
    ana.say("<@U0PLANTAO> list")
    await work.slack.expect_message_soon(
        thread_of=work.slack.messages()[-1], containing="No incident is open"
    )
