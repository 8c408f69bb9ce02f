"""What people do in the console: every action, with and without scripts, alone and at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from app.core.events import Acknowledged, Assigned
from app.core.rights import Right
from tests.console.conftest import PHONE, Visit, Visitor, visiting
from tests.console.town import ANA, BRUNO, Town, night, town
from tests.engine.silence_town import QUIET
from tests.house import alert
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.processes import eventually
from tests.web.tokens import new_token

ANOTHER = alert("KafkaConsumerLag", severity="critical", component="kafka", topic="pix.decisions")
KAFKA = "/console/incidents/4"
SCORING = "/console/incidents/5"


def done(visitor: Visitor) -> None:
    visitor.sees("Done. Everybody who follows this incident sees it.")


@pytest.mark.neighbour
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_acknowledging_to_resolving(there: Town, visit: Visit, *, scripts: bool) -> None:
    visitor = visit(there, scripts=scripts)
    visitor.goto(KAFKA)
    visitor.press("Acknowledge")
    done(visitor)
    assert there.incident(4)["acknowledged_by"] == "console"
    visitor.press("Unacknowledge")
    visitor.page.get_by_role("button", name="Acknowledge", exact=True).wait_for()
    assert there.incident(4)["status"] == "triggered"

    visitor.opens("Assign")
    visitor.page.get_by_label("Who takes care of it?").fill("Bia <bia@example.com>")
    visitor.press("Assign", within="#assign .sheet")
    visitor.sees("Assigned to Bia")
    visitor.opens("Assign")
    visitor.press("To nobody")
    done(visitor)
    assert there.incident(4)["assigned_to"] is None
    visitor.opens("Assign")
    visitor.press("Take it myself")
    visitor.sees("Assigned to console")

    visitor.press("Mute replies")
    visitor.sees("Replies muted by console")
    visitor.press("Turn replies on")
    done(visitor)
    assert there.incident(4)["replies_muted_at"] is None

    visitor.press("Resolve")
    visitor.sees("1 alert still fires.")
    assert there.incident(4)["status"] == "triggered"
    visitor.press("Resolve all the same")
    visitor.sees("Resolved by console")
    assert there.incident(4)["resolved_by"] == "console"
    assert not visitor.page.get_by_role("button", name="Resolve", exact=True).count()


@pytest.mark.neighbour
def test_notes_are_written_edited_and_removed(there: Town, visit: Visit) -> None:
    visitor = visit(there, size=PHONE, language="pt-BR")
    visitor.goto(KAFKA)
    visitor.page.get_by_label("O que você viu ou fez?").fill("Broker 2 sem disco.\nLimpando.")
    visitor.press("Escrever nota")
    visitor.sees("Limpando.")
    visitor.page.locator("#note-1 summary").click()
    visitor.page.get_by_label("Texto", exact=True).fill("Broker 3 sem disco.")
    visitor.press("Salvar", within="#note-1")
    visitor.sees("editada")
    assert there.incident(4)["notes"][0]["text"] == "Broker 3 sem disco."
    visitor.page.locator("#note-1 summary").click()
    visitor.press("Remover", within="#note-1")
    visitor.sees("removida por console")
    assert there.incident(4)["notes"] == []


@pytest.mark.neighbour
def test_who_is_late_is_told_who_was_faster(there: Town, visit: Visit) -> None:
    visitor = visit(there, scripts=False)
    visitor.goto(KAFKA)
    there.happen(4, Acknowledged(ANA))
    visitor.press("Acknowledge")
    visitor.sees("Already acknowledged by Ana, 23 Nov, 03:00")
    visitor.goto(SCORING)
    there.happen(5, Assigned(BRUNO, BRUNO))
    visitor.opens("Assign")
    visitor.page.get_by_label("Who takes care of it?").fill("Bia")
    visitor.press("Assign", within="#assign .sheet")
    visitor.sees("Bruno was faster, 23 Nov, 03:00. Look again, then decide.")
    assert there.incident(5)["assigned_to"] == "Bruno"


@pytest.mark.neighbour
def test_a_storm_keeps_nobody_from_acting(there: Town, visit: Visit) -> None:
    """Alerts that come meanwhile are no reason to refuse what was decided."""
    visitor = visit(there, scripts=False)
    visitor.goto(KAFKA)
    there.tell(ANOTHER)
    assert there.incident(4)["alert_counts"]["firing"] == 2
    visitor.press("Acknowledge")
    done(visitor)


@pytest.mark.neighbour
def test_what_is_forced_is_what_was_asked_about(there: Town, visit: Visit) -> None:
    visitor = visit(there, scripts=False)
    visitor.goto(KAFKA)
    visitor.press("Resolve")
    visitor.sees("1 alert still fires.")
    there.tell(ANOTHER)
    visitor.press("Resolve all the same")
    visitor.sees("The incident changed meanwhile. Look again, then decide.")
    assert there.incident(4)["status"] == "triggered"


@pytest.mark.neighbour
def test_what_happens_elsewhere_is_seen_without_reloading(there: Town, visit: Visit) -> None:
    list_, page = visit(there), visit(there)
    list_.goto("/")
    page.goto(KAFKA)
    page.page.get_by_label("What did you see or do?").fill("half a note")
    for each in (list_, page):
        each.page.wait_for_selector('#live[data-state="on"]')
    there.happen(4, Acknowledged(BRUNO))
    page.sees("Acknowledged by Bruno")
    list_.page.locator("#open-4 >> xpath=ancestor::tr", has_text="Bruno").wait_for()
    written = page.page.get_by_label("What did you see or do?")
    assert written.input_value() == "half a note"


@pytest.mark.neighbour
def test_keys(there: Town, visit: Visit) -> None:
    visitor = visit(there)
    visitor.goto("/")
    press = visitor.page.keyboard.press
    press("j")
    press("j")
    press("k")
    press("j")
    assert visitor.page.evaluate("document.activeElement.id") == "open-5"
    press("j")
    press("a")
    visitor.sees("Done. Everybody who follows this incident sees it. #4")
    assert there.incident(4)["status"] == "acknowledged"
    press("/")
    visitor.page.keyboard.type("jk?")
    assert visitor.page.get_by_label("Search the incidents").input_value() == "jk?"
    press("Escape")
    press("j")
    press("Enter")
    visitor.sees("What is known")
    assert visitor.page.url.endswith("/console/incidents/6")
    press("r")
    visitor.sees("1 alert still fires.")
    press("n")
    assert visitor.page.evaluate("document.activeElement.id") == "text"


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path, QUIET) as running:
        yield running


@pytest.mark.neighbour
def test_silences_are_shown_first_then_made_and_ended(
    tmp_path: Path, alertmanager: Alertmanager, browser: Browser
) -> None:
    (tmp_path / "own").mkdir()
    with (
        town(tmp_path / "own", alertmanager_url=(alertmanager.url,)) as there,
        visiting(browser, there) as visitor,
    ):
        night(there)
        there.clock.turn(datetime.now(UTC))  # Alertmanager goes by the real time
        visitor.goto(KAFKA)
        visitor.opens("Silence alerts")
        visitor.sees("Mutes 1 of 1 firing alert of this incident")
        visitor.page.get_by_role("link", name="Other matchers …").click()
        visitor.page.get_by_label("Matchers").fill('severity="critical"')
        visitor.sees("and 3 of other incidents")
        visitor.page.get_by_label("Matchers").fill('alertname="KafkaConsumerLag')
        visitor.sees("Alertmanager would not understand this")
        visitor.page.get_by_label("Matchers").fill('alertname="KafkaConsumerLag"')
        visitor.page.get_by_label("Or another time").fill("30m")
        visitor.page.get_by_label("Why").fill("broker is being replaced")
        visitor.press("Silence alerts", within="main")
        visitor.sees("Silenced until")
        assert there.incident(4)["silences"][0]["matchers"] == ['alertname="KafkaConsumerLag"']
        visitor.press("End this silence")
        visitor.sees("Silence ended by console")


@pytest.mark.neighbour
def test_an_alertmanager_that_is_down_is_told_and_nothing_is_lost(
    tmp_path: Path, browser: Browser
) -> None:
    with (
        town(tmp_path, alertmanager_url=("http://127.0.0.1:9",)) as there,
        visiting(browser, there) as visitor,
    ):
        night(there)
        visitor.goto(KAFKA)
        visitor.opens("Silence alerts")
        visitor.page.get_by_label("Why").fill("upgrade")
        visitor.press("Silence alerts", within="#silence")
        visitor.sees("Alertmanager does not answer. Nothing is sure to be changed.")
        visitor.press("Silence as soon as Alertmanager answers")
        visitor.sees("To be silenced until 04:00 by console")
        assert there.incident(4)["silences"][0]["comment"] == "upgrade"


@pytest.mark.neighbour
def test_messages_that_do_not_get_through_are_stopped_and_tried_again(
    tmp_path: Path, browser: Browser
) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(
        "receivers: {o: {email: {to: [a@example.com]}}}\nroutes: {receiver: o}\n", "utf-8"
    )
    with (
        town(tmp_path, config=config, smtp_url="smtp://127.0.0.1:9") as there,
        visiting(browser, there, scripts=False) as visitor,
    ):
        night(there)
        eventually(lambda: there.incident(1)["postings"][0]["state"] == "failing", what="a failure")
        visitor.goto("/console/incidents/1")
        visitor.sees("not getting through")
        visitor.press("Stop trying")
        visitor.sees("stopped")
        visitor.press("Try again")
        done(visitor)
        assert there.incident(1)["postings"][0]["state"] in {"pending", "failing"}


@pytest.mark.neighbour
def test_a_receipt_in_quarantine_is_looked_at_and_replayed(there: Town, visit: Visit) -> None:
    there.run(there.house.post(b'{"alerts": <script>alert(1)</script>'))
    visitor = visit(there, scripts=False)
    visitor.goto("/console/receipts?state=quarantined")
    visitor.page.locator("tbody th a").first.click()
    visitor.sees("<script>alert(1)</script>")
    visitor.press("Apply it again")
    visitor.sees("It is applied again, as if it came now.")


@pytest.mark.neighbour
def test_who_may_only_read_sees_no_button_and_gets_no_further(
    tmp_path: Path, browser: Browser
) -> None:
    with town(tmp_path) as there, visiting(browser, there, scripts=False) as visitor:
        night(there)
        token = there.run(new_token(there.house, Right.READ, name="Rita"))
        visitor.goto(KAFKA)
        assert "/console/sign-in" in visitor.page.url
        visitor.page.get_by_label("Token", exact=True).fill(token)
        visitor.press("Sign in")
        visitor.sees("KafkaConsumerLag")
        assert visitor.page.url.endswith(KAFKA)
        assert visitor.page.locator("main button").all_inner_texts() == []
        assert visitor.page.locator("main form[method=post]").count() == 0
        visitor.goto("/")
        assert not visitor.page.get_by_role("button", name="Acknowledge").count()
        csrf = visitor.page.locator("input[name=csrf]").first
        form = {"do": "acknowledge", "csrf": csrf.get_attribute("value") or ""}
        assert visitor.goto("/console/receipts/1") == 403
        cookies = {each["name"]: each["value"] for each in visitor.page.context.cookies()}
        address = f"{there.url}{KAFKA}"
        answer = httpx.post(address, data=form, cookies=cookies, timeout=60)
        assert answer.status_code == 403
        visitor.goto(KAFKA)
        visitor.sees("Triggered")


def test_no_other_site_acts_with_somebody_s_browser(there: Town) -> None:
    address = f"{there.url}{KAFKA}"
    for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = httpx.post(address, data={"do": "acknowledge"}, headers=headers, timeout=60)
        assert answer.status_code == 403
    assert there.incident(4)["status"] == "triggered"


@pytest.mark.neighbour
def test_hostile_text_shows_as_text(there: Town, visit: Visit) -> None:
    bad = """</textarea><script>alert(1)</script><img src=x onerror=alert(2)>"'{{7*7}}"""
    there.tell(
        alert(bad, annotations={"summary": bad, "description": bad}, severity=bad, component=bad)
    )
    visitor = visit(there)
    visitor.page.on("dialog", lambda dialog: visitor.complaints.append(dialog.message))
    visitor.goto("/")
    visitor.sees("<script>alert(1)</script>")
    visitor.page.locator("[data-row] th a").first.click()
    visitor.page.get_by_label("What did you see or do?").fill(bad)
    visitor.press("Add a note")
    visitor.page.locator("#note-1", has_text="onerror=alert(2)").wait_for()
    assert visitor.page.locator("main img, main script").count() == 0
    assert "49" not in visitor.page.locator("#note-1").inner_text()


@pytest.mark.neighbour
def test_an_incident_stands_in_another_page(tmp_path: Path, browser: Browser) -> None:
    grafana = "https://grafana.example.com"
    with (
        town(tmp_path, frame_ancestors=(grafana,)) as there,
        visiting(browser, there) as visitor,
    ):
        night(there)
        visitor.goto(f"{SCORING}?embed=1")
        visitor.sees("What is known")
        assert visitor.page.locator("header.top, form[method=post]").count() == 0
        assert visitor.page.get_by_role("link", name="Open in Plantão").count() == 1
        framed = httpx.get(f"{there.url}{SCORING}?embed=1", timeout=60)
        assert f"frame-ancestors {grafana}" in framed.headers["content-security-policy"]
        whole = httpx.get(f"{there.url}{SCORING}", timeout=60)
        assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]
