"""What the sources said of an incident, as lines to be shown: a few at once, the rest below.

The same for every transport; the lines hold untrusted text and no markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.context import Context
from app.core.facts import Changed, Earlier, Measured, Served, Witness
from app.core.notices import Notice
from app.notifiers import change_wording
from app.notifiers import facts_wording as say
from app.notifiers.text import cut, one_line, url
from app.notifiers.wording import Words

_CHANGES = 5
_NEIGHBOURS = 5
_WORST = 5
_STEPS = 5
_STEP = 300
_COMPONENTS = 6
_TARGETS = 5
_EXPRESSION = 300
_BRIEF = 170


@dataclass(frozen=True, slots=True)
class Line:
    """One line. The first `name` in its text leads to `link`; `code` after it is to be copied."""

    sign: str
    text: str
    name: str = ""
    link: str | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that belong together below a title."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a line: text that leads to `link`, if there is one, or that is to be copied."""

    text: str
    link: str = ""
    code: bool = False


def runs(line: Line) -> list[Run]:
    """A line's text as its runs, without its sign."""
    before, name, after = line.text.partition(line.name) if line.link else (line.text, "", "")
    found = [Run(before), Run(name, link=line.link or ""), Run(after)]
    found += [Run(" " if line.code else ""), Run(line.code, code=True)]
    return [run for run in found if run.text]


def worth_telling(context: Context) -> bool:
    """Whether the sources said anything that is worth a message of its own."""
    changed, earlier = context.facts(Changed), context.facts(Earlier)
    return bool(
        context.facts(Measured)
        or context.facts(Served)
        or (changed and changed.changes)
        or (earlier and earlier.count)
    )


# The first message


def brief(words: Words, notice: Notice) -> list[Line]:
    """What is known, the weightiest first: a line each, and none for what is not known.

    All of it was true when the incident opened, so time alone changes nothing here.
    """
    lines = [
        *_value(words, notice),
        *_cause(words, notice),
        *_model(words, notice),
        *_change(words, notice),
        *_history(words, notice),
        *_not_known(words, notice),
    ]
    return [line for line in lines if line.text]


def _value(words: Words, notice: Notice) -> Iterator[Line]:
    if facts := notice.context.facts(Measured):
        yield Line("📈", cut(say.measured(words, facts), _BRIEF))


def _model(words: Words, notice: Notice) -> Iterator[Line]:
    if facts := notice.context.facts(Served):
        said = say.served(words, facts, opened_at=notice.incident.opened_at)
        yield Line("🧠", cut(said, _BRIEF), cut(one_line(facts.name), _BRIEF), url(facts.link))


def _change(words: Words, notice: Notice) -> Iterator[Line]:
    if facts := notice.context.facts(Changed):
        said = change_wording.changed(words, facts, opened_at=notice.incident.opened_at)
        yield Line("🔧", cut(said, _BRIEF))


def _history(words: Words, notice: Notice) -> Iterator[Line]:
    if facts := notice.context.facts(Earlier):
        yield _about(notice, "🔁", cut(say.earlier(words, facts), _BRIEF), facts.last_incident)


def _cause(words: Words, notice: Notice) -> Iterator[Line]:
    upstream = notice.related.upstream
    if upstream:
        said = say.cause(words, upstream[0])
        more = f" ({words.more(len(upstream) - 1)})" if len(upstream) > 1 else ""
        yield _about(notice, "🔗", cut(said, _BRIEF) + more, upstream[0].incident)


def _not_known(words: Words, notice: Notice) -> Iterator[Line]:
    """What is missing; with more than two sources gone, why is for the details."""
    if missing := notice.context.missing:
        said = say.missing(words, missing, reasons=len(missing) <= 2)  # noqa: PLR2004
        yield Line("❔", cut(said, _BRIEF))


def _about(notice: Notice, sign: str, text: str, number: int | None) -> Line:
    """A line in which another incident's number leads to its page."""
    if number is None:
        return Line(sign, text)
    return Line(sign, text, f"#{number}", url(notice.links.beside(number)))


# Everything


def first_steps(words: Words, notice: Notice) -> Part | None:
    """The runbook's first steps, numbered."""
    steps = [cut(one_line(step), _STEP) for step in notice.first_steps[:_STEPS]]
    if not steps:
        return None
    lines = [Line("", f"{number}. {step}") for number, step in enumerate(steps, start=1)]
    return Part(words.say("First steps"), lines)


def whole(words: Words, notice: Notice) -> list[Part]:
    """All that the sources said, the weightiest first; parts without lines are left out."""
    parts = [
        Part(words.say("Values"), list(_values(words, notice))),
        Part(words.say("Model"), list(_versions(words, notice))),
        Part(words.say("Changes before"), list(_changes(words, notice))),
        Part(words.say("Along the pipeline"), list(_pipeline(words, notice))),
        Part(words.say("Also firing"), list(_also_firing(notice))),
        Part(words.say("History"), list(_past(words, notice))),
        Part(words.say("Not known"), list(_missing(words, notice))),
    ]
    return [part for part in parts if part.lines]


def rest(words: Words, notice: Notice) -> list[Part]:
    """What the brief lines have not said: for where both are seen together."""
    said = {line.text for line in brief(words, notice)}
    parts = [
        Part(part.title, [line for line in part.lines if line.text not in said])
        for part in whole(words, notice)
    ]
    return [part for part in parts if part.lines]


def _values(words: Words, notice: Notice) -> Iterator[Line]:
    facts = notice.context.facts(Measured)
    if facts is None:
        return
    if say.compared(words, facts):
        yield from _value(words, notice)
    if said := say.no_threshold(words, facts):
        yield Line("", said)
    yield from _later_values(words, notice)
    if len(facts.worst) > 1:
        count = words.number(max(facts.series, len(facts.worst)))
        yield Line("", words.say("Worst of {count} series:", count=count))
        yield from (Line("•", say.series(words, facts, one)) for one in facts.worst[:_WORST])
    yield from _targets(words, facts)
    if expression := one_line(facts.expression):
        yield Line("", words.say("Expression:"), code=cut(expression, _EXPRESSION))


def _targets(words: Words, facts: Measured) -> Iterator[Line]:
    """Which of the scrape targets behind the expression are down; or that all are up."""
    down = len(facts.targets_down)
    if not down and facts.targets:
        yield Line("", words.count("{count} target up", "All {count} targets up", facts.targets))
    if down:
        shown = ", ".join(cut(one_line(each), 80) for each in facts.targets_down[:_TARGETS])
        rest = f" {words.more(down - _TARGETS)}" if down > _TARGETS else ""
        yield Line("⚠️", words.say("Targets down: {targets}", targets=shown + rest))


def _later_values(words: Words, notice: Notice) -> Iterator[Line]:
    """The last value there is, with its time, and those of the same hour before."""
    found = notice.context.newest(Measured)
    if found is None:
        return
    if found.now is not None:
        at = words.clock(_asked_at(notice.context, notice.incident.opened_at))
        value = say.value_of(words, found, found.now)
        yield Line("", words.say("Now: {value} ({time})", value=value, time=at))
    if before := say.earlier_values(words, found):
        yield Line("", before)


def _asked_at(context: Context, opened_at: datetime) -> datetime:
    """When the latest value was true."""
    times = [
        finding.at
        for known in (context.opening, context.latest)
        for finding in known.values()
        if isinstance(finding.facts, Measured)
    ]
    return max(times, default=opened_at)


def _versions(words: Words, notice: Notice) -> Iterator[Line]:
    facts = notice.context.facts(Served)
    if facts is None:
        return
    opened_at = notice.incident.opened_at
    yield from _model(words, notice)
    if said := say.metrics(words, facts):
        yield Line("", said)
    if said := say.registered(words, facts.current, beside=opened_at):
        name = f"v{say.version(facts.current)}"
        where = url(facts.current.link)
        yield Line("", f"{name}: {said}" if where else said, name, where)
    if facts.challenger:
        said = words.say("Challenger: v{version}", version=say.version(facts.challenger))
        yield Line("", said, f"v{say.version(facts.challenger)}", url(facts.challenger.link))
    if facts.witness is Witness.SERVING:
        yield Line("", words.say("By what the serving process said of itself"))
    if run := one_line(facts.current.run_id):
        yield Line("", words.say("Run:"), code=cut(run, 80))


def _changes(words: Words, notice: Notice) -> Iterator[Line]:
    facts = notice.context.facts(Changed)
    if facts is None:
        return
    if not facts.changes:
        yield Line("🔧", change_wording.no_changes(words, facts))
    for one in facts.changes[:_CHANGES]:
        said = change_wording.change(words, one, opened_at=notice.incident.opened_at)
        source = cut(one_line(one.source), 40)
        shown = f"{said} ({source})" if source else said
        yield Line("🔧", shown, source, url(one.link))
    more = len(facts.changes) - _CHANGES
    if more > 0:
        yield Line("", words.more(more))


def _pipeline(words: Words, notice: Notice) -> Iterator[Line]:
    for one in notice.related.upstream[:_NEIGHBOURS]:
        yield _about(notice, "⬆️", say.cause(words, one), one.incident)
    for one in notice.related.downstream[:_NEIGHBOURS]:
        yield _about(notice, "⬇️", say.effect(words, one), one.incident)


def _past(words: Words, notice: Notice) -> Iterator[Line]:
    yield from _history(words, notice)
    facts = notice.context.facts(Earlier)
    if facts and (more := say.earlier_more(words, facts, beside=notice.incident.opened_at)):
        yield Line("", more)


def _missing(words: Words, notice: Notice) -> Iterator[Line]:
    for source, reason in sorted(notice.context.missing.items()):
        yield Line("❔", say.source_missing(words, source, reason))


def _also_firing(notice: Notice) -> Iterator[Line]:
    facts = notice.context.facts(Measured)
    for line in say.also_firing(facts)[:_COMPONENTS] if facts else []:
        yield Line("•", line)
