"""No English is left over in any message of any transport, nor on the page behind a mail's link.

Everything is said in the pseudo-language, in which each piece of the catalogue is marked, about
incidents in which all that comes from outside is in Greek letters. What is in Latin letters and
not marked is then English that nobody can translate. That each message of the catalogue has its
translation, `test_catalogue.py` says.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.core.chart import draw
from app.core.incidents import EntryKind
from app.core.notices import Look, Notice
from app.core.signed_links import Right
from app.engine import ourselves
from app.errors import (
    InvalidSilence,
    NeighbourRefused,
    NeighbourUnreachable,
    NotApplicable,
    NotFound,
    Obstacle,
    PlantaoError,
)
from app.notifiers import email_body, own_wording
from app.notifiers.catalogue import CLOSES, OPENS, PSEUDO, babel_locale
from app.notifiers.console import ConsoleNotifier
from app.notifiers.email import EmailNotifier
from app.notifiers.notifier import Message, Notifier
from app.notifiers.slack import SlackNotifier
from app.notifiers.slack_errors import from_code, from_transport
from app.notifiers.smtp import MailServer
from app.notifiers.wording import Words, words
from app.values import parse_smtp_url
from app.web import act_page, outcomes
from app.web.act_page import View
from app.web.outcomes import Answer
from app.web.proposals import Mutable
from tests.notifiers.foreign import foreign
from tests.notifiers.samples import START, ZONE, alert, every_kind, notice, reported

APP = Path(__file__).parents[2] / "app"
NOTIFIERS: tuple[Notifier, ...] = (
    SlackNotifier("xoxb-1", zone=ZONE, buttons=True),
    EmailNotifier(MailServer(parse_smtp_url("smtp://localhost")), sender="a@b.c", zone=ZONE),
    ConsoleNotifier(zone=ZONE),
)


def nameless() -> Notice:
    """About an alert that says nothing but a severity of its sender's own."""
    event = reported(alert(labels={"severity": "παράξενο"}, annotations={}))
    origin = replace(event.origin, group_labels={}, receivers=("ομάδα",))
    return notice(replace(event, origin=origin))


NOTICES = {name: foreign(shown) for name, shown in every_kind()} | {"nameless": nameless()}
NOW = datetime(2025, 11, 23, 6, 30, tzinfo=UTC)

# What reads the same in every language, or is the name of something.
_NEUTRAL = (
    rf"{OPENS}[^{CLOSES}]*{CLOSES}",
    r"https?://[^\s|>]+",
    r"\b(?:alertname|component|instance|model|severity)(?==)",
    r"(?<=\d) (?:ms|s)\b",
    r"\bv(?=\d)",
    r"\bUTC\b",
    r"\bNaN\b",
    r"\bPlantão\b",
    r"\b[0-9a-f]{16}\b",  # a fingerprint, where an alert has no name
    r"\bbusy\b",  # MLflow's own answer
    r"\bchannel_not_found\b",  # Slack's
)
_LATIN = re.compile(r"[A-Za-zÀ-ÿ]{2,}|(?<![\w'])[A-Za-zÀ-ÿ](?!\w)")


def unmarked(text: str) -> list[str]:
    """The Latin words that are neither from the catalogue nor neutral."""
    text = unescape(text)  # Slack's texts have entities, too
    for pattern in _NEUTRAL:
        text = re.sub(pattern, " ", text)
    return _LATIN.findall(text)


class _Visible(HTMLParser):
    """What a reader of a page sees or hears."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unseen = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen = tag == "style"
        seen = {"alt", "title", "placeholder", "aria-label", "label"}
        self.texts += [value or "" for name, value in attrs if name in seen]

    def handle_endtag(self, tag: str) -> None:
        self._unseen = self._unseen and tag != "style"

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)


_SHOWN = frozenset({"text", "alt", "alt_text", "title", "subject", "hint", "lines", "fallback"})


def texts(payload: object, key: str = "") -> Iterator[str]:
    """All that is shown of a message, whatever its transport's form."""
    if isinstance(payload, Mapping):
        for name, value in payload.items():
            if name == "html":
                yield from _Visible(str(value)).texts
            elif name == "deeds":
                yield from (shown for shown, _ in value)
            else:
                yield from texts(value, name if isinstance(value, str | list) else "")
    elif isinstance(payload, list | tuple):
        for value in payload:
            yield from texts(value, key)
    elif isinstance(payload, str) and key in _SHOWN:
        yield payload


def messages(notifier: Notifier, shown: Notice, locale: str) -> Iterator[Message]:
    """Everything a transport can say of an incident, in both its forms."""
    for plain in (False, True):
        yield notifier.root(shown, locale=locale, plain=plain)
        details = notifier.details(shown, locale=locale, plain=plain)
        if details is not None:
            yield details
        yield notifier.reply(shown, shown.entries, locale=locale, plain=plain)
    if isinstance(notifier, SlackNotifier):
        chart = notifier.chart(shown, locale=locale)
        if chart is not None:
            yield chart


def said(shown: Notice, locale: str) -> Iterator[str]:
    """Everything that is shown of an incident anywhere."""
    for notifier in NOTIFIERS:
        for message in messages(notifier, shown, locale):
            payload = message.payload
            if isinstance(notifier, EmailNotifier):
                payload = email_body.addressed(payload, "https://plantao.example.com/act/x")
            yield from texts(payload)
            if message.chart is not None:
                yield from _Visible(draw(message.chart)).texts
    yield from pages(shown, words(locale, ZONE))


def pages(shown: Notice, speech: Words) -> Iterator[str]:
    """Every state of the page behind a mail's link, and every way it can refuse."""
    right = Right(12, "άννα@παράδειγμα.βρ", NOW + timedelta(days=7))
    mutable = Mutable(['αβγ="δ"'], 1, 2, 3)
    view = View(shown, right, "", mutable, silencing=True)
    views = [view, replace(view, mutable=None), replace(view, mutable=None, silencing=False)]
    for each in views:
        yield from _Visible(act_page.page(speech, each)).texts
    for answer in answers(shown, speech):
        named = replace(view, name="Άννα")
        yield from _Visible(act_page.page(speech, named, answer)).texts
    for told in _REFUSALS:
        yield from _Visible(act_page.refusal(speech, *told(speech))).texts


_REFUSALS = (
    act_page.unsigned,
    act_page.expired,
    act_page.gone,
    act_page.too_many,
    act_page.unstored,
    act_page.unreadable,
)


def answers(shown: Notice, speech: Words) -> Iterator[Answer]:
    yield outcomes.well_done(speech)
    errors: list[PlantaoError] = [
        *(NotApplicable("Late.", each, by="Άννα", at=NOW, firing=2) for each in Obstacle),
        NotApplicable("Late.", Obstacle.ALREADY_RESOLVED, at=NOW),
        NeighbourUnreachable("Gone.", perhaps_done=True),
        NeighbourRefused("No."),
        InvalidSilence("No."),
        NotFound("No."),
    ]
    for error in errors:
        for do in ("resolve", "silence", "note"):
            yield outcomes.refused(speech, error, shown, {"do": do})


def assert_all_marked(found: Iterable[str]) -> None:
    left = {text: words for text in found if (words := unmarked(text))}
    assert not left, left


@pytest.mark.parametrize("name", NOTICES)
def test_all_that_is_said_can_be_translated(name: str) -> None:
    assert_all_marked(said(NOTICES[name], PSEUDO))


def test_every_kind_of_entry_and_every_look_is_among_them() -> None:
    shown = NOTICES.values()
    assert {entry.kind for each in shown for entry in each.entries} == set(EntryKind)
    assert {each.look for each in shown} == set(Look)


def test_every_transport_is_among_them() -> None:
    there = {
        found
        for path in (APP / "notifiers").glob("*.py")
        for found in re.findall(r"^class (\w+Notifier):", path.read_text(), re.MULTILINE)
    }
    assert {type(each).__name__ for each in NOTIFIERS} == there


def test_every_refusal_of_the_page_is_among_them() -> None:
    there = {
        function
        for _, function in inspect.getmembers(act_page, inspect.isfunction)
        if function.__annotations__.get("return") == "tuple[str, str]"
        and list(function.__annotations__) == ["words", "return"]
    }
    assert set(_REFUSALS) == there


def test_the_detector_sees_english() -> None:
    """Wherever it stands: in a message, in an incident's own text, beside what is marked."""
    shown = NOTICES["acknowledged"]
    assert unmarked("🔴 firing · 12")
    assert unmarked(f"{OPENS}Since {CLOSES}today")
    assert unmarked("άννα: a β")
    assert unmarked("3 of 4")
    assert not unmarked(f"{OPENS}3 of 4{CLOSES} · άννα · 830 ms · UTC-3")
    english = replace(shown, incident=replace(shown.incident, title="Kafka is down"))
    with pytest.raises(AssertionError, match="Kafka"):
        assert_all_marked(said(english, PSEUDO))
    told = [replace(entry, actor="Bob") for entry in shown.entries]
    with pytest.raises(AssertionError, match="Bob"):
        assert_all_marked(said(replace(shown, entries=told), PSEUDO))


def test_the_pseudo_language_is_nobodys() -> None:
    assert babel_locale(PSEUDO) == babel_locale("en")
    assert PSEUDO not in {"en", "pt-BR"}


# Incidents about ourselves


def about_ourselves() -> Iterator[Notice]:
    problem = "τίποτα"
    for trouble in (
        ourselves.quarantined(17, problem, at=START),
        ourselves.unreadable_alerts(17, problem, at=START),
        *(ourselves.delivery_failing("σλακ:#παράδειγμα", why, at=START) for why in reasons()),
    ):
        yield notice(reported(trouble))


def reasons() -> Iterator[str]:
    """Why messages do not get through, as the transports say it."""
    for code in ("channel_not_found", "not_in_channel", "is_archived", "invalid_auth"):
        yield str(from_code(code))
    yield str(from_code("token_revoked"))
    yield str(from_code("missing_scope", {"needed": "chat:write"}))
    yield str(from_code("some_other"))
    yield str(from_transport(ConnectionError(), repeatable=True))
    yield str(from_transport(TimeoutError(), repeatable=True))
    yield "email is not set up: its settings are missing."


@pytest.mark.parametrize("shown", list(about_ourselves()))
def test_what_we_say_of_ourselves_is_translated(shown: Notice) -> None:
    ours = own_wording.localised(shown, "pt-BR")
    assert ours.incident.title != shown.incident.title
    for before, after in zip(shown.alerts, ours.alerts, strict=True):
        notes = before.alert.annotations
        for name, text in after.alert.annotations.items():
            assert text != notes[name]
            assert not re.search(r"\b(the|its|is|are|and|could|names|check its)\b", text), text
    same = own_wording.localised(shown, "en")
    assert same.incident == shown.incident


def test_what_others_say_is_not_ours_to_translate() -> None:
    words_of_ours = {"summary": "Messages to kafka are not getting through"}
    shown = notice(reported(alert(annotations=words_of_ours)))
    assert own_wording.localised(shown, "pt-BR") == shown


# Times and numbers


@pytest.mark.parametrize(
    ("locale", "numbers", "today", "other_year"),
    [
        ("en", ("182,340", "99.95%"), "23 Nov, 00:00", "23 Nov 2025, 00:00"),
        ("pt-BR", ("182.340", "99,95%"), "23/11 00:00", "23/11/2025 00:00"),
    ],
)
def test_times_and_numbers_are_written_as_people_do(
    locale: str, numbers: tuple[str, str], today: str, other_year: str
) -> None:
    speech = words(locale, ZONE)
    at = datetime(2025, 11, 23, 3, 0, tzinfo=UTC)  # midnight in São Paulo
    assert speech.clock(at) == "00:00"
    assert (speech.number(182_340), speech.quantity(0.9995, "ratio")) == numbers
    assert speech.moment(at, beside=at) == today
    assert speech.moment(at, beside=at + timedelta(days=60)) == other_year
    assert words(locale, "UTC").clock(at) == "03:00"


@pytest.mark.parametrize(
    ("locale", "forms"),
    [
        ("en", ["0 alerts", "1 alert", "2 alerts", "1,000,000 alerts"]),
        ("pt-BR", ["0 alerta", "1 alerta", "2 alertas", "1.000.000 alertas"]),
    ],
)
def test_plural_forms(locale: str, forms: list[str]) -> None:
    """Zero is plural in English and singular in Brazilian Portuguese (CLDR)."""
    speech = words(locale, ZONE)
    counts = (0, 1, 2, 1_000_000)
    assert [speech.count("{count} alert", "{count} alerts", each) for each in counts] == forms
