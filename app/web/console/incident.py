"""The page of one incident: what is known of it, its story, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from app.core.incidents import Entry, EntryKind, Incident, Note, Status
from app.core.matchers import Matcher
from app.core.notes import folded
from app.core.notices import Notice, distinct
from app.core.postings import Posting, PostingState
from app.core.transitions import AlertState
from app.engine.outlook import Outlook
from app.notifiers import background, silence_wording, telling
from app.notifiers.background import Line, Part
from app.notifiers.charting import chart_of, described
from app.notifiers.own_wording import localised, told
from app.notifiers.reading import explanation, readable
from app.notifiers.text import clean, cut, one_line, url
from app.notifiers.wording import N_, person
from app.store import incidents, postings, receipts
from app.store.database import Transaction
from app.store.receipts import Receipt
from app.web.console.frame import Reader
from app.web.console.listing import age, rank, state

#: More alerts than this are found by searching.
MOST_ALERTS = 100
_MOST_RECEIPTS = 10

_TONES = {
    EntryKind.OPENED: "bad",
    EntryKind.ALERTS_FIRING: "bad",
    EntryKind.REOPENED: "bad",
    EntryKind.UNACKNOWLEDGED: "bad",
    EntryKind.UNCONFIRMED: "warn",
    EntryKind.TRUNCATED: "warn",
    EntryKind.SILENCE_NOT_MADE: "warn",
    EntryKind.SILENCE_EXPIRING: "warn",
    EntryKind.DELIVERY: "warn",
    EntryKind.ACKNOWLEDGED: "taken",
    EntryKind.ASSIGNED: "taken",
    EntryKind.ALERTS_RESOLVED: "good",
    EntryKind.DISMISSED: "good",
    EntryKind.RESOLVED: "good",
    EntryKind.NOTE: "note",
    EntryKind.NOTE_EDITED: "note",
    EntryKind.CHANGE: "change",
}
#: Which picture stands for a line's sign.
_ICONS = {
    "📈": "chart",
    "🧠": "model",
    "🔧": "change",
    "🔁": "history",
    "🔗": "cause",
    "❔": "unknown",
    "⬆️": "up",
    "⬇️": "down",
    "⚠️": "warn",
    "•": "bullet",
}
#: How far a message has got, in words.
POSTED = {
    PostingState.PENDING: N_("not shown yet"),
    PostingState.SHOWN: N_("shown"),
    PostingState.FAILING: N_("not getting through"),
    PostingState.STOPPED: N_("stopped"),
    PostingState.RELIEVED: N_("relieved"),
}


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows, masked. `notice` tells each note once, as it is now.

    `alerts` are those that were searched for, at most MOST_ALERTS of `found`. `receipts` are the
    newest webhooks that said something of it.
    """

    notice: Notice
    notes: Mapping[int, Note]
    alerts: Sequence[AlertState]
    found: int
    postings: Sequence[Posting]
    receipts: Sequence[Receipt]


def load(tx: Transaction, number: int, outlook: Outlook, search: str, locale: str) -> View:
    """Raises NotFound."""
    incident = incidents.get(tx, number)
    notice = localised(outlook.notice(tx, incident), locale)
    alerts, found = _alerts(tx, incident, outlook, search)
    return View(
        notice=replace(notice, entries=folded(notice.entries)),
        notes=outlook.masked(incidents.with_notes(tx, incident).notes),
        alerts=alerts,
        found=found,
        postings=outlook.masked(postings.of_incidents(tx, [number])[number]),
        receipts=outlook.masked(_receipts(tx, notice, alerts)),
    )


def _receipts(tx: Transaction, notice: Notice, alerts: Sequence[AlertState]) -> list[Receipt]:
    """What a webhook changes bears the moment of its arrival, to the microsecond."""
    told = {entry.at for entry in notice.entries} | {alert.reported_at for alert in alerts}
    return receipts.arrived_at(tx, told, limit=_MOST_RECEIPTS)


def _alerts(
    tx: Transaction, incident: Incident, outlook: Outlook, search: str
) -> tuple[Sequence[AlertState], int]:
    """What is masked cannot be searched for: a search would tell it letter by letter."""
    if not search:
        shown = outlook.masked(incidents.alerts_of(tx, incident.id, limit=MOST_ALERTS))
        return shown, incident.total
    every = outlook.masked(incidents.alerts_of(tx, incident.id))
    words = search.casefold().split()
    found = [each for each in every if all(word in _searched(each) for word in words)]
    return found[:MOST_ALERTS], len(found)


def _searched(state: AlertState) -> str:
    alert = state.alert
    pairs = [*alert.labels.items(), *alert.annotations.items()]
    return " ".join([alert.fingerprint, *(f"{name}={value}" for name, value in pairs)]).casefold()


# What the template shows


def facts(who: Reader, view: View, *, search: str = "", public_url: str = "") -> dict[str, Any]:
    """The page's facts, for its reader."""
    words, notice, incident = who.words, view.notice, view.notice.incident
    what = explanation(notice)
    here = _Here(who.root, public_url)
    chart = chart_of(words, notice) is not None
    return {
        "incident": incident,
        "tone": notice.look.name.lower(),
        "rank": rank(incident),
        "severity": words.severity(incident.severity),
        "state": state(words, notice),
        "heading": words.title(incident),
        "explanation": what,
        "readable": readable(notice, without=what),
        "span": words.span(notice),
        "counts": words.counts(incident),
        "handling": words.handling(notice),
        "remarks": words.remarks(incident),
        "age": age(who, notice),
        "open": incident.open,
        "taken": incident.status is Status.ACKNOWLEDGED,
        "owner": person(incident.assigned_to or ""),
        "muted": incident.replies_muted_at is not None,
        "seen": max((entry.number for entry in notice.entries), default=0),
        "links": [
            each
            for each in [*words.links(notice), *silence_wording.links(words, notice)]
            if each[1] != notice.links.incident
        ],
        "brief": [here.line(line) for line in background.brief(words, notice)],
        "steps": here.part(background.first_steps(words, notice)),
        "parts": [here.part(part) for part in background.rest(words, notice)],
        "chart": described(words, notice) if chart else "",
        "chart_query": urlencode({"v": incident.revision, "lang": who.locale}),
        "story": list(_story(who, view)),
        "labels": _labels(who, incident),
        "silences": silence_wording.numbered(words, notice),
        "postings": [_posting(who, each) for each in view.postings],
        "receipts": [(each.id, who.moment(each.received_at)) for each in view.receipts],
        **_alert_facts(who, view, search),
    }


@dataclass(frozen=True, slots=True)
class _Here:
    """Links to ourselves lead on from the page, whatever our public address may be."""

    root: str
    public_url: str

    def line(self, line: Line) -> dict[str, Any]:
        runs = [replace(run, link=self._link(run.link)) for run in background.runs(line)]
        return {"icon": _ICONS.get(line.sign, ""), "runs": runs}

    def part(self, part: Part | None) -> dict[str, Any] | None:
        if part is None:
            return None
        return {"title": part.title, "lines": [self.line(line) for line in part.lines]}

    def _link(self, link: str) -> str:
        ours = f"{self.public_url}/"
        return self.root + link.removeprefix(ours) if link.startswith(ours) else link


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the story. A note has its number, and its text on its own."""

    tone: str
    at: str
    clock: str
    day: str
    text: str
    note: int = 0
    author: str = ""
    written: str = ""
    edited: bool = False
    link: str = ""


def _story(who: Reader, view: View) -> Iterator[Told]:
    """Oldest first; `day` is there where another day begins."""
    day = ""
    for entry in view.notice.entries:
        today = who.words.day(entry.at)
        yield _told(who, view, entry, "" if today == day else today)
        day = today


def _told(who: Reader, view: View, entry: Entry, day: str) -> Told:
    known = entry.data.get("note")
    note = view.notes.get(known) if isinstance(known, int) else None
    is_note = entry.kind is EntryKind.NOTE and note is not None
    text = telling.told(who.words, view.notice, entry)
    tone = _TONES.get(entry.kind, "calm")
    at, clock = entry.at.isoformat(), who.words.clock(entry.at)
    if not is_note or note is None:
        return Told(tone, at, clock, day, text)
    return Told(
        tone,
        at,
        clock,
        day,
        text="",
        note=note.number,
        author=person(note.author),
        written=clean(note.text).strip(),
        edited=note.edited_at is not None,
        link=url(note.link) or "",
    )


def _labels(who: Reader, incident: Incident) -> list[tuple[str, str, str]]:
    """Those that all alerts share: name, value, and the view of all that have it too."""
    shown = []
    for name, value in sorted(incident.labels.items()):
        matcher = Matcher(name, "=", value)
        view = f"{who.root}console/incidents?{urlencode({'matcher': str(matcher)})}"
        shown.append((one_line(name), cut(one_line(value), 120), view))
    return shown


def _posting(who: Reader, posting: Posting) -> dict[str, Any]:
    speech = who.words
    shown_at = posting.first_shown_at
    return {
        "id": posting.id,
        "place": one_line(str(posting.destination)),
        "receiver": one_line(posting.receiver),
        "state": posting.state.value,
        "says": speech.say(POSTED[posting.state]),
        "since": who.moment(shown_at) if shown_at else "",
        "reference": one_line(posting.root or ""),
        "revision": posting.shown_revision,
        "attempts": posting.attempts,
        "error": told(speech, one_line(posting.last_error or "")),
        "stands_in_for": one_line(posting.stands_in_for or ""),
    }


def _alert_facts(who: Reader, view: View, search: str) -> dict[str, Any]:
    incident = view.notice.incident
    rest = view.found - len(view.alerts)
    return {
        "search": search,
        "alerts": [_alert(who, incident, state) for state in view.alerts],
        "alerts_found": view.found,
        "alerts_more": who.words.more(rest) if rest > 0 else "",
    }


def _alert(who: Reader, incident: Incident, state: AlertState) -> dict[str, Any]:
    alert = state.alert
    apart = distinct(alert.labels, incident.labels) or {"fingerprint": alert.fingerprint}
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    shared = incident.annotations.get("summary") or incident.annotations.get("description") or ""
    return {
        "tone": ("doubt" if state.unconfirmed else "bad") if state.firing else "good",
        "labels": [(one_line(n), cut(one_line(v), 120)) for n, v in apart.items()],
        "summary": cut(one_line(summary), 200) if summary != shared else "",
        "state": who.words.alert_state(state, beside=who.now),
        "graph": url(alert.generator_url) or "",
    }
