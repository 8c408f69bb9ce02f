from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from app.core.events import NoteAdded
from app.core.notices import Notice
from app.core.person import Person
from app.notifiers.slack import SlackNotifier
from tests.neighbours.slack.validation import (
    check_together,
    validated_attachments,
    validated_blocks,
)
from tests.notifiers.samples import (
    LOCALES,
    MINUTE,
    START,
    ZONE,
    alert,
    enormous,
    every_kind,
    hostile,
    notice,
    reported,
)

NOTICES = {**dict(every_kind()), "hostile": hostile(), "enormous": enormous()}
MARKUP = re.compile(r"<([^>]*)>")


def notifier(*, buttons: bool = True) -> SlackNotifier:
    return SlackNotifier("xoxb-secret", zone=ZONE, buttons=buttons)


def payloads(shown: Notice, locale: str, *, plain: bool = False) -> list[dict[str, Any]]:
    slack = notifier()
    messages = [
        slack.root(shown, locale=locale, plain=plain),
        slack.details(shown, locale=locale, plain=plain),
        slack.reply(shown, shown.entries, locale=locale, plain=plain),
    ]
    return [dict(message.payload) for message in messages if message]


def texts(value: object) -> list[str]:
    """Every text in a payload that Slack shows."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    return [text for each in value for text in texts(each)] if isinstance(value, list) else []


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NOTICES)
def test_slack_takes_it(name: str, locale: str, plain: bool) -> None:
    for payload in payloads(NOTICES[name], locale, plain=plain):
        blocks = validated_blocks(payload.get("blocks", []))
        attachments = validated_attachments(payload.get("attachments", []))
        check_together(blocks, attachments)
        assert 0 < len(payload["text"]) <= 4000
        assert len(json.dumps(payload, ensure_ascii=False)) < 10_000
        assert json.dumps(payload, ensure_ascii=False).encode()


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", NOTICES)
def test_nothing_notifies_and_only_our_links_are_markup(name: str, plain: bool) -> None:
    for payload in payloads(NOTICES[name], "en", plain=plain):
        for text in texts(payload):
            for found in MARKUP.findall(text):
                assert re.fullmatch(r"https?://[^|<>\s]+\|[\w #-]+", found), found
            assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
            assert "<" not in MARKUP.sub("", text)
            assert not re.search(r"&(?!(amp|lt|gt);)", text)


@pytest.mark.parametrize("name", NOTICES)
def test_it_fits_one_screen(name: str) -> None:
    root = notifier().root(NOTICES[name], locale="en", plain=False).payload
    blocks = root["attachments"][0]["blocks"]
    assert len(blocks) <= 5  # Slack folds an attachment of more
    said = [block for block in blocks if block["type"] != "actions"]
    shown = unescape(re.sub(r"<[^|>]*\|([^>]*)>", r"\1", "\n".join(texts(said))))
    assert len(shown) < (1400 if name == "hostile" else 900)


def test_the_headline_comes_first() -> None:
    root = notifier().root(NOTICES["triggered"], locale="en", plain=False).payload
    headline = "🔴 CRITICAL · HighErrorRate: checkout is failing"
    assert root["text"].splitlines()[0] == headline
    assert root["blocks"][0]["text"]["text"] == f"*{headline}*"
    first, facts, links, _ = root["attachments"][0]["blocks"]
    assert first["text"]["text"] == (
        "12 % of the answers are errors.\nLook at the model server first."
    )
    assert facts["text"]["text"] == "*2 firing* · Since 23 Nov, 03:12 (UTC-3)"
    assert "<https://runbooks.example.com/HighErrorRate|Runbook>" in links["text"]["text"]


OPEN = ["assign", "silence", "note", "resolve", "more"]


def elements(shown: Notice, locale: str = "en") -> list[dict[str, Any]]:
    """What can be pressed below an incident."""
    root = notifier().root(shown, locale=locale, plain=False)
    blocks = root.payload["attachments"][0]["blocks"]
    return [each for b in blocks if b["type"] == "actions" for each in b["elements"]]


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("triggered", ["acknowledge", *OPEN]),
        ("acknowledged", ["unacknowledge", *OPEN]),
        ("handed back", ["acknowledge", *OPEN]),
        ("assigned", ["acknowledge", *OPEN]),
        ("unconfirmed", ["acknowledge", *OPEN]),
        ("resolved", ["note", "more"]),
        ("by person", ["note", "more"]),  # nothing to undo
        ("vanished", ["note", "more"]),
    ],
)
def test_buttons_for_what_can_be_done(name: str, actions: list[str]) -> None:
    found = elements(NOTICES[name])
    assert [each["action_id"] for each in found] == [f"incident.{action}" for action in actions]
    assert {each["value"] for each in found if each["type"] == "button"} == {"12"}


PAGE = ("open:12", "https://plantao.example.com/console/incidents/12")
POSTMORTEM = ("postmortem:12", "https://plantao.example.com/incidents/12/postmortem")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("triggered", [PAGE, POSTMORTEM, ("mute:12", None)]),
        ("muted", [PAGE, POSTMORTEM, ("unmute:12", None)]),
        ("unmuted", [PAGE, POSTMORTEM, ("mute:12", None)]),
        ("resolved", [PAGE, POSTMORTEM]),
    ],
)
def test_the_menu_beside_the_buttons(name: str, options: list[tuple[str, str | None]]) -> None:
    menu = elements(NOTICES[name])[-1]["options"]
    assert [(each["value"], each.get("url")) for each in menu] == options


def test_without_a_page_that_is_safe_to_open_there_is_no_link() -> None:
    odd = notice(reported(alert()), public_url="javascript:alert(1)//")
    (option,) = elements(odd)[-1]["options"]
    assert option["value"] == "mute:12"
    over = notice(reported(alert()), reported(alert(ends=START + MINUTE)), public_url="x")
    assert [each["action_id"] for each in elements(over)] == ["incident.note"]


def test_buttons_speak_portuguese() -> None:
    found = elements(NOTICES["muted"], "pt-BR")
    said = [each["text"]["text"] for each in found if each["type"] == "button"]
    assert said == ["Reconhecer", "Atribuir", "Silenciar", "Anotar", "Resolver"]
    options = [each["text"]["text"] for each in found[-1]["options"]]
    page, postmortem = "Abrir a página do incidente", "Post-mortem"
    assert options == [page, postmortem, "Reativar respostas na conversa"]


def test_no_buttons_where_nobody_hears_them() -> None:
    root = notifier(buttons=False).root(NOTICES["triggered"], locale="en", plain=False)
    assert "actions" not in json.dumps(root.payload)


def test_each_look_has_its_colour() -> None:
    names = ("triggered", "acknowledged", "unconfirmed", "resolved", "vanished")
    roots = [notifier().root(NOTICES[name], locale="en", plain=False) for name in names]
    assert len({root.payload["attachments"][0]["color"] for root in roots}) == len(names)


def test_the_digest_changes_with_what_is_seen_and_with_nothing_else() -> None:
    slack = notifier()
    one, again = notice(reported(alert())), notice(reported(alert()))
    resolved = NOTICES["resolved"]
    digests = [slack.root(n, locale="en", plain=False).digest for n in (one, again, resolved)]
    assert digests[0] == digests[1] != digests[2]
    noted = notice(reported(alert()), NoteAdded(Person("Ana"), "x"))
    assert slack.root(noted, locale="en", plain=False).digest == digests[0]


def test_details_list_ten_and_count_the_rest() -> None:
    details = notifier().details(NOTICES["enormous"], locale="pt-BR", plain=False)
    assert details is not None
    shown = "\n".join(texts(details.payload))
    assert shown.count("🔴") == 10 or "…" in shown
    few = notice(reported(*(alert(f"i{n}") for n in range(12))))
    details = notifier().details(few, locale="pt-BR", plain=False)
    assert details is not None
    last = details.payload["blocks"][-1]["text"]["text"].splitlines()
    assert last[0] == "🔴 `instance=i0` disparado desde 03:12"
    assert last[-1] == "e mais 2"
    assert details.payload["blocks"][0]["text"]["text"] == (
        "`alertname=HighErrorRate` `component=serving` `model=pix-fraud` `severity=critical`"
    )


def test_nothing_to_add_is_no_message() -> None:
    bare = notice(reported(alert(labels={}, annotations={}, graph="")))
    for plain in (False, True):
        assert notifier().details(bare, locale="en", plain=plain) is None


def test_a_long_story_is_cut_at_a_line() -> None:
    notes = [NoteAdded(Person("Ana"), "x" * 1400) for _ in range(6)]
    shown = notice(reported(alert()), *notes)
    text = notifier().reply(shown, shown.entries, locale="en", plain=False).payload["text"]
    assert len(text) <= 4000
    assert text.splitlines()[-1].startswith("and ")


def test_a_link_too_long_is_left_out() -> None:
    long = alert(graph="https://example.com/?" + "a" * 3000)
    root = notifier().root(notice(reported(long)), locale="en", plain=False)
    line = root.payload["attachments"][0]["blocks"][2]["text"]["text"]
    assert "Graph" not in line
    assert "Incident" in line
