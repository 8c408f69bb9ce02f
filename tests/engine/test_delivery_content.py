"""Hostile content, from the webhook to the phone: nobody is called, nothing breaks, all is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.engine.stage import CHANNEL, DIRECT, Stage, stage
from tests.house import alert, notification
from tests.neighbours.slack import Message
from tests.neighbours.smtp import SmtpServer

AS_IT_CAME = "privacy: {mask: false}\n"
BOTH = (
    f"receivers: {{o: {{slack: {{channel: '{CHANNEL}'}}, email: {{to: [a@example.com]}}}}}}\n"
    "routes: {receiver: o}\n"
) + AS_IT_CAME
HOSTILE = {
    "mentions": "<!channel> <!here> <!everyone> <@U0ANA> <!subteam^S1> @channel @ana @everyone",
    "entities": "&lt;!channel&gt; &amp;lt;!here&gt; a & b < c > d",
    "links": "<https://evil.example|your bank> <javascript:alert(1)|x> mailto:a@b.c",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)><b>bold</b>",
    "headers": "first\r\nBcc: thief@example.com\r\n\r\nbody\nX: y",
    "bidi": "\u202egnp.exe\u2066 \u200f\u200e \u061c",
    "controls": "\x1b[31mred\x1b]0;title\x07 \x00 \x08 \x85 \u2028 \u2029 \ufeff",
    "emoji": "👩‍👩‍👧‍👦 🇧🇷 :fire: 🤷🏽‍♀️ " * 30,
    "formats": "*bold* _it_ ~no~ `code` ```pre``` > quote\n>>> all",
    "long": "é" * 68_000,
    "one word": "x" * 68_000,
    "many lines": "line\n" * 10_000,
    "combining": "e" + "\u0301" * 3000,
    "nothing": "   \n\t  ",
    "noncharacters": "\ufffe \U0010ffff \ufdd0",
}
TITLES = ("summary", "description", "runbook_url", "dashboard_url", "<!channel>", "x" * 300)


def hostile(text: str) -> dict[str, Any]:
    labels = {"instance": text, "<!here>": text[:2000], "severity": "critical", "ñ 漢.字": "ok"}
    notes = dict.fromkeys(TITLES, text)
    return alert(text[:500] or "?", annotations=notes, **labels) | {"generatorURL": text}


def every_version_is_harmless(message: Message) -> bool:
    return not message.mentions and not message.notified


def harmless_links(message: Message) -> bool:
    return all(urlsplit(url).scheme in {"http", "https"} for url, _ in message.links)


async def settled(play: Stage, text: str) -> list[Message]:
    await play.play(lambda: len(play.slack.all_messages()) >= 2)
    play.slack.allow(containing=())
    await play.fire(hostile(text) | {"status": "resolved", "endsAt": "2026-11-23T06:01:00Z"})
    await play.play(lambda: len(play.slack.all_messages()) >= 3)
    await play.quiet()
    return play.slack.all_messages()


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_text_is_shown_without_harm_and_kept_as_it_came(
    tmp_path: Path, kind: str
) -> None:
    text = HOSTILE[kind]
    with SmtpServer(tmp_path) as smtp:
        async with stage(tmp_path, config=BOTH, smtp_url=smtp.url) as play:
            await play.fire(hostile(text), groupLabels={"alertname": text})
            messages = await settled(play, text)
            assert all(map(every_version_is_harmless, messages))
            assert all(map(harmless_links, messages))
            assert len(play.slack.roots()) == 1
            assert all(call.ok for call in play.slack.calls())
            incident = await play.house.incident(1)
            assert [p["state"] for p in incident["postings"]] == ["shown", "shown"]
            assert incident["alerts"][0]["labels"] == hostile(text)["labels"]
            assert incident["alerts"][0]["annotations"] == hostile(text)["annotations"]
        assert_harmless_mails(smtp)


def assert_harmless_mails(smtp: SmtpServer) -> None:
    assert len(smtp.mailbox.messages) == 2
    for each in smtp.mailbox.messages:
        mail = each.message
        assert mail["Bcc"] is None
        assert mail["X"] is None
        assert each.recipients == ("a@example.com",)
        html = mail.get_body(("html",))
        assert html is not None
        assert "<script" not in html.get_content()
        found = re.findall(r'(?:href|src)="([^"]*)"', html.get_content())
        assert all(urlsplit(url).scheme in {"http", "https"} for url in found)


async def test_what_people_write_is_as_harmless(tmp_path: Path) -> None:
    async with stage(tmp_path, config=DIRECT + AS_IT_CAME) as play:
        await play.fire(alert())
        root = await play.root("HighErrorRate")
        await play.reply(root)
        written = [text[:20_000] for text in HOSTILE.values() if text.strip()]
        for text in written:
            act = {"by": text[:200], "text": text}
            answer = await play.house.http.post("/incidents/1/notes", json=act)
            assert answer.status_code == 200
        who = {"by": HOSTILE["mentions"], "force": True}
        await play.house.http.post("/incidents/1/resolve", json=who)
        play.slack.allow(containing=(), thread_of=root)
        await play.shows(root, "Resolved by")
        await play.quiet()
        assert all(map(every_version_is_harmless, play.slack.all_messages()))
        items = (await play.house.http.get("/incidents/1/timeline")).json()["items"]
        notes = [entry["data"]["text"] for entry in items if entry["kind"] == "note"]
        assert notes == written


async def test_five_thousand_alerts_of_one_group_fit_into_one_thread(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        alerts = [alert("PodDown", severity="critical", pod=f"pod-{n}") for n in range(5000)]
        await play.fire(*alerts)
        root = await play.root("5,000 firing")
        details = await play.reply(root)
        assert "4,990 more" in details
        over = [each | {"status": "resolved"} for each in alerts]
        await play.house.post(notification(*over))
        await play.reply(root, "Resolved")
        await play.quiet()
