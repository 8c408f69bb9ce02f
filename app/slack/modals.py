"""What modals look like, and what is filled into them. Pure: a view is plain JSON.

Limits (titles and buttons of 24 characters, inputs of 3,000):
https://docs.slack.dev/reference/views/modal-views
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

from pydantic_core import from_json, to_json

from app.notifiers import slack_buttons
from app.notifiers.mrkdwn import Block, section
from app.notifiers.text import cut
from app.notifiers.wording import N_, Words
from app.slack.requests import Spot, Values
from app.values import Locale

NOTE, ASSIGN, RESOLVE = slack_buttons.NOTE, slack_buttons.ASSIGN, slack_buttons.RESOLVE

TOO_LATE = N_("Slack gave us no time to ask you: press again.")

_TITLE = 24
_NOTE = 3_000
_NUMBER = 2**63 - 1
_LOCALES = get_args(Locale)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a modal is about: an incident, the thread it was asked for in, the language.

    `more` is what only this modal knows the meaning of.
    """

    incident: int = 0
    channel: str = ""
    thread: str = ""
    locale: str = "en"
    more: str = ""

    def written(self) -> str:
        """For a view's `private_metadata`: nothing in it is private, and Slack gives it back."""
        return to_json(asdict(self)).decode()


def subject(metadata: str) -> Subject:
    """What `written` wrote; nothing where somebody else wrote it."""
    try:
        found = from_json(metadata)
        return Subject(
            incident=_whole(found["incident"]),
            channel=str(found["channel"]),
            thread=str(found["thread"]),
            locale=str(found["locale"]) if found["locale"] in _LOCALES else "en",
            more=str(found.get("more", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return Subject()


def place(metadata: str) -> Spot:
    """Where a modal was asked for."""
    about = subject(metadata)
    return Spot(about.channel, about.thread, about.thread)


def number(value: str) -> int:
    """The incident's number in a button; 0 where there is none."""
    return _whole(value) if value.isascii() and value.isdigit() else 0


def _whole(value: object) -> int:
    found = int(str(value)[:20])
    return found if 0 < found <= _NUMBER else 0


# The modals


def note(words: Words, about: Subject) -> Block:
    """A text, to be kept in the incident's timeline."""
    field = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": _NOTE,
    }
    return modal(
        words.say("Note on #{number}", number=about.incident),
        NOTE,
        about,
        [labelled(words.say("Note"), "text", field | {"focus_on_load": True})],
        submit=words.say("Add"),
        close=words.say("Cancel"),
    )


def assign(words: Words, about: Subject, *, proposed: str) -> Block:
    """Whose it is to be; `proposed` is the id of a person."""
    field = {"type": "users_select", "action_id": "person", "initial_user": proposed}
    return modal(
        words.say("Assign #{number}", number=about.incident),
        ASSIGN,
        about,
        [labelled(words.say("Who takes care of it?"), "person", field)],
        submit=words.say("Assign"),
        close=words.say("Cancel"),
    )


def resolve(words: Words, about: Subject, *, firing: int) -> Block:
    """Alerts still fire: silence them, end the incident anyway, or leave it."""
    asked = words.count(
        "{count} alert still fires. If you resolve anyway, it counts as over: "
        "you hear of it again when it fires anew.",
        "{count} alerts still fire. If you resolve anyway, they count as over: "
        "you hear of them again when they fire anew.",
        firing,
    )
    silence = button(words.say("Silence instead"), slack_buttons.SILENCE, str(about.incident))
    return modal(
        words.say("Resolve #{number}?", number=about.incident),
        RESOLVE,
        about,
        [section(asked), row(silence)],
        submit=words.say("Resolve anyway"),
        close=words.say("Cancel"),
    )


def message(words: Words, text: str, *, title: str = "Plantão") -> Block:
    """Something to read: mrkdwn, and a button that closes it."""
    return modal(title, "", None, [section(text)], close=words.say("Close"))


# What was filled in


def text(values: Values) -> str:
    """The note; empty where there is nothing but blanks."""
    return values.get("text", "").strip()


def complaint(words: Words, callback: str, values: Values) -> dict[str, str]:
    """What is wrong with what was filled in, by input; empty where nothing is."""
    if callback == NOTE and not text(values):
        return {"text": words.say("Write something, or cancel.")}
    if callback == ASSIGN and not values.get("person"):
        return {"person": words.say("Choose somebody, or cancel.")}
    return {}


# Parts


def modal(
    title: str,
    callback: str,
    about: Subject | None,
    blocks: list[Block],
    *,
    close: str,
    submit: str = "",
    name: str = "",
    last: bool = False,
) -> Block:
    """A view; without a `callback` there is nothing to send. It can be found again by `name`,
    one that nobody else in the workspace has. Closing the `last` closes those below it."""
    view: dict[str, Any] = {
        "type": "modal",
        "title": plain(cut(title, _TITLE)),
        "close": plain(cut(close, _TITLE)),
        "blocks": blocks,
    }
    if callback:
        view["callback_id"] = callback
    if about is not None:
        view["private_metadata"] = about.written()
    if name:
        view["external_id"] = name
    if last:
        view["clear_on_close"] = True
    if submit:
        view["submit"] = plain(cut(submit, _TITLE))
    return view


def labelled(
    label: str, name: str, element: Block, *, optional: bool = False, hint: str = ""
) -> Block:
    """An input with its label; `name` is what complaints about it go by."""
    block = {"type": "input", "block_id": name, "label": plain(label), "element": element}
    more = {"optional": True} if optional else {}
    return block | more | ({"hint": plain(hint)} if hint else {})


def row(*elements: Block) -> Block:
    """Buttons beside one another."""
    return {"type": "actions", "elements": list(elements)}


def button(label: str, action: str, value: str, *, style: str = "") -> Block:
    """A button; `style` is primary or danger."""
    made = {"type": "button", "text": plain(label), "action_id": action, "value": value}
    return made | ({"style": style} if style else {})


def plain(label: str) -> Block:
    """Text in which nothing is markup; `:emoji:` stay as they were written."""
    return {"type": "plain_text", "text": label, "emoji": False}
