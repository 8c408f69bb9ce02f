"""The postmortem of an incident in Markdown: what is known is told, the rest is to be filled in.

What was known at the opening is told as it was then; people's notes stand in the timeline in
full. The text of others is escaped: `markdown.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from app.core.context import Context
from app.core.facts import Measured
from app.core.incidents import Entry, EntryKind
from app.core.notes import author_of, written_at
from app.core.notices import Notice
from app.notifiers import background, charting, markdown, silence_wording, telling
from app.notifiers import facts_wording as say
from app.notifiers.background import Part
from app.notifiers.markdown import escape
from app.notifiers.reading import explanation
from app.notifiers.text import cut, one_line, url
from app.notifiers.wording import Words, person

_MOST_ENTRIES = 400  # beside the notes
_ROWS_TO_FILL = 3
_LABEL = 200
_EXPLANATION = 4000


def postmortem(words: Words, notice: Notice) -> str:
    """The whole page; `notice` has the whole timeline, with each note as it is now."""
    title = words.say("Postmortem of incident #{number}", number=notice.incident.id)
    head = f"# {escape(title)}: {escape(words.title(notice.incident))}"
    sections = [
        (words.say("Summary"), _summary(words, notice)),
        (words.say("Impact"), _impact(words, notice)),
        (words.say("Timeline"), "\n".join(_timeline(words, notice))),
        (words.say("Chart"), _chart(words, notice)),
        *_context(words, notice),
        (words.say("Silences"), "\n".join(_silences(words, notice))),
        (words.say("Alerts"), "\n".join(_alerts(words, notice))),
        (words.say("Root cause"), _to_fill(words.say("What was it, and how was it found?"))),
        (
            words.say("What went well, what did not"),
            _to_fill(words.say("What helped? What hindered?")),
        ),
        (words.say("Actions"), _actions(words)),
    ]
    told = [f"## {escape(name)}\n\n{text}" for name, text in sections if text]
    return "\n\n".join([head, _at_a_glance(words, notice), *told, _foot(words, notice)]) + "\n"


def _to_fill(question: str) -> str:
    return f"*{escape(question)}*"


# What is known at once


def _at_a_glance(words: Words, notice: Notice) -> str:
    rows = [(name, text) for name, text in _facts(words, notice) if text]
    return markdown.table(["", ""], [(f"**{escape(name)}**", text) for name, text in rows])


def _facts(words: Words, notice: Notice) -> list[tuple[str, str]]:
    incident = notice.incident
    links = [markdown.link(name, address) for name, address in words.links(notice)]
    return [
        (words.say("Status"), escape(f"{words.sign(notice)} {words.status(notice)}")),
        (words.say("Severity"), escape(words.severity(incident.severity))),
        (words.say("Duration"), escape(words.span(notice))),
        (words.say("Acknowledged"), escape(_acknowledged(words, notice))),
        (words.say("Alerts"), escape(words.counts(incident))),
        (words.say("Remarks"), escape(" · ".join(words.remarks(incident)))),
        (words.say("Receiver"), escape(", ".join(incident.receivers))),
        (words.say("Where to look"), " · ".join(links)),
    ]


def _acknowledged(words: Words, notice: Notice) -> str:
    """By whom first, and how long after the opening."""
    first = next((e for e in notice.entries if e.kind is EntryKind.ACKNOWLEDGED), None)
    if first is None:
        return words.say("by nobody")
    return words.say(
        "by {person}, {duration} after it was opened",
        person=person(first.actor),
        duration=words.duration(first.at - notice.incident.opened_at),
    )


def _summary(words: Words, notice: Notice) -> str:
    told = cut(explanation(notice), _EXPLANATION)
    asked = _to_fill(words.say("In two sentences: what happened, and how did it end?"))
    return f"{markdown.quote(told)}\n\n{asked}" if told else asked


def _impact(words: Words, notice: Notice) -> str:
    """What was measured; whom it touched, nobody but people can say."""
    measured = notice.context.facts(Measured)
    value = say.measured(words, measured) if measured else ""
    told = [f"- 📈 {escape(value)}"] if value else []
    told += [f"- {escape(words.counts(notice.incident))} · {escape(words.span(notice))}"]
    asked = words.say("Whom did it touch, how badly, and how many payments?")
    return "\n".join([*told, "", _to_fill(asked)])


# What happened


def _timeline(words: Words, notice: Notice) -> Iterator[str]:
    """Each day below its date; of a timeline without end, the middle is left out."""
    day = ""
    kept, left_out = _kept(notice.entries)
    for place, entry in enumerate(kept):
        at = _when(entry)
        if day != (day := words.day(at)):
            yield f"{'' if place == 0 else chr(10)}### {escape(f'{day} ({words.zone(at)})')}\n"
        yield _told(words, notice, entry, at)
        if left_out and place == _MOST_ENTRIES // 2 - 1:
            yield f"- … {escape(words.more(left_out))}"


def _kept(entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """The first and the last of them, with every note; and how many are left out."""
    half = _MOST_ENTRIES // 2
    if len(entries) <= _MOST_ENTRIES:
        return list(entries), 0
    middle = [entry for entry in entries[half:-half] if entry.kind is EntryKind.NOTE]
    kept = [*entries[:half], *middle, *entries[-half:]]
    return kept, len(entries) - len(kept)


def _when(entry: Entry) -> datetime:
    return written_at(entry) if entry.kind is EntryKind.NOTE else entry.at


def _told(words: Words, notice: Notice, entry: Entry, at: datetime) -> str:
    sign, clock = telling.sign(entry), words.clock(at)
    if entry.kind is not EntryKind.NOTE:
        return f"- **{clock}** {sign} {escape(telling.told(words, notice, entry))}"
    who = words.say("{person} noted:", person=person(author_of(entry)))
    note = markdown.quote(entry.text("text"), indent="  ")
    return f"- **{clock}** {sign} **{escape(who)}**\n\n{note}\n"


def _chart(words: Words, notice: Notice) -> str:
    address = url(f"{notice.links.incident}/chart.svg") if notice.links.incident else None
    if address is None or charting.chart_of(words, notice) is None:
        return ""
    return markdown.picture(charting.described(words, notice), address)


# What was known


def _context(words: Words, notice: Notice) -> list[tuple[str, str]]:
    """What the sources said of the opening; what helped before stands on its own."""
    history = words.say("History")
    frozen = replace(notice, context=Context(notice.context.opening))
    parts = background.whole(words, frozen)
    then = [_part(part) for part in parts if part.title != history]
    before = [_lines(part) for part in parts if part.title == history]
    return [
        (words.say("What was known when it opened"), "\n\n".join(then)),
        (words.say("What helped before"), "\n\n".join(before)),
    ]


def _part(part: Part) -> str:
    return f"### {escape(part.title)}\n\n{_lines(part)}"


def _lines(part: Part) -> str:
    return "\n".join(f"- {markdown.line(line)}" for line in part.lines)


def _silences(words: Words, notice: Notice) -> Iterator[str]:
    for silence in notice.silences:
        said = words.say(
            "Silenced until {time} by {person}",
            time=words.moment(silence.ends_at, beside=notice.incident.updated_at),
            person=person(silence.by) or "?",
        )
        matchers = " ".join(markdown.code(str(matcher)) for matcher in silence.matchers)
        address = url(silence.link)
        where = markdown.link(silence_wording.link_name(words), address) if address else ""
        parts = [escape(said), escape(silence.comment), matchers, where]
        yield "- 🔕 " + " · ".join(part for part in parts if part)


def _alerts(words: Words, notice: Notice) -> Iterator[str]:
    incident = notice.incident
    for state in notice.alerts:
        labels = sorted(state.alert.labels.items())
        shown = " ".join(markdown.code(cut(f"{name}={value}", _LABEL)) for name, value in labels)
        said = words.alert_state(state, beside=incident.updated_at)
        yield f"- {words.alert_sign(state)} {escape(said)}: {shown}"
    more = incident.total - len(notice.alerts)
    if more > 0:
        yield f"- {escape(words.more(more))}"


# What is to be done


def _actions(words: Words) -> str:
    header = [words.say("Action"), words.say("Owner"), words.say("Until")]
    return markdown.table([escape(name) for name in header], [[" "] * 3] * _ROWS_TO_FILL)


def _foot(words: Words, notice: Notice) -> str:
    told = words.say(
        "Begun by Plantão from incident #{number} at revision {revision}.",
        number=notice.incident.id,
        revision=words.number(notice.incident.revision),
    )
    return f"---\n\n{_to_fill(one_line(told))}"
