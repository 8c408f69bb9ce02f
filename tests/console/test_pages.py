"""Every page: whole, in both languages, both colour schemes, on desk and phone, for everybody."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.console.conftest import DESK, PHONE, Visit, Visitor
from tests.console.town import Town

OPEN = "/console/incidents?status=triggered&status=acknowledged"
#: Every page, with a word it shows in either language.
PAGES = {
    OPEN: ("nobody", "ninguém"),
    "/console/incidents/5": ("What is known", "O que se sabe"),
    "/console/incidents/5/silence": ("set up", "configurado"),
    "/console/stats": ("Tune these first", "Ajuste estes primeiro"),
    "/console/receipts": ("in quarantine", "em quarentena"),
    "/console/receipts/1": ("Apply it again", "Aplicar de novo"),
    "/console/changes": ("No change was recorded yet.", "Nenhuma mudança registrada ainda."),
    "/console/health": ("Neighbours", "Vizinhos"),
    "/console/incidents/99": ("There is no such page", "Esta página não existe"),
}


def assert_fits(visitor: Visitor) -> None:
    """Nothing has to be scrolled sideways."""
    wide = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} pixels too wide"


@pytest.mark.neighbour
@pytest.mark.parametrize("path", PAGES)
def test_in_english_by_day_at_the_desk(quiet: Town, visit: Visit, path: str) -> None:
    visitor = visit(quiet)
    assert visitor.goto(path) == (404 if path.endswith("99") else 200)
    visitor.sees(PAGES[path][0])
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    assert_fits(visitor)
    assert visitor.barriers() == []


@pytest.mark.neighbour
@pytest.mark.parametrize("path", PAGES)
def test_in_portuguese_by_night_on_a_phone(quiet: Town, visit: Visit, path: str) -> None:
    visitor = visit(quiet, size=PHONE, dark=True, language="pt-BR")
    visitor.goto(path)
    visitor.sees(PAGES[path][1])
    assert visitor.page.locator("html").get_attribute("lang") == "pt-BR"
    assert_fits(visitor)
    assert visitor.barriers() == []


@pytest.mark.neighbour
def test_the_other_way_round(quiet: Town, visit: Visit) -> None:
    """The pages that are used most, also dark at the desk and light on a phone."""
    for size, dark in ((DESK, True), (PHONE, False)):
        visitor = visit(quiet, size=size, dark=dark)
        for path in (OPEN, "/console/incidents/5"):
            visitor.goto(path)
            assert_fits(visitor)
            assert visitor.barriers() == []


@pytest.mark.neighbour
def test_what_opens_is_for_everybody_too(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    visitor.goto("/console/incidents/5")
    for name in ("Assign", "Silence alerts", "You"):
        visitor.opens(name)
        assert visitor.barriers() == []
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("?")
    assert visitor.page.locator("dialog").is_visible()
    assert visitor.barriers() == []


@pytest.mark.neighbour
def test_the_incident_tells_what_slack_tells(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    visitor.goto("/console/incidents/5")
    for text in (
        "ScoringLatencyHigh: p99 of scoring is above 500 ms",
        "830 ms, above 500 ms for 4 min",
        "champion for 4 min, before: v2",
        "pix-fraud: champion 2 → 3, 4 min before",
        "3rd time in 90 days",
        "Acknowledged by Ana",
        "Latency falls, waiting ten minutes.",
        "auc 0.981 (v2: 0.979)",
        "Targets down: scorer-3:8000",
        "scorer-2",
    ):
        visitor.sees(text)
    chart = visitor.page.locator(".chart img")
    assert chart.evaluate("each => each.complete && each.naturalWidth > 0")
    assert "830 ms" in (chart.get_attribute("alt") or "")


@pytest.mark.neighbour
def test_the_list_says_it_in_one_line(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    visitor.goto("/")
    row = visitor.page.locator("[data-row]", has_text="ScoringLatencyHigh")
    said = " ".join(row.inner_text().split())
    for text in ("CRITICAL", "Acknowledged", "762 ms", "> 500 ms", "3 firing", "Ana", "14 min"):
        assert text in said
    assert row.locator(".spark path").count() == 1


@pytest.mark.neighbour
def test_a_view_is_the_apis_query_string(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    visitor.goto("/console/incidents")
    visitor.opens("Filter")
    visitor.page.get_by_label("Matcher").fill('component=~"kafka|spark"')
    visitor.page.get_by_label("Opened after").fill("1h")
    visitor.press("Add these filters")
    visitor.sees("KafkaConsumerLag")
    query = urlsplit(visitor.page.url).query
    asked = httpx.get(f"{quiet.url}/incidents?{query}", timeout=30)
    assert dict(parse_qsl(query))["matcher"] == 'component=~"kafka|spark"'
    listed = visitor.page.locator("[data-row] .number").all_inner_texts()
    assert listed == [f"#{each['id']}" for each in asked.json()["items"]] == ["#6", "#4"]
    visitor.page.locator(".chips a").first.click()
    visitor.page.wait_for_url(lambda url: "matcher" not in url)
    assert visitor.page.locator("[data-row]").count() > 2


@pytest.mark.neighbour
def test_pages_follow_one_another(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    visitor.goto("/console/incidents?limit=4")
    assert visitor.page.locator("[data-row]").count() == 4
    visitor.page.get_by_role("link", name="More").click()
    visitor.sees("To the beginning")
    assert visitor.page.locator("[data-row]").count() == len(PAGES_LEFT)


PAGES_LEFT = ("#3", "#2", "#1")  # six incidents of the night, and one about ourselves


@pytest.mark.neighbour
def test_a_filter_that_makes_no_sense_is_told(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    assert visitor.goto("/console/incidents?matcher=%7Bbroken") == 400
    visitor.sees("This cannot be read")
    assert visitor.goto("/console/nowhere") == 404
    assert visitor.barriers() == []


@pytest.mark.neighbour
def test_alerts_are_searched_as_one_types(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet)
    visitor.goto("/console/incidents/5")
    assert visitor.page.locator("table.alerts tbody tr").count() == 3
    visitor.page.get_by_label("Search the alerts").press_sequentially("scorer-1")
    visitor.page.locator("table.alerts tbody tr").nth(1).wait_for(state="detached")


@pytest.mark.neighbour
def test_language_and_colours_are_chosen_without_scripts(quiet: Town, visit: Visit) -> None:
    visitor = visit(quiet, scripts=False)
    visitor.goto("/console/incidents/5")
    visitor.opens("You")
    visitor.page.get_by_label("Language").select_option("pt-BR")
    visitor.page.get_by_label("Colours").select_option("dark")
    visitor.press("Save")
    visitor.sees("O que se sabe")
    assert visitor.page.url.endswith("/console/incidents/5")
    ground = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(14, 17, 22)"
    assert "dark=true" in (visitor.page.locator(".chart img").get_attribute("src") or "")


@pytest.mark.parametrize("path", ["/", "/console", "/console/"])
def test_the_front_door_leads_to_the_view_that_is_asked_for(quiet: Town, path: str) -> None:
    for query, view in (
        ("", OPEN),
        ("?q=lag&sort=severity", "/console/incidents?q=lag&sort=severity"),
    ):
        answer = httpx.get(f"{quiet.url}{path}{query}", follow_redirects=True, timeout=60)
        assert answer.status_code == 200
        assert str(answer.url) == f"{quiet.url}{view}"


def test_what_pages_load_is_kept_and_never_stale(quiet: Town) -> None:
    page = httpx.get(f"{quiet.url}/console/incidents", timeout=30)
    found = re.findall(r'(?:src|href)="([^"]+/static/[^"]+)"', page.text)
    assert len(found) >= 4
    for each in found:
        answer = httpx.get(str(page.url.join(each)), timeout=30)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
