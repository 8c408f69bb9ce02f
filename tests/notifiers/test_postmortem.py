"""A postmortem as people find it: what is known is told, and nothing breaks it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from app.core.events import Acknowledged, ChangeLanded, NoteAdded, NoteEdited
from app.core.facts import Measured
from app.core.incidents import Entry, EntryKind
from app.core.notes import folded
from app.core.notices import Notice
from app.core.person import Person
from app.core.silence_events import Silenced
from app.notifiers.catalogue import PSEUDO
from app.notifiers.postmortem import postmortem
from app.notifiers.wording import words
from tests.notifiers import known, samples, silences
from tests.notifiers.foreign import foreign
from tests.notifiers.samples import MINUTE, START, ZONE, alert, reported
from tests.notifiers.test_languages import unmarked

ANA = Person("Ana")


def night() -> Notice:
    """From opening to end, with a note that was edited, a change and a silence."""
    return samples.with_context(
        known.full(),
        reported(alert("a"), alert("b")),
        Acknowledged(ANA),
        NoteAdded(ANA, "it was the disk"),
        NoteEdited(ANA, 1, "looked at it:\n# it was *the network*"),
        ChangeLanded(known.CHANGED.changes[0]),
        reported(alert("a", ends=START + MINUTE)),
        reported(alert("b", ends=START + 5 * MINUTE)),
    )


def shown(notice: Notice, locale: str = "en") -> str:
    whole = replace(notice, entries=folded(notice.entries))
    return postmortem(words(locale, ZONE), whole)


def section(page: str, title: str) -> str:
    return re.split(r"^## ", page.split(f"\n## {title}\n", 1)[1], flags=re.MULTILINE)[0]


def test_everything_that_is_known_is_told() -> None:
    page = shown(night())
    assert page.startswith("# Postmortem of incident \\#12: HighErrorRate: checkout is failing\n")
    assert "| **Duration** | Lasted 6 min: " in page
    assert "by Ana, 1 min after it was opened" in page
    assert "830 ms, above 500 ms" in section(page, "Impact")
    assert "v3" in section(page, "What was known when it opened")
    assert "3rd time in 90 days" in section(page, "What helped before")
    assert "![Chart of ScoringLatencyHigh" in section(page, "Chart")
    assert "/incidents/12/chart.svg>)" in section(page, "Chart")
    assert "`instance=a`" in section(page, "Alerts")
    assert page.count("|   |   |   |") == 3
    assert section(page, "Root cause").strip() == "*What was it, and how was it found?*"


def test_notes_stand_in_the_timeline_in_full_as_they_are_now() -> None:
    timeline = section(shown(night()), "Timeline")
    assert "**Ana noted:**\n\n  > looked at it:\\\n  > \\# it was \\*the network\\*\n" in timeline
    assert "the disk" not in timeline
    clocks = re.findall(r"^- \*\*(\d\d:\d\d)\*\*", timeline, re.MULTILINE)
    assert clocks == ["03:12", "03:13", "03:14", "03:16", "03:17", "03:18"]


def test_the_context_is_that_of_the_opening() -> None:
    before = section(shown(night()), "What was known when it opened")
    notice = night()
    now = known.context(known.MEASURED, now=replace(known.MEASURED, now=9.87)).latest
    later = replace(notice, context=replace(notice.context, latest=now))
    assert later.context.newest(Measured) != notice.context.newest(Measured)
    assert section(shown(later), "What was known when it opened") == before


def test_what_is_not_there_leaves_no_heading() -> None:
    page = shown(samples.notice())
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == [
        "Summary",
        "Impact",
        "Timeline",
        "Alerts",
        "Root cause",
        "What went well, what did not",
        "Actions",
    ]
    assert "by nobody" in page


def test_silences_are_told() -> None:
    notice = samples.notice(reported(alert()), Silenced(silences.hostile("disk swap")))
    notice = replace(notice, silences=[silences.hostile("disk swap")])
    assert "disk swap" in section(shown(notice), "Silences")


def test_a_timeline_without_end_is_told_in_part_with_every_note() -> None:
    notice = samples.notice()
    steps = [Entry(EntryKind.ALERTS_FIRING, START, "x", {"count": 1}, n) for n in range(5_000)]
    steps[2_500] = Entry(EntryKind.NOTE, START, "Ana", {"note": 1, "text": "half-way"}, 2_500)
    page = shown(replace(notice, entries=steps))
    assert "> half-way" in page
    assert "and 4,599 more" in page
    assert page.count("more alert firing") == 400


@pytest.mark.parametrize("locale", ["en", "pt-BR"])
def test_hostile_text_is_text(locale: str) -> None:
    page = shown(samples.hostile(), locale)
    html = MarkdownIt("commonmark").enable("table").render(page)
    links = set(re.findall(r'href="([^"]*)"', html))
    ours = ("https://plantao.example.com/", "http://alertmanager.example:9093")
    assert {link for link in links if not link.startswith(ours)} == set()
    assert "<script" not in html
    assert "<b>" not in html
    assert re.findall("<h1>", html) == ["<h1>"]
    assert len(page) < 200_000


def test_it_stays_small_whatever_the_storm() -> None:
    assert len(shown(samples.enormous())) < 20_000


def test_no_english_is_left_over() -> None:
    for notice in (foreign(night()), *(foreign(each) for _, each in samples.every_kind())):
        page = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown(notice, PSEUDO))
        assert unmarked(page) == []
