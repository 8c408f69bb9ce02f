"""Changes in the pipeline in words: what was changed, and when, as far as anybody saw it."""

from __future__ import annotations

from datetime import datetime

from app.core.facts import Change, Changed
from app.notifiers.text import cut, one_line
from app.notifiers.wording import N_, Words, matching

_TITLE = 90

#: What we call changes that we saw ourselves; what others tell of is in their own words.
_TITLES = (
    N_("{model}: registered"),
    N_("{model}: deleted"),
    N_("{model}: version {version} registered"),
    N_("{model}: version {version} deleted"),
    N_("{model}: version {version}, tag {tag} deleted"),
    N_("{model}: version {version}, tag {tag} = {value}"),
    N_("{model}: version {version} no stage → {stage}"),
    N_("{model}: version {version} {stage} → no stage"),
    N_("{model}: version {version} {before} → {stage}"),
    N_("{model}: {alias} deleted, was {version}"),
    N_("{model}: {alias} deleted"),
    N_("Prometheus read its configuration anew ({instance})"),
    N_("Spark driver restarted ({instance})"),
)


def title(words: Words, text: str) -> str:
    """A change's title in the reader's language, where it is one of ours. One line, not cut."""
    text = one_line(text)
    for ours in _TITLES:
        found = matching(ours, text)
        if found is not None:
            return words.say(ours, **found)
    return text


def changed(words: Words, facts: Changed, *, opened_at: datetime) -> str:
    """The change that tells most, in one line; or that none is recorded."""
    if not facts.changes:
        return no_changes(words, facts)
    said = change(words, facts.changes[0], opened_at=opened_at)
    more = len(facts.changes) - 1
    return f"{said} ({words.more(more)})" if more else said


def no_changes(words: Words, facts: Changed) -> str:
    """That none is recorded, and in how long a time before: of others nobody asked."""
    length = words.duration(facts.within)
    return words.say("No changes recorded in the {duration} before", duration=length)


def change(words: Words, one: Change, *, opened_at: datetime) -> str:
    """`pix-fraud: champion 2 → 3, 4 min before`; or between which times, if nobody saw it."""
    said = cut(title(words, one.title), _TITLE)
    if one.vague or one.at > opened_at:
        return between(words, said, one.earliest, one.at)
    age = words.duration(opened_at - one.at)
    return words.say("{title}, {duration} before", title=said, duration=age)


def between(words: Words, said: str, start: datetime, end: datetime) -> str:
    """`pix-fraud: champion 2 → 3, between 23 Nov, 01:10 and 03:12`."""
    same_day = words.day(start) == words.day(end)
    return words.say(
        "{title}, between {start} and {end}",
        title=said,
        start=words.clock(start) if same_day else words.moment(start, beside=end),
        end=words.clock(end) if same_day else words.moment(end, beside=start),
    )
