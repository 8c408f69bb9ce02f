"""App Home: my open incidents, all of them, and what to do next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import alert
from tests.neighbours.slack import Fault, Person
from tests.slack.workplace import Workplace, workplace
from tests.waiting import soon


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path) as each:
        yield each


async def home(work: Workplace, person: Person, containing: str, *, without: str = "\0") -> str:
    """Let time pass until their Home says this; all it says."""

    def shown() -> bool:
        view = work.slack.views.home(person.id)
        return view is not None and containing in view and without not in view

    await work.play(shown, seconds=60)
    return person.home.visible_text


async def test_what_is_open_the_worst_first_and_what_is_mine(work: Workplace) -> None:
    ana = work.slack.person("ana")
    await ana.open_home()
    await home(work, ana, "No incident is open")
    await work.fire(alert("Slow", severity="warning"))
    await work.root("Slow")
    root = await work.incident("KafkaLag")
    work.slack.allow()
    said = await home(work, ana, "KafkaLag")
    assert said.index("KafkaLag") < said.index("Slow")
    assert "None is yours." in said

    await ana.click(ana.home, "incident.acknowledge", value="2")
    said = await home(work, ana, "Acknowledged by Ana Souza")
    assert said.index("My open incidents") < said.index("KafkaLag") < said.index("All open")
    await work.shows(root, "Acknowledged by Ana Souza")


async def test_it_stays_fresh_and_is_shown_anew_only_on_a_change(work: Workplace) -> None:
    ana, bruno = work.slack.person("ana"), work.slack.person("bruno")
    root = await work.incident()
    await ana.open_home()
    await home(work, ana, "KafkaLag")
    await work.clock.advance(seconds=60)
    assert len(work.slack.calls("views.publish")) == 1
    await bruno.click(root, "incident.acknowledge")
    await home(work, ana, "Acknowledged by Bruno Lima")


async def test_who_is_late_there_is_told_in_a_modal(work: Workplace) -> None:
    root = await work.incident()
    ana, bruno = work.slack.person("ana"), work.slack.person("bruno")
    await ana.open_home()
    await home(work, ana, "KafkaLag")
    await bruno.click(root, "incident.acknowledge")

    async def taken() -> bool:
        return await work.state() == "acknowledged"

    await soon(taken)  # and no time passes, in which her Home would be shown anew
    await ana.click(ana.home, "incident.acknowledge")
    modal = await ana.expect_modal_soon("already acknowledged by Bruno Lima")
    modal.close()
    await home(work, ana, "Acknowledged by Bruno Lima")


async def test_slack_that_wants_to_be_left_alone(work: Workplace) -> None:
    ana = work.slack.person("ana")
    await ana.open_home()
    await home(work, ana, "No incident is open")
    work.slack.faults.add(Fault("ratelimited", method="views.publish", retry_after=20))
    await work.incident()
    await home(work, ana, "KafkaLag")


async def test_a_storm_fits_into_a_home(work: Workplace) -> None:
    ana = work.slack.person("ana")
    alerts = [alert(f"Alert{n}", severity="warning", host="x" * 500) for n in range(150)]
    for each in alerts:
        await work.fire(each)
    work.slack.allow()
    await ana.open_home()
    await home(work, ana, "and 90 more")
    await ana.command("/plantao list")
    await ana.expect_ephemeral_soon("and 135 more")


async def test_each_reads_it_in_the_language_they_have_slack_in(work: Workplace) -> None:
    work.slack.add_user("carla", "Carla Dias")
    ana, bruno, carla = (work.slack.person(each) for each in ("ana", "bruno", "carla"))
    work.slack.users[ana.id].locale = "pt-BR"
    work.slack.users[carla.id].locale = "fr-FR"
    for each in (ana, bruno, carla):
        await each.open_home()
    await home(work, ana, "Nenhum incidente aberto")
    await home(work, bruno, "No incident is open")
    await home(work, carla, "No incident is open")  # the service's own


async def masked(work: Workplace) -> list[str]:
    """The counters of what was masked, as `/metrics` has them."""
    figures = (await work.house.http.get("/metrics")).text
    return [line for line in figures.splitlines() if line.startswith("plantao_masked_total")]


async def test_what_was_taken_by_mail_is_mine_and_masked_once(work: Workplace) -> None:
    ana = work.slack.person("ana")
    await work.fire(alert("KafkaLag", severity="critical", payer="529.982.247-25"))
    root = await work.root("KafkaLag")
    work.slack.allow(thread_of=root)
    body = {"by": "ana@example.com <ana@example.com>"}
    assert (await work.house.http.post("/incidents/1/acknowledge", json=body)).status_code == 200
    await ana.open_home()
    said = await home(work, ana, "Acknowledged by ana@example.com")
    assert "None is yours." not in said
    await work.clock.advance(seconds=60)  # until the thread says so, too
    counted = await masked(work)
    await work.clock.advance(seconds=60)
    assert await masked(work) == counted

    await ana.click(root, "incident.unacknowledge")
    await work.shows(root, "CRITICAL", without="Acknowledged")
    assert (await work.house.incident(1))["assigned_to"] is None
