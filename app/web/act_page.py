"""What the page behind a mail's link looks like: forms and links, and no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from app.core.incidents import Status
from app.core.notices import Notice
from app.core.signed_links import LIFE, Right
from app.notifiers import silence_wording, telling
from app.notifiers.reading import explanation
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words
from app.web.deeds import LONGEST_NOTE
from app.web.outcomes import Answer
from app.web.pages import render
from app.web.proposals import Mutable, reach

#: How long a silence may be that is made from here.
LENGTHS = {"1h": timedelta(hours=1), "2h": timedelta(hours=2), "8h": timedelta(hours=8)}
LONGEST_NAME = 60

_TOLD = 50
_MATCHERS = 300
_EXPLANATION = 1000


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
        "silences": silence_wording.numbered(words, notice),
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
    """Somebody who presses too often: what it is, and what to do."""
    return (
        words.say("Too many actions at once"),
        words.say("Nothing was changed. Wait a minute, then go back and try again."),
    )


def unstored(words: Words) -> tuple[str, str]:
    """A database that takes nothing: what it is, and what to do."""
    return (
        words.say("Nothing was changed"),
        words.say("The database takes nothing at the moment. Go back and try again in a minute."),
    )


def unreadable(words: Words) -> tuple[str, str]:
    """A form that cannot be read: what it is, and what to do."""
    return (
        words.say("This form cannot be read"),
        words.say("Nothing was changed. Go back, reload the page, and try again."),
    )


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


def _why_not_silenced(words: Words, view: View) -> str:
    if view.silencing:
        return words.say("No alert fires that could be silenced.")
    return words.say("Nothing can be silenced from here: no Alertmanager is set up.")


def _mutable(words: Words, view: View) -> Mapping[str, str] | None:
    if view.mutable is None or not view.silencing:
        return None
    matchers = cut(one_line(" ".join(view.mutable.matchers)), _MATCHERS)
    return {"matchers": matchers, "reach": reach(words, view.mutable)}


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
    """The page's style, which stands in the page: `policy` names it by its hash."""
    return (files("app.web") / "templates" / "act.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """The Content-Security-Policy: our own style, forms to ourselves, and nothing else."""
    digest = base64.b64encode(sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
