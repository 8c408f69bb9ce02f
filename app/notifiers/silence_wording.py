"""Silences in words: what mutes an incident's alerts now, and what happened to it.

The result is text, never markup: it holds untrusted parts, so escape it for where it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.core.incidents import ALERTMANAGER, Entry, EntryKind
from app.core.notices import Notice
from app.core.silence_watch import TOO_LATE
from app.core.silences import Silence
from app.notifiers.text import cut, one_line, url
from app.notifiers.wording import N_, Words, person

_COMMENT = 300
_MOST = 3
_BEGUN = {EntryKind.SILENCED, EntryKind.SILENCE_FOUND}

SIGNS = {
    EntryKind.SILENCED: "🔕",
    EntryKind.SILENCE_FOUND: "🔕",
    EntryKind.SILENCE_CHANGED: "🔕",
    EntryKind.SILENCE_EXPIRING: "⏳",
    EntryKind.SILENCE_ENDED: "🔔",
    EntryKind.SILENCE_DELAYED: "⏳",
    EntryKind.SILENCE_NOT_MADE: "⚠️",
}


def lines(words: Words, notice: Notice) -> list[str]:
    """What mutes it now, or is to: `🔕 Silenced until 14:30 by Ana`; the longest first."""
    shown = current(notice)
    rest = len(shown) - _MOST
    told = [line(words, notice, each) for each in shown[:_MOST]]
    return [*told, words.more(rest)] if rest > 0 else told


def current(notice: Notice) -> list[Silence]:
    """What mutes it now, or is to; the longest first."""
    shown = [each for each in notice.silences if each.mutes_now or each.waits]
    return sorted(shown, key=lambda each: each.ends_at, reverse=True)


def numbered(words: Words, notice: Notice) -> list[tuple[int, str]]:
    """Those that can be ended, each with its number: on one line, the longest first."""
    return [(each.id, one_line(line(words, notice, each))) for each in current(notice)]


def links(words: Words, notice: Notice) -> list[tuple[str, str]]:
    """Name and address of the page of each silence that mutes it now; all are safe to show."""
    active = [each for each in notice.silences if each.mutes_now]
    found = [(link_name(words), address) for each in active if (address := url(each.link))]
    return found[:_MOST]


def link_name(words: Words) -> str:
    """What the link to a silence's page is called."""
    return words.say("Silence in Alertmanager")


def line(words: Words, notice: Notice, silence: Silence) -> str:
    """One silence, as in `lines`."""
    until = _moment(words, silence.ends_at, beside=notice.incident.updated_at)
    who = person(silence.by) or "?"
    if silence.waits:
        said = words.say("To be silenced until {time} by {person}", time=until, person=who)
        return f"⏳ {said}: {_when_it_answers(words)}"
    parts = [words.say("Silenced until {time} by {person}", time=until, person=who)]
    firing = notice.incident.firing
    if notice.incident.open and silence.muted < firing:
        parts.append(_share(words, silence.muted, firing))
    if silence.unknown_since:
        parts.append(words.say("not confirmed: Alertmanager does not answer"))
    return f"🔕 {' · '.join(parts)}"


def _share(words: Words, muted: int, firing: int) -> str:
    return words.count(
        "{muted} of {count} firing alert",
        "{muted} of {count} firing alerts",
        firing,
        muted=words.number(muted),
    )


def told(words: Words, entry: Entry) -> str:
    """What an entry about a silence says, without sign and time."""
    return cut(". ".join(_parts(words, entry)), _COMMENT * 2)


def _parts(words: Words, entry: Entry) -> Iterator[str]:
    said = _said(words, entry)
    comment = one_line(entry.text("comment")) if entry.kind in _BEGUN else ""
    yield f"{said}: “{cut(comment, _COMMENT)}”" if comment else said
    if page := address(entry):
        yield page


def address(entry: Entry) -> str:
    """The page of the silence that this entry tells of, as `told` ends with; else nothing."""
    return (url(entry.text("link")) or "") if entry.kind in _BEGUN else ""


def _said(words: Words, entry: Entry) -> str:
    who = person(entry.text("by")) or "?"
    until = _time(words, entry, "until")
    muted = entry.data.get("count")
    number = muted if isinstance(muted, int) else 0
    match entry.kind:
        case EntryKind.SILENCED:
            return words.count(
                "{count} firing alert silenced until {time} by {person}",
                "{count} firing alerts silenced until {time} by {person}",
                number,
                time=until,
                person=who,
            )
        case EntryKind.SILENCE_FOUND:
            return words.count(
                "{count} firing alert is silenced until {time}, by {person} in Alertmanager",
                "{count} firing alerts are silenced until {time}, by {person} in Alertmanager",
                number,
                time=until,
                person=who,
            )
        case EntryKind.SILENCE_CHANGED:
            before = _time(words, entry, "before")
            message = N_("The silence by {person} lasts until {time} now, not {before}")
            return words.say(message, person=who, time=until, before=before)
        case EntryKind.SILENCE_EXPIRING:
            return words.count(
                "The silence by {person} ends at {time}, and {count} alert still fires",
                "The silence by {person} ends at {time}, and {count} alerts still fire",
                number,
                time=until,
                person=who,
            )
        case _:
            return _over(words, entry, who, until)


def _over(words: Words, entry: Entry, who: str, until: str) -> str:
    match entry.kind:
        case EntryKind.SILENCE_ENDED if not entry.data.get("early"):
            return words.say("The silence by {person} is over", person=who)
        case EntryKind.SILENCE_ENDED if entry.actor != ALERTMANAGER:
            message = N_("Silence ended by {person}, it was to last until {time}")
            return words.say(message, person=person(entry.actor), time=until)
        case EntryKind.SILENCE_ENDED:
            message = N_("Silence by {person} ended in Alertmanager, it was to last until {time}")
            return words.say(message, person=who, time=until)
        case EntryKind.SILENCE_DELAYED:
            said = words.say("To be silenced until {time} by {person}", time=until, person=who)
            return f"{said}: {_when_it_answers(words)}"
        case _:
            said = words.say("Not silenced, although {person} asked for it", person=who)
            why = one_line(entry.text("reason"))
            late = words.say("Alertmanager did not answer before it was over")
            return f"{said}: {late if why == TOO_LATE else why}"


def _when_it_answers(words: Words) -> str:
    return words.say("as soon as Alertmanager answers")


def _time(words: Words, entry: Entry, key: str) -> str:
    try:
        at = datetime.fromisoformat(entry.text(key))
    except ValueError:
        return "?"
    return _moment(words, at, beside=entry.at)


def _moment(words: Words, at: datetime, *, beside: datetime) -> str:
    """The time of day; with the date, if that is another day than the one beside it."""
    same_day = words.day(at) == words.day(beside)
    return words.clock(at) if same_day else words.moment(at, beside=beside)
