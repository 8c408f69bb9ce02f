from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.core.events import Acknowledged
from app.core.incidents import Entry, EntryKind
from app.core.notices import Look, Notice
from app.core.person import Person
from app.notifiers import background, email_body, silence_wording, slack_blocks, telling
from app.notifiers.wording import Words, words
from tests.notifiers.samples import (
    LOCALES,
    MINUTE,
    START,
    ZONE,
    alert,
    every_kind,
    notice,
    reported,
)

NOTICES = dict(every_kind())


def english() -> Words:
    return words("en", ZONE)


def portuguese() -> Words:
    return words("pt-BR", ZONE)


_ENGLISH = {
    "the",
    "of",
    "and",
    "was",
    "were",
    "firing",
    "resolved",
    "since",
    "after",
    "acknowledged",
    "alert",
    "alerts",
    "reported",
    "more",
    "not",
    "reopened",
    "longer",
    "checking",
    "possibly",
    "opened",
    "by",
    "cut",
    "off",
    "back",
    "handed",
    "somebody",
    "lasted",
    "for",
    "above",
    "below",
    "threshold",
    "serving",
    "before",
    "time",
    "times",
    "days",
    "usually",
    "last",
    "known",
    "answer",
    "rule",
    "worst",
    "changes",
    "changed",
    "registered",
    "because",
    "week",
    "values",
    "history",
    "silence",
    "silenced",
    "until",
    "ended",
    "still",
    "answers",
    "confirmed",
}
_GIVEN = (
    "HighErrorRate",
    "checkout is failing",
    "KafkaConsumerLag: 182,340 messages behind",
    "PixDecisionsLate: decisions later than 2 s (decisions)",
    "scorer 1.8.2 deployed",
    "transactions: 412 files rewritten",
    "restarted the scorer",
)
_DATA = re.compile("|".join(map(re.escape, _GIVEN)))


@pytest.mark.parametrize("name", NOTICES)
def test_no_english_is_left_in_portuguese(name: str) -> None:
    said = " ".join(everything(portuguese(), NOTICES[name]))
    heard = set(re.findall(r"\w+", _DATA.sub("", said).lower()))
    assert not heard & _ENGLISH


def everything(speech: Words, shown: Notice) -> Iterator[str]:
    yield speech.headline(shown)
    yield speech.subject(shown)
    yield speech.span(shown)
    yield speech.counts(shown.incident)
    yield from speech.handling(shown)
    yield from speech.remarks(shown.incident)
    yield from silence_wording.lines(speech, shown)
    yield from (telling.line(speech, shown, each) for each in told(shown))
    for state in shown.alerts:
        yield speech.alert_state(state, beside=START)
    yield from (name for name, _ in speech.links(shown))
    yield from known_lines(speech, shown)


def known_lines(speech: Words, shown: Notice) -> Iterator[str]:
    """What the sources said, but for the runbook's own steps."""
    yield from (line.text for line in background.brief(speech, shown))
    for part in background.whole(speech, shown):
        yield part.title
        yield from (line.text for line in part.lines)


def told(shown: Notice) -> list[Entry]:
    """Without the delivery's own account, which the engine writes."""
    return [entry for entry in shown.entries if entry.kind is not EntryKind.DELIVERY]


def test_the_samples_have_every_look_and_every_kind_of_entry() -> None:
    assert {shown.look for shown in NOTICES.values()} == set(Look)
    kinds = {entry.kind for shown in NOTICES.values() for entry in shown.entries}
    assert kinds == set(EntryKind)


# Headlines


@pytest.mark.parametrize(
    ("name", "english_one", "portuguese_one"),
    [
        ("triggered", "🔴 CRITICAL", "🔴 CRÍTICO"),
        ("acknowledged", "🟡 Acknowledged by Ana · CRITICAL", "🟡 Reconhecido por Ana · CRÍTICO"),
        ("resolved", "🟢 Resolved", "🟢 Resolvido"),
        ("by person", "🟢 Resolved by Ana", "🟢 Resolvido por Ana"),
        ("vanished", "⚪ No longer reported", "⚪ Deixou de ser reportado"),
        (
            "unconfirmed",
            "🟠 Possibly firing again, checking · CRITICAL",
            "🟠 Talvez disparado de novo, verificando · CRÍTICO",
        ),
        (
            "hidden",
            "🟠 Possibly still firing, checking · CRITICAL",
            "🟠 Talvez ainda disparado, verificando · CRÍTICO",
        ),
    ],
)
def test_headlines(name: str, english_one: str, portuguese_one: str) -> None:
    title = " · HighErrorRate: checkout is failing"
    assert english().headline(NOTICES[name]) == english_one + title
    assert portuguese().headline(NOTICES[name]) == portuguese_one + title


@pytest.mark.parametrize(
    ("severity", "shown", "exibido"),
    [
        ("critical", "🔴 CRITICAL", "🔴 CRÍTICO"),
        ("error", "🔴 ERROR", "🔴 ERRO"),
        ("page", "🔴 PAGE", "🔴 PAGE"),
        ("warning", "🔶 WARNING", "🔶 ATENÇÃO"),
        ("strange", "🔶 STRANGE", "🔶 STRANGE"),
        ("info", "🔷 INFO", "🔷 INFO"),
        ("", "🔶 ALERT", "🔶 ALERTA"),
    ],
)
def test_severity_shows_in_word_and_shape(severity: str, shown: str, exibido: str) -> None:
    one = notice(reported(alert(labels={"alertname": "X", "severity": severity})))
    assert english().headline(one).startswith(shown + " · ")
    assert portuguese().headline(one).startswith(exibido + " · ")


def test_a_long_name_leaves_room_for_the_title() -> None:
    shown = notice(reported(alert()), Acknowledged(Person("Ana " * 50)))
    assert "checkout is failing" in english().headline(shown)
    assert len(english().headline(shown)) < 120


def test_an_alert_without_a_name() -> None:
    nameless = notice(reported(alert(labels={"severity": "info"}, annotations={})))
    assert english().title(nameless.incident).startswith("HighErrorRate")  # the group's
    bare = portuguese().say("Alert without a name")
    assert bare == "Alerta sem nome"


# Times


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (45.9, "45 s"),
        (60, "1 min"),
        (725, "12 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (86_400 + 59, "1 d"),
        (86_400 + 3600 * 2 + 59, "1 d 2 h"),
        (86_400 * 2 + 300, "2 d"),
        (86_400 * 1500, "1,500 d"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert english().duration(timedelta(seconds=seconds)) == shown
    assert portuguese().duration(timedelta(seconds=seconds)) == shown.replace(",", ".")


def test_moments() -> None:
    assert english().moment(START, beside=START) == "23 Nov, 03:12"
    assert portuguese().moment(START, beside=START) == "23/11 03:12"
    later = START + timedelta(days=60)
    assert english().moment(START, beside=later) == "23 Nov 2025, 03:12"
    assert portuguese().moment(START, beside=later) == "23/11/2025 03:12"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/Sao_Paulo", "UTC-3"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("America/St_Johns", "UTC-3:30"),
        ("UTC", "UTC"),
    ],
)
def test_zones(zone: str, shown: str) -> None:
    assert words("en", zone).zone(START) == shown


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Pacific/Auckland"])
def test_no_year_is_too_early_or_too_late(year: int, zone: str) -> None:
    day = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=UTC)
    at = day if year == 1 else day.replace(hour=23)
    assert words("pt-BR", zone).moment(at, beside=START)


def test_how_long_it_lasted() -> None:
    assert english().span(NOTICES["triggered"]) == "Since 23 Nov, 03:12 (UTC-3)"
    lasted = "Lasted 1 min: 23 Nov, 03:12 to 03:13 (UTC-3)"
    assert english().span(NOTICES["resolved"]) == lasted
    durou = "Durou 1 min: de 23/11 03:12 a 03:13 (UTC-3)"
    assert portuguese().span(NOTICES["resolved"]) == durou


@pytest.mark.parametrize(
    ("name", "told", "contado"),
    [
        ("triggered", [], []),
        ("acknowledged", ["Acknowledged by Ana, 03:13"], ["Reconhecido por Ana, 03:13"]),
        ("handed back", [], []),
        ("assigned", ["Assigned to Bia, 03:13"], ["Atribuído a Bia, 03:13"]),
        (
            "taken over",
            ["Acknowledged by Ana, 03:13", "Assigned to Bia, 03:14"],
            ["Reconhecido por Ana, 03:13", "Atribuído a Bia, 03:14"],
        ),
        ("nobody's", [], []),
        ("by person", [], []),
    ],
)
def test_who_has_it(name: str, told: list[str], contado: list[str]) -> None:
    assert english().handling(NOTICES[name]) == told
    assert portuguese().handling(NOTICES[name]) == contado


def test_counts() -> None:
    assert english().counts(NOTICES["some resolved"].incident) == "1 firing, 1 resolved"
    assert portuguese().counts(NOTICES["some resolved"].incident) == "1 disparado, 1 resolvido"
    assert english().counts(NOTICES["resolved"].incident) == "1 resolved"
    assert english().counts(NOTICES["vanished"].incident) == "1 alert"  # nobody saw it resolve
    many = notice(reported(*(alert(str(n)) for n in range(1200))))
    assert english().counts(many.incident) == "1,200 firing"
    assert portuguese().counts(many.incident) == "1.200 disparados"


# The timeline


def last(name: str, *, locale: str = "en") -> str:
    shown = NOTICES[name]
    return telling.told(words(locale, ZONE), shown, shown.entries[-1])


@pytest.mark.parametrize(
    ("name", "line", "linha"),
    [
        (
            "truncated",
            "Opened: 2 alerts firing: instance=a, instance=b. "
            "7 more alerts were cut off by Alertmanager",
            "Aberto: 2 alertas disparados: instance=a, instance=b. "
            "Mais 7 alertas foram cortados pelo Alertmanager",
        ),
        ("some resolved", "1 alert resolved: instance=a", "1 alerta resolvido: instance=a"),
        ("resolved", "Resolved after 1 min", "Resolvido após 1 min"),
        ("reopened", "Reopened: firing again", "Reaberto: disparou de novo"),
        (
            "by person",
            "Resolved by Ana after 1 min, while alerts were still firing",
            "Resolvido por Ana após 1 min, com alertas ainda disparados",
        ),
        (
            "vanished",
            "No longer reported after 1 min: Alertmanager no longer lists it",
            "Deixou de ser reportado após 1 min: o Alertmanager não o lista mais",
        ),
        ("triggered", "Note by Ana: looking at it", "Nota de Ana: looking at it"),
        ("assigned", "Assigned to Bia by Ana", "Atribuído a Bia por Ana"),
        ("nobody's", "Assigned to nobody by Ana", "Deixado sem responsável por Ana"),
    ],
)
def test_lines(name: str, line: str, linha: str) -> None:
    assert last(name) == line
    assert last(name, locale="pt-BR") == linha


def test_a_line_bears_sign_and_time() -> None:
    shown = NOTICES["resolved"]
    line = telling.line(english(), shown, shown.entries[-1])
    assert line == "🟢 Resolved after 1 min · 03:13"


def test_more_alerts_than_are_named() -> None:
    shown = notice(reported(alert("x")), reported(*(alert(f"i{n}") for n in range(9))))
    line = telling.told(english(), shown, shown.entries[-1])
    assert line.startswith("9 more alerts firing: instance=i0, instance=i1")
    assert line.endswith("and 4 more")


def test_the_length_is_that_of_the_last_episode() -> None:
    ends, again = START + MINUTE, START + 2 * MINUTE
    shown = notice(
        reported(alert()),
        reported(alert(ends=ends)),
        reported(alert(at=again)),
        reported(alert(at=again, ends=again + MINUTE)),
    )
    assert telling.told(english(), shown, shown.entries[-1]) == "Resolved after 1 min"
    assert english().remarks(shown.incident) == ["Reopened once"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NOTICES)
def test_everything_can_be_said(name: str, locale: str) -> None:
    speech, shown = words(locale, ZONE), NOTICES[name]
    assert slack_blocks.root(speech, shown, buttons=True)["text"]
    assert email_body.root(speech, shown, plain=False)["html"]
    assert slack_blocks.reply(speech, shown, shown.entries)["text"]
    assert "{" not in " ".join(everything(speech, shown))
