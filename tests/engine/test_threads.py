"""Stories of the thread itself: runbooks, and incidents that name each other along the pipeline."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.engine.stage import CHANNEL, stage
from tests.house import alert

OURS = "PlantaoReceiptQuarantined"
URL = "https://plantao.example.com"


def config(*more: str, locale: str = "en") -> str:
    receiver = f"{{slack: {{channel: '{CHANNEL}'}}, locale: {locale}}}"
    return "\n".join([f"receivers: {{oncall: {receiver}}}", *more]) + "\n"


PIPELINE = "topology: [kafka -> spark, spark -> serving]"


@pytest.mark.parametrize(
    ("locale", "cause", "effect"),
    [
        ("en", "Probably because of #1 KafkaLag", "Likely affects #2 ScoringSlow"),
        ("pt-BR", "Provável causa: #1 KafkaLag", "Provavelmente afeta #2 ScoringSlow"),
    ],
)
async def test_cause_and_effect_are_linked_on_both_threads(
    tmp_path: Path, locale: str, cause: str, effect: str
) -> None:
    written = config(PIPELINE, locale=locale)
    async with stage(tmp_path, config=written, public_url=URL) as scene:
        scene.slack.allow()
        await scene.fire(alert("KafkaLag", component="kafka"))
        await scene.play(lambda: len(scene.slack.roots()) == 1)
        await scene.fire(alert("ScoringSlow", component="serving"))
        await scene.play(lambda: len(scene.slack.roots()) == 2)
        upstream, downstream = scene.slack.roots()

        await scene.shows(downstream, cause)
        assert (f"{URL}/console/incidents/1", "#1") in downstream.links
        await scene.play(lambda: any(effect in each for each in scene.slack.replies(upstream)))
        assert (f"{URL}/console/incidents/2", "#2") in scene.slack.replies(upstream)[0].links

        await scene.fire(alert("KafkaLag", component="kafka", status="resolved"))
        await scene.play(lambda: "#1 KafkaLag" not in downstream)


@pytest.mark.parametrize("title", ["First steps", "Primeiros passos"])
async def test_our_own_runbook_is_served_and_its_first_steps_are_in_the_first_reply(
    tmp_path: Path, title: str
) -> None:
    locale = "en" if title == "First steps" else "pt-BR"
    async with stage(tmp_path, config=config(locale=locale), public_url=URL) as scene:
        await scene.house.post(b"not a notification")
        root = await scene.root(OURS)
        assert (f"{URL}/runbooks/{OURS}", "Runbook") in root.links
        reply = await scene.reply(root, title)
        assert "1. See what came and why it was not understood" in reply
        assert "4. Tell people what the kept body meant" in reply
        page = await scene.house.http.get(f"/runbooks/{OURS}")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<h1>{OURS}</h1>" in page.text
        assert "<code>plantao receipts replay N</code>" in page.text


BASE = "runbooks: {base_url: 'https://runbooks.example.com/wiki/'}"
ELSEWHERE = "https://wiki.example.com/slow"


@pytest.mark.parametrize(
    ("written", "name", "annotation", "leads_to"),
    [
        (BASE, OURS, ELSEWHERE, ELSEWHERE),
        (BASE, OURS, "http://wiki.example.com/slow", "http://wiki.example.com/slow"),
        (BASE, OURS, None, f"https://runbooks.example.com/wiki/{OURS}"),
        (BASE, "A/B ç", None, "https://runbooks.example.com/wiki/A%2FB%20%C3%A7"),
        ("", OURS, None, f"{URL}/runbooks/{OURS}"),
        ("", "NoPageOfOurs", None, None),
        ("", "NoPageOfOurs", "javascript:alert(1)", None),
        ("", "NoPageOfOurs", "file:///etc/passwd", None),
        ("", "NoPageOfOurs", "//wiki.example.com/slow", None),
        ("", "NoPageOfOurs", "https://", None),
        (BASE, OURS, "data:text/html,x", f"https://runbooks.example.com/wiki/{OURS}"),
        ("", OURS, "ftp://wiki.example.com", f"{URL}/runbooks/{OURS}"),
    ],
)
async def test_where_the_runbook_is(
    tmp_path: Path, written: str, name: str, annotation: str | None, leads_to: str | None
) -> None:
    notes = {"runbook_url": annotation} if annotation else {"summary": "slow"}
    async with stage(tmp_path, config=config(written), public_url=URL) as scene:
        await scene.fire(alert(name, annotations=notes))
        root = await scene.root(name)
        assert (await scene.house.incident(1))["runbook_url"] == leads_to
        assert [url for url, label in root.links if label == "Runbook"] == (
            [leads_to] if leads_to else []
        )
        assert all(urlsplit(url).scheme in {"http", "https"} for url, _ in root.links)
