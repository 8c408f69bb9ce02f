"""What the page behind a mail's link looks like: forms and links, and no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, assert_never

from app.core.incidents import Status
from app.core.notices import Notice
from app.core.signed_links import LIFE, Right
from app.errors import (
    InvalidSilence,
    NeighbourRefused,
    NeighbourUnreachable,
    NotApplicable,
    Obstacle,
    PlantaoError,
)
from app.notifiers import silence_wording, telling
from app.notifiers.reading import explanation
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words, person
from app.web.pages import render

#: How long a silence may be that is made from here.
LENGTHS = {"1h": timedelta(hours=1), "2h": timedelta(hours=2), "8h": timedelta(hours=8)}
LONGEST_NOTE = 10_000
LONGEST_NAME = 60

_TOLD = 50
_MATCHERS = 300
_EXPLANATION = 1000


@dataclass(frozen=True, slots=True)
class Mutable:
    """What a silence made now would mute: so many of the firing alerts here, and elsewhere."""

    matchers: Sequence[str]
    muted: int
    firing: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class View:
    """The page of one incident for one recipient.

    `name` is what they call themselves, if they said so. `mutable` is None where nothing can be
    silenced, and `silencing` says whether there is an Alertmanager to do so at all.
    """

    notice: Notice
    right: Right
    name: str
    mutable: Mutable | None
    silencing: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an action, above everything else.

    With `ask`, it can be asked for once more: `resolve`, although alerts fire, or `silence`, as
    soon as Alertmanager answers. The rest is what was written, and must not be lost.
    """

    text: str
    good: bool = False
    ask: str = ""
    note: str = ""
    length: str = ""
    reason: str = ""


def page(words: Words, view: View, answer: Answer | None = None) -> str:
    """The whole page."""
    notice, incident = view.notice, view.notice.incident
    facts = {
        **_labels(words),
        "look": notice.look.name.lower(),
        "status": one_line(f"{words.sign(notice)} {words.status(notice)}"),
        "title": words.title(incident),
        "number": words.say("Incident #{number}", number=incident.id),
        "explanation": cut(explanation(notice), _EXPLANATION),
        "state": _state(words, notice),
        "links": [*words.links(notice), *silence_wording.links(words, notice)],
        "open": incident.open,
        "taken": incident.status is Status.ACKNOWLEDGED,
        "revision": incident.revision,
        "silences": _silences(words, notice),
        "mutable": _mutable(words, view),
        "why_not_silenced": _why_not_silenced(words, view),
        "lengths": [(name, words.duration(length)) for name, length in LENGTHS.items()],
        "longest_note": LONGEST_NOTE,
        "longest_name": LONGEST_NAME,
        **_story(words, notice),
        **_who(words, view),
        "answer": answer,
    }
    return _render("act.html", words, cut(f"#{incident.id} {words.title(incident)}", 100), facts)


def refusal(words: Words, title: str, advice: str) -> str:
    """A page that offers nothing but advice."""
    return _render("act_refused.html", words, title, {"advice": advice})


def unsigned(words: Words) -> tuple[str, str]:
    """A link that is not ours: what it is, and what to do."""
    return (
        words.say("This link is not valid"),
        words.say(
            "It may have been cut off or changed on its way. Copy it whole from the mail, or use "
            "the link in the newest mail about this incident."
        ),
    )


def expired(words: Words) -> tuple[str, str]:
    """A link that is too old."""
    return (
        words.say("This link is too old"),
        words.count(
            "Links in mails work for {count} day. Use the one in the newest mail about this "
            "incident, or ask a colleague to act.",
            "Links in mails work for {count} days. Use the one in the newest mail about this "
            "incident, or ask a colleague to act.",
            LIFE.days,
        ),
    )


def gone(words: Words) -> tuple[str, str]:
    """An incident that is no longer kept."""
    return (
        words.say("This incident is no longer kept"),
        words.say("It was over long ago, and its record was deleted. There is nothing to do."),
    )


def too_many(words: Words) -> tuple[str, str]:
    return (
        words.say("Too many actions at once"),
        words.say("Nothing was changed. Wait a minute, then go back and try again."),
    )


def unstored(words: Words) -> tuple[str, str]:
    return (
        words.say("Nothing was changed"),
        words.say("The database takes nothing at the moment. Go back and try again in a minute."),
    )


def unreadable(words: Words) -> tuple[str, str]:
    return (
        words.say("This form cannot be read"),
        words.say("Nothing was changed. Go back, reload the page, and try again."),
    )


def well_done(words: Words) -> Answer:
    """What was asked for is done; the page itself shows what."""
    return Answer(words.say("Done. Everybody who follows this incident sees it."), good=True)


def refused(words: Words, error: PlantaoError, notice: Notice, form: Mapping[str, str]) -> Answer:
    """Why it was not done, and what can be done about it. What was written is kept."""
    text, ask = _why(words, error, notice)
    note, length, reason = (form.get(field, "") for field in ("text", "length", "reason"))
    again = ask if ask == form.get("do") else ""
    return Answer(text, ask=again, note=note, length=length, reason=reason)


def _why(words: Words, error: PlantaoError, notice: Notice) -> tuple[str, str]:
    """In words, and which action can be asked for once more, and then done."""
    match error:
        case NotApplicable(obstacle=Obstacle.STILL_FIRING):
            return obstacle(words, error, notice), "resolve"
        case NotApplicable():
            return obstacle(words, error, notice), ""
        case NeighbourUnreachable():
            return words.say(
                "Alertmanager does not answer. Nothing is sure to be changed."
            ), "silence"
        case NeighbourRefused():
            return words.say("Alertmanager did not take it. Try it on Alertmanager's own page."), ""
        case InvalidSilence():
            return words.say("No such silence can be made from here."), ""
        case _:
            return _other(words), ""


def _other(words: Words) -> str:
    return words.say("That can no longer be done: the incident is in another state.")


def obstacle(words: Words, error: NotApplicable, notice: Notice) -> str:
    """Why an action does not fit, in the reader's words: who was faster, and when."""
    incident = notice.incident
    at = words.moment(error.at, beside=incident.opened_at) if error.at else ""
    match error.obstacle:
        case Obstacle.ALREADY_RESOLVED if incident.resolved_by:
            who = person(incident.resolved_by)
            return words.say("Already resolved by {person}, {time}", person=who, time=at)
        case Obstacle.ALREADY_RESOLVED:
            return words.say("Already resolved, {time}", time=at)
        case Obstacle.ALREADY_ACKNOWLEDGED:
            who = person(incident.acknowledged_by or "")
            return words.say("Already acknowledged by {person}, {time}", person=who, time=at)
        case Obstacle.STILL_FIRING:
            return words.count(
                "{count} alert still fires. Silence it below, or resolve all the same?",
                "{count} alerts still fire. Silence them below, or resolve all the same?",
                error.firing,
            )
        case Obstacle.CHANGED_MEANWHILE:
            return words.say("The incident changed meanwhile. Look again, then decide.")
        case Obstacle.NOTE_REMOVED | Obstacle.OTHER:
            return _other(words)
        case _:
            assert_never(error.obstacle)


# Parts


def _labels(words: Words) -> dict[str, str]:
    """What stands on buttons and above fields."""
    return {
        "say_acknowledge": words.say("Acknowledge"),
        "say_hand_back": words.say("Unacknowledge"),
        "say_resolve": words.say("Resolve"),
        "say_anyway": words.say("Resolve all the same"),
        "say_note": words.say("Add a note"),
        "say_note_text": words.say("What did you see or do?"),
        "say_silence": words.say("Silence alerts"),
        "say_length": words.say("For how long"),
        "say_why": words.say("Why"),
        "say_later": words.say("Silence as soon as Alertmanager answers"),
        "say_end_silence": words.say("End this silence"),
        "say_story": words.say("What happened"),
    }


def _state(words: Words, notice: Notice) -> list[str]:
    incident = notice.incident
    return [
        f"{words.counts(incident)} · {words.span(notice)}",
        *(f"👤 {each}" for each in words.handling(notice)),
        *(one_line(each) for each in silence_wording.lines(words, notice)),
        *(f"⚠️ {each}" for each in words.remarks(incident)),
    ]


def _silences(words: Words, notice: Notice) -> list[tuple[int, str]]:
    """The silences that can be ended, each with its number."""
    found = silence_wording.current(notice)
    return [(each.id, one_line(silence_wording.line(words, notice, each))) for each in found]


def _why_not_silenced(words: Words, view: View) -> str:
    if view.silencing:
        return words.say("No alert fires that could be silenced.")
    return words.say("Nothing can be silenced from here: no Alertmanager is set up.")


def _mutable(words: Words, view: View) -> Mapping[str, str] | None:
    if view.mutable is None or not view.silencing:
        return None
    found = view.mutable
    here = words.count(
        "Mutes {muted} of {count} firing alert of this incident",
        "Mutes {muted} of {count} firing alerts of this incident",
        found.firing,
        muted=words.number(found.muted),
    )
    elsewhere = words.count(
        "and {count} of other incidents", "and {count} of other incidents", found.elsewhere
    )
    matchers = cut(one_line(" ".join(found.matchers)), _MATCHERS)
    return {"matchers": matchers, "reach": f"{here}, {elsewhere}" if found.elsewhere else here}


def _story(words: Words, notice: Notice) -> dict[str, Any]:
    """The latest of the timeline, oldest first."""
    entries = notice.entries[-_TOLD:]
    earlier = len(notice.entries) - len(entries)
    more = words.count("{count} earlier entry", "{count} earlier entries", earlier)
    lines = [telling.line(words, notice, entry) for entry in entries]
    return {"story": lines, "earlier": more if earlier else ""}


def _who(words: Words, view: View) -> dict[str, str]:
    until = words.moment(view.right.until, beside=view.notice.incident.updated_at)
    return {
        "name": view.name,
        "you": words.say("You act as {person}.", person=_called(view)),
        "until": words.say("This link works until {time}.", time=until),
        "say_name": words.say("Do several people read this mailbox? Your name"),
        "say_use_name": words.say("Use this name"),
    }


def _called(view: View) -> str:
    return called(view.name, view.right.recipient)


def called(name: str, recipient: str) -> str:
    """How somebody is named who may have said their name."""
    return f"{name} ({recipient})" if name else recipient


# Rendering


def _render(template: str, words: Words, title: str, facts: Mapping[str, Any]) -> str:
    return render(template, words, {**facts, "title_of_page": title, "style": style()})


@cache
def style() -> str:
    return (files("app.web") / "templates" / "act.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """The Content-Security-Policy: our own style, forms to ourselves, and nothing else."""
    digest = base64.b64encode(sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
