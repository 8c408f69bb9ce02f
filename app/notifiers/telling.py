"""The timeline in words: one line for each entry, as replies in a thread tell it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from app.core.incidents import Entry, EntryKind
from app.core.notes import author_of, written_at
from app.core.notices import Notice
from app.notifiers import change_wording, silence_wording
from app.notifiers.text import clean, cut, one_line
from app.notifiers.wording import N_, Words, person

_NAMED = 5
_NOTE_LENGTH = 1500
_LINE_LENGTH = 600

_SIGNS = {
    EntryKind.OPENED: "🔴",
    EntryKind.ALERTS_FIRING: "🔺",
    EntryKind.ALERTS_RESOLVED: "🟢",
    EntryKind.ALERTS_VANISHED: "⚪",
    EntryKind.UNCONFIRMED: "🟠",
    EntryKind.DISMISSED: "🟢",
    EntryKind.REOPENED: "🔴",
    EntryKind.TRUNCATED: "🟠",
    EntryKind.RESOLVED: "🟢",
    EntryKind.NO_LONGER_REPORTED: "⚪",
    EntryKind.ACKNOWLEDGED: "🟡",
    EntryKind.UNACKNOWLEDGED: "🔴",
    EntryKind.ASSIGNED: "👤",
    EntryKind.NOTE: "📝",
    EntryKind.NOTE_EDITED: "📝",
    EntryKind.NOTE_REMOVED: "📝",
    EntryKind.REPLIES_MUTED: "🔕",
    EntryKind.REPLIES_UNMUTED: "🔔",
    EntryKind.DELIVERY: "✉️",
    EntryKind.CHANGE: "🔧",
    **silence_wording.SIGNS,
}


def line(words: Words, notice: Notice, entry: Entry) -> str:
    """An entry with its sign and time of day: `🟢 Resolved after 12 min · 03:24`.

    Text, not markup. Only a note may have more than one line.
    """
    at = written_at(entry) if entry.kind is EntryKind.NOTE else entry.at
    return f"{sign(entry)} {told(words, notice, entry)} · {words.clock(at)}"


def sign(entry: Entry) -> str:
    """An emoji for its kind."""
    return _SIGNS[entry.kind]


def told(words: Words, notice: Notice, entry: Entry) -> str:
    """What an entry says, without sign and time."""
    if entry.kind in {EntryKind.NOTE, EntryKind.NOTE_EDITED}:
        return _note(words, entry)
    return cut(one_line(_fact(words, notice, entry)), _LINE_LENGTH)


def _note(words: Words, entry: Entry) -> str:
    who = person(author_of(entry))
    note = cut(clean(entry.text("text")).strip(), _NOTE_LENGTH)
    if entry.kind is EntryKind.NOTE_EDITED or entry.data.get("edited"):
        return words.say("Note by {person}, edited: {text}", person=who, text=note)
    return words.say("Note by {person}: {text}", person=who, text=note)


def _fact(words: Words, notice: Notice, entry: Entry) -> str:
    match entry.kind:
        case EntryKind.OPENED:
            return _opened(words, notice, entry)
        case EntryKind.ALERTS_FIRING | EntryKind.ALERTS_RESOLVED | EntryKind.ALERTS_VANISHED:
            return _alerts(words, notice, entry)
        case EntryKind.UNCONFIRMED | EntryKind.DISMISSED | EntryKind.REOPENED:
            return _doubts(words, notice, entry)
        case EntryKind.RESOLVED | EntryKind.NO_LONGER_REPORTED:
            return _end(words, notice, entry)
        case EntryKind.ACKNOWLEDGED | EntryKind.UNACKNOWLEDGED | EntryKind.ASSIGNED:
            return _taken(words, entry)
        case EntryKind.REPLIES_MUTED | EntryKind.REPLIES_UNMUTED:
            return _muted(words, entry)
        case EntryKind.NOTE | EntryKind.NOTE_EDITED | EntryKind.NOTE_REMOVED:
            removed = entry.kind is EntryKind.NOTE_REMOVED
            return _removed(words, entry) if removed else _note(words, entry)
        case EntryKind.TRUNCATED | EntryKind.DELIVERY | EntryKind.CHANGE:
            return _beside(words, entry)
        case (
            EntryKind.SILENCED
            | EntryKind.SILENCE_FOUND
            | EntryKind.SILENCE_CHANGED
            | EntryKind.SILENCE_EXPIRING
            | EntryKind.SILENCE_ENDED
            | EntryKind.SILENCE_DELAYED
            | EntryKind.SILENCE_NOT_MADE
        ):
            return silence_wording.told(words, entry)
        case _:
            assert_never(entry.kind)


def _taken(words: Words, entry: Entry) -> str:
    who = person(entry.actor)
    if entry.kind is EntryKind.ACKNOWLEDGED:
        return words.say("Acknowledged by {person}", person=who)
    if entry.kind is EntryKind.UNACKNOWLEDGED:
        return words.say("Handed back by {person}, waits for somebody", person=who)
    owner = person(entry.text("to"))
    if not owner:
        return words.say("Assigned to nobody by {person}", person=who)
    return words.say("Assigned to {owner} by {person}", owner=owner, person=who)


def _beside(words: Words, entry: Entry) -> str:
    """What is told that is not about the alerts themselves."""
    match entry.kind:
        case EntryKind.TRUNCATED:
            return words.truncated(_number(entry, "hidden"))
        case EntryKind.DELIVERY:
            return _delivery(words, entry)
        case EntryKind.CHANGE:
            return words.say("Changed: {title}", title=_change(words, entry))
        case _:
            return words.say("Changed: {title}", title=entry.text("title"))


def _muted(words: Words, entry: Entry) -> str:
    who = person(entry.actor)
    if entry.kind is EntryKind.REPLIES_UNMUTED:
        return words.say("Replies turned on again by {person}", person=who)
    return words.say("Replies muted by {person}: only its end or a reopening is told", person=who)


def _removed(words: Words, entry: Entry) -> str:
    return words.say(
        "Note by {author} ({time}) removed by {person}",
        author=person(author_of(entry)),
        time=words.moment(written_at(entry), beside=entry.at),
        person=person(entry.actor),
    )


def _delivery(words: Words, entry: Entry) -> str:
    place, instead, code = (entry.text(key) for key in ("destination", "instead", "code"))
    if not instead:
        return words.say("Shown in {place} again: from now on there only", place=place)
    why = f"{place} ({code})" if code else place
    message = N_("Cannot be shown in {place}, sent by {transport} instead")
    return words.say(message, place=why, transport=_transport(words, instead))


def _transport(words: Words, kind: str) -> str:
    return words.say("email") if kind == "email" else kind


def _change(words: Words, entry: Entry) -> str:
    """What was changed; and between which times, where nobody saw when."""
    title = change_wording.title(words, entry.text("title"))
    start, end = entry.text("not_before"), entry.text("at")
    if not (start and end):
        return title
    times = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return change_wording.between(words, title, *times)


def _opened(words: Words, notice: Notice, entry: Entry) -> str:
    number = _number(entry, "count")
    said = words.count("Opened: {count} alert firing", "Opened: {count} alerts firing", number)
    parts = [said + _names(words, notice, entry)]
    if entry.data.get("truncated"):
        parts.append(words.truncated(_number(entry, "truncated")))
    if entry.data.get("missed"):
        parts.append(words.say("Found by asking Alertmanager, not by its webhook"))
    return ". ".join(parts)


def _alerts(words: Words, notice: Notice, entry: Entry) -> str:
    number = _number(entry, "count")
    match entry.kind:
        case EntryKind.ALERTS_FIRING:
            said = words.count("{count} more alert firing", "{count} more alerts firing", number)
        case EntryKind.ALERTS_RESOLVED:
            said = words.count("{count} alert resolved", "{count} alerts resolved", number)
        case _:
            said = words.count(
                "{count} alert no longer reported", "{count} alerts no longer reported", number
            )
    return said + _aside(words, entry) + _names(words, notice, entry)


def _doubts(words: Words, notice: Notice, entry: Entry) -> str:
    match entry.kind:
        case EntryKind.UNCONFIRMED:
            said = words.say("Possibly firing again, checking")
        case EntryKind.DISMISSED:
            said = words.say("It was a late repeat: still over")
        case _:
            said = words.say("Reopened: firing again") + _aside(words, entry)
    return said + _names(words, notice, entry)


def _end(words: Words, notice: Notice, entry: Entry) -> str:
    length = _length(words, notice, entry)
    if entry.kind is EntryKind.NO_LONGER_REPORTED:
        said = words.say("No longer reported after {duration}", duration=length)
        why = entry.text("reason")
        return f"{said}: {words.reason(why)}" if why else said
    if "forced" not in entry.data:
        return words.say("Resolved after {duration}", duration=length)
    who = person(entry.actor)
    if entry.data["forced"]:
        message = N_("Resolved by {person} after {duration}, while alerts were still firing")
        return words.say(message, person=who, duration=length)
    return words.say("Resolved by {person} after {duration}", person=who, duration=length)


def _length(words: Words, notice: Notice, entry: Entry) -> str:
    """How long this episode lasted: from the last reopening, where it is known."""
    again = [e.at for e in notice.entries if e.kind is EntryKind.REOPENED and e.at <= entry.at]
    started = max(again, default=notice.since)
    return words.duration(max(entry.at - started, timedelta()))


def _aside(words: Words, entry: Entry) -> str:
    if entry.data.get("unconfirmed"):
        doubt = words.say("not confirmed: Alertmanager could not be asked")
        return f" ({doubt})"
    why = entry.text("reason")
    return f" ({words.reason(why)})" if why else ""


def _names(words: Words, notice: Notice, entry: Entry) -> str:
    """What sets the first few alerts apart: `: instance=a, instance=b and 3 more`."""
    listed = entry.data.get("fingerprints")
    states = [notice.alerts_named.get(str(n)) for n in listed] if isinstance(listed, list) else []
    common = notice.incident.labels
    names = [words.alert_name(each.alert.labels, common) for each in states if each]
    shown = [name for name in names if name][:_NAMED]
    if not shown:
        return ""
    rest = _number(entry, "count") - len(shown)
    return ": " + ", ".join(shown) + (f" {words.more(rest)}" if rest > 0 else "")


def _number(entry: Entry, key: str) -> int:
    value = entry.data.get(key)
    return value if isinstance(value, int) else 0
