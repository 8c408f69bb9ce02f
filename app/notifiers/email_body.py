"""What an incident looks like in an email: subject, text and HTML, from the same facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.core.incidents import Entry, Status
from app.core.notices import Notice
from app.core.signed_links import LIFE
from app.notifiers import background, charting, silence_wording, telling
from app.notifiers.background import Line, Part
from app.notifiers.reading import colour, explanation, readable
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words

_SUBJECT = 160  # characters; phones show 40, lists some 80
_PREVIEW = 150  # characters; what lists of mails show beside the subject
_NOTE = 4000
_LABEL = 200
_LABELS = 40
_SPAN = re.compile(r"`([^`\n]+)`")
# Nothing untrusted can look like these: HTML is escaped, text is without control characters.
_PLACE = "<!-- chart -->"
_ACT_PLACE = "<!-- act -->"
_ACT_LINE = "\x00act\x00"
#: What later mails leave out: the first one has said it.
_BRIEF: Mapping[str, Any] = {
    "explanation": "",
    "notes": [],
    "alerts": [],
    "more": "",
    "labels": [],
    "steps": None,
}


def root(words: Words, notice: Notice, *, plain: bool) -> dict[str, Any]:
    """The first mail: all that is known by then, since it cannot be changed."""
    return _payload(words, notice, _facts(words, notice), plain=plain)


def context(words: Words, notice: Notice, *, plain: bool) -> dict[str, Any]:
    """The mail that tells what the sources said, where the first one came before that."""
    return _payload(words, notice, {**_facts(words, notice), **_BRIEF}, plain=plain)


def reply(words: Words, notice: Notice, entries: Sequence[Entry], *, plain: bool) -> dict[str, Any]:
    """A mail that tells what happened since, below the incident's present state."""
    facts = _facts(words, notice)
    told = [telling.line(words, notice, entry) for entry in entries]
    preview = cut(one_line(told[0]), _PREVIEW) if told else ""
    news: dict[str, Any] = {**_BRIEF, "told": told, "preview": preview, "known": [], "parts": []}
    return _payload(words, notice, {**facts, **news}, plain=plain)


def _payload(words: Words, notice: Notice, facts: dict[str, Any], *, plain: bool) -> dict[str, Any]:
    text = _text(facts)
    subject = cut(one_line(words.subject(notice)), _SUBJECT)
    deeds, hint = _deeds(words, notice), _hint(words)
    told = {"subject": subject, "text": text, "deeds": deeds, "hint": hint}
    if plain:
        return told
    html = _environment().get_template("email.html").render(facts, subject=subject)
    alt = charting.described(words, notice)
    return {**told, "html": html, "alt": alt}


def page(
    words: Words, subject: str, facts: Mapping[str, Any], parts: Sequence[Part]
) -> dict[str, Any]:
    """A mail that is not about an incident: `facts` and parts, with nothing to be done by it."""
    nothing: dict[str, Any] = {
        **_BRIEF,
        **dict.fromkeys(("told", "known", "handling", "silences", "remarks"), ()),
        "language": words.language,
        "preview": "",
        "alerts_title": "",
        "labels_title": "",
    }
    told = {**nothing, **facts, "parts": [_part(part) for part in parts]}
    subject = cut(one_line(subject), _SUBJECT)
    html = _environment().get_template("email.html").render(told, subject=subject)
    shown = {"subject": subject, "text": _text(told).replace(_ACT_LINE, ""), "html": html}
    return {**shown, "deeds": [], "hint": "", "alt": ""}


def addressed(payload: Mapping[str, Any], link: str | None) -> dict[str, Any]:
    """The payload for one recipient, with the link by which that one may act; None: nobody may."""
    deeds, hint = payload["deeds"] if link else [], payload["hint"]
    names = ", ".join(name for name, _ in deeds)
    line = f"{names}: {link}\n({hint})\n\n" if deeds else ""
    mine = {"text": payload["text"].replace(_ACT_LINE, line, 1)}
    if "html" in payload:
        row = _environment().get_template("email_act.html")
        page = row.render(deeds=deeds, link=link, hint=hint)
        mine["html"] = payload["html"].replace(_ACT_PLACE, page, 1)
    return {**payload, **mine}


def _hint(words: Words) -> str:
    return words.count(
        "In your name, for {count} day: do not pass this mail on.",
        "In your name, for {count} days: do not pass this mail on.",
        LIFE.days,
    )


def _deeds(words: Words, notice: Notice) -> list[tuple[str, str]]:
    """What can be done by the link, the most useful first, and where on its page."""
    note = (words.say("Add a note"), "note")
    if not notice.incident.open:
        return [note]
    rest = [(words.say("Silence alerts"), "silence"), note, (words.say("Resolve"), "resolve")]
    if notice.incident.status is Status.ACKNOWLEDGED:
        return rest
    return [(words.say("Acknowledge"), "acknowledge"), *rest]


def with_picture(html: str, cid: str, alt: str) -> str:
    """The HTML with a picture of this Content-ID where there is a place for one."""
    row = _environment().get_template("email_chart.html").render(cid=cid, alt=alt)
    return html.replace(_PLACE, row, 1)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("app.notifiers"), autoescape=True, undefined=StrictUndefined
    )


def _facts(words: Words, notice: Notice) -> dict[str, Any]:
    incident = notice.incident
    what = explanation(notice)
    return {
        "language": words.language,
        "colour": colour(notice),
        "sign": words.sign(notice),
        "status": one_line(words.status(notice)),
        "title": words.title(incident),
        "told": [],
        "preview": cut(one_line(what), _PREVIEW),
        "explanation": cut(what, _NOTE),
        **_context(words, notice),
        "counts": words.counts(incident),
        "span": words.span(notice),
        "handling": words.handling(notice),
        "silences": [one_line(each) for each in silence_wording.lines(words, notice)],
        "remarks": words.remarks(incident),
        "links": [*words.links(notice), *silence_wording.links(words, notice)],
        "notes": [cut(note, _NOTE) for note in readable(notice, without=what)],
        **_alerts(words, notice),
        "labels_title": words.say("Labels"),
        "labels": _labels(notice),
        "footer": words.say(
            "Incident #{number}, sent by Plantão to the receiver {receiver}",
            number=incident.id,
            receiver=one_line(incident.receiver),
        ),
    }


def _context(words: Words, notice: Notice) -> dict[str, Any]:
    """What the sources said: the weightiest at once, then what has not been said by that."""
    steps = background.first_steps(words, notice)
    return {
        "known": [_runs(line) for line in background.brief(words, notice)],
        "steps": _steps(steps) if steps else None,
        "parts": [_part(part) for part in background.rest(words, notice)],
    }


def _part(part: Part) -> dict[str, Any]:
    return {"title": part.title, "lines": [_runs(line) for line in part.lines]}


def _steps(part: Part) -> dict[str, Any]:
    """The runbook's steps, in which backticks mark what can be copied."""
    lines = [
        [
            _run(text, kind="code" if place % 2 else "text")
            for place, text in enumerate(_SPAN.split(line.text))
            if text
        ]
        for line in part.lines
    ]
    return {"title": part.title, "lines": lines}


def _runs(line: Line) -> list[dict[str, str]]:
    """A line as runs of text, each with the link it leads to, or as code."""
    sign = [_run(f"{line.sign} ")] if line.sign else []
    found = [
        _run(run.text, link=run.link, kind="code" if run.code else "text")
        for run in background.runs(line)
    ]
    return sign + found


def _run(text: str, *, link: str = "", kind: str = "text") -> dict[str, str]:
    return {"text": text, "link": link, "kind": kind}


def _labels(notice: Notice) -> list[str]:
    labels = sorted(notice.incident.labels.items())[:_LABELS]
    return [cut(one_line(f"{name}={value}"), _LABEL) for name, value in labels]


def _alerts(words: Words, notice: Notice) -> dict[str, Any]:
    """Up to ten alerts with what sets each apart; a single one is what the mail is about."""
    total = notice.incident.total
    states = notice.alerts if total > 1 else []
    rest = total - len(states) if states else 0
    rows = [
        {
            "sign": words.alert_sign(state),
            "name": words.alert_name(state.alert.labels, notice.incident.labels)
            or one_line(state.alert.fingerprint),
            "state": words.alert_state(state, beside=notice.incident.updated_at),
        }
        for state in states
    ]
    title = words.say("Alerts")
    return {"alerts_title": title, "alerts": rows, "more": words.more(rest) if rest > 0 else ""}


def _text(facts: dict[str, Any]) -> str:
    """The same without HTML; parts are set apart by an empty line."""
    links = [f"{name}: {address}" for name, address in facts["links"]]
    state = [f"{facts['counts']} · {facts['span']}", *(f"👤 {each}" for each in facts["handling"])]
    state += facts["silences"]
    state += [f"⚠️ {each}" for each in facts["remarks"]]
    alerts = [f"{each['sign']} {each['name']}: {each['state']}" for each in facts["alerts"]]
    parts = [
        [f"{facts['sign']} {facts['status']}", facts["title"]],
        facts["told"],
        [facts["explanation"]],
        [_plain(line) for line in facts["known"]],
        state,
        [_ACT_LINE],
        links,
        *(_plain_part(part) for part in ([facts["steps"]] if facts["steps"] else [])),
        *(_plain_part(part) for part in facts["parts"]),
        *([note] for note in facts["notes"]),
        [*_titled(facts["alerts_title"], alerts), facts["more"]],
        _titled(facts["labels_title"], facts["labels"]),
    ]
    blocks = ["\n".join(line for line in part if line) for part in parts]
    told = "\n\n".join(block for block in blocks if block)
    return f"{told}\n\n-- \n{facts['footer']}\n".replace(f"{_ACT_LINE}\n\n", _ACT_LINE, 1)


def _plain_part(part: dict[str, Any]) -> list[str]:
    return _titled(part["title"], [_plain(line) for line in part["lines"]])


def _plain(line: Sequence[dict[str, str]]) -> str:
    text = "".join(run["text"] for run in line)
    links = [f"<{run['link']}>" for run in line if run["link"]]
    return " ".join([text, *links])


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *lines] if lines else []
