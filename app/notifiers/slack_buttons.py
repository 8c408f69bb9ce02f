"""The row of buttons below an incident in Slack, and what each is called when it is pressed.

A button's `value` is the incident's number. Of the menu's options it is preceded by what is
wanted: `open:12`, `postmortem:12`, `mute:12`, `unmute:12`; the first two lead somewhere by
themselves. Source: https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from app.core.incidents import Status
from app.core.notices import Notice
from app.notifiers.mrkdwn import Block
from app.notifiers.text import url
from app.notifiers.wording import Words

ACKNOWLEDGE = "incident.acknowledge"
UNACKNOWLEDGE = "incident.unacknowledge"
ASSIGN = "incident.assign"
SILENCE = "incident.silence"
NOTE = "incident.note"
RESOLVE = "incident.resolve"
MORE = "incident.more"
END_SILENCE = "silence.end"


def row(words: Words, notice: Notice) -> Block:
    """What can be done now; after the end there is something to note, and nothing to undo."""
    note = _button(words.say("Note"), NOTE, notice)
    buttons = [note]
    if notice.incident.open:
        buttons = [
            _taking(words, notice),
            _button(words.say("Assign"), ASSIGN, notice),
            _button(words.say("Silence"), SILENCE, notice),
            note,
            _button(words.say("Resolve"), RESOLVE, notice),
        ]
    options = _options(words, notice)
    more = [{"type": "overflow", "action_id": MORE, "options": options}] if options else []
    return {"type": "actions", "elements": [*buttons, *more]}


def end_silence(words: Words, incident: int, silence: int) -> Block:
    """Its value is the incident's number and the silence's, with a blank between them."""
    text = _plain(words.say("End silence"))
    value = f"{incident} {silence}"
    return {"type": "button", "text": text, "action_id": END_SILENCE, "value": value}


def _taking(words: Words, notice: Notice) -> Block:
    if notice.incident.status is Status.ACKNOWLEDGED:
        return _button(words.say("Unacknowledge"), UNACKNOWLEDGE, notice)
    return _button(words.say("Acknowledge"), ACKNOWLEDGE, notice) | {"style": "primary"}


def _options(words: Words, notice: Notice) -> list[Block]:
    number = notice.incident.id
    page, postmortem = url(notice.links.incident), url(notice.links.postmortem)
    found = []
    if page:
        found.append(_option(words.say("Open the incident's page"), f"open:{number}", page))
    if postmortem:
        found.append(_option(words.say("Postmortem"), f"postmortem:{number}", postmortem))
    if notice.incident.replies_muted_at:
        found.append(_option(words.say("Unmute thread replies"), f"unmute:{number}"))
    elif notice.incident.open:
        found.append(_option(words.say("Mute thread replies"), f"mute:{number}"))
    return found


def _option(text: str, value: str, leads_to: str | None = None) -> Block:
    link = {"url": leads_to} if leads_to else {}
    return {"text": _plain(text), "value": value, **link}


def _button(text: str, action: str, notice: Notice) -> Block:
    value = str(notice.incident.id)
    return {"type": "button", "text": _plain(text), "action_id": action, "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
