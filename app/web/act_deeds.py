"""What the forms behind a mail's link ask for."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.events import Acknowledged, NoteAdded, ResolvedByPerson, Unacknowledged
from app.core.person import Person
from app.core.signed_links import Right
from app.notifiers.text import clean, cut, one_line
from app.web.act_page import LENGTHS, called
from app.web.deeds import LONGEST_NOTE, LONGEST_REASON, Deed, EndSilence, Silence, number


def read(form: Mapping[str, str], right: Right, name: str) -> Deed | None:
    """What a form asks for; None if nobody can tell."""
    who = person(right, name)
    match form.get("do"):
        case "acknowledge":
            return Acknowledged(who)
        case "unacknowledge":
            return Unacknowledged(who)
        case "resolve":
            return _resolve(form, who)
        case "note":
            text = clean(form.get("text", "")).strip()
            return NoteAdded(who, text) if 0 < len(text) <= LONGEST_NOTE else None
        case "silence" if form.get("length") in LENGTHS:
            reason = cut(one_line(form.get("reason", "")), LONGEST_REASON)
            return Silence(who.name, LENGTHS[form["length"]], reason, "later" in form)
        case "end-silence":
            silence = number(form.get("silence", ""))
            return EndSilence(who.name, silence) if silence else None
        case _:
            return None


def person(right: Right, name: str) -> Person:
    """Who acts: the recipient. Who says their name may be anybody who reads that mailbox, so
    that two of them are two people, of whom no more is known than that."""
    shown = called(name, right.recipient)
    return Person(shown) if name else Person(shown, f"email:{right.recipient.lower()}")


def _resolve(form: Mapping[str, str], who: Person) -> Deed | None:
    """Although alerts fire only as it was when that was asked."""
    if "anyway" not in form:
        return ResolvedByPerson(who)
    revision = number(form.get("revision", ""))
    return ResolvedByPerson(who, force=True, revision=revision) if revision else None
