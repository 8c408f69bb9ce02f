"""Incidents about Plantão itself, in their reader's language: what they say is ours to say.

They are stored in English, as any alert's annotations are. What comes of other people's
programs (a parser's complaint, a server's answer) stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.core.alerts import Labels
from app.core.notices import Notice
from app.core.transitions import AlertState
from app.notifiers.wording import N_, Words, matching, words

_SOURCE = ("source", "plantao")
_SAID = (
    N_("A webhook body could not be read and is kept in quarantine"),
    N_(
        "Receipt {receipt}: {problem} — look at it with `plantao receipts show {number}`, "
        "and mend what sends it."
    ),
    N_("Some alerts in a webhook body could not be read"),
    N_("Receipt {receipt}: {problem} — see `plantao receipts show {number}`."),
    N_("Messages to {destination} are not getting through"),
    N_("{why} — `plantao check` tries every neighbour and names what is wrong."),
)
#: Why a message was not shown, in the words of the transports.
_REASONS = (
    N_("Slack says {code}: check its name; to a private one the app must be invited."),
    N_("Slack says {code}: invite the app to it."),
    N_("Slack says {code}: the channel is archived."),
    N_("Slack says {code}: check SLACK_BOT_TOKEN."),
    N_("Slack says {code}: install the app again and set the new SLACK_BOT_TOKEN."),
    N_("Slack says {code}: the app needs {scope}."),
    N_("Slack says {code}."),
    N_("Slack cannot be reached ({kind})."),
    N_("Slack gave no usable answer ({kind})."),
    N_("Slack did not say where the message is."),
    N_("The mail server refused us: {answer}"),
    N_("The mail server refused our user or password: {answer}"),
    N_("The mail server refused the recipient: {answer}"),
    N_("The mail server refused the mail: {answer}"),
    N_("The mail server did not say whether it took the mail ({kind})."),
    N_("The mail server's certificate is not trusted."),
    N_("The mail server cannot be used ({kind})."),
    N_("The mail server cannot be used: {offered}"),
    N_("There is no recipient."),
    N_("{transport} is not set up: its settings are missing."),
    N_("It could not be rendered ({kind})."),
    N_("No mail can be made of it ({kind})."),
)


def localised(notice: Notice, locale: str) -> Notice:
    """The notice in that language, if it is about ourselves; any other as it is."""
    name, source = _SOURCE
    if notice.incident.labels.get(name) != source:
        return notice
    speech = words(locale, "UTC")
    notes = notice.incident.annotations
    summary = notes.get("summary", "")
    title = notice.incident.title
    if summary and title.endswith(summary):
        title = title.removesuffix(summary) + told(speech, summary)
    incident = replace(notice.incident, title=title, annotations=_all(speech, notes))
    return replace(notice, incident=incident, alerts=[_alert(speech, s) for s in notice.alerts])


def _alert(speech: Words, state: AlertState) -> AlertState:
    return replace(
        state, alert=replace(state.alert, annotations=_all(speech, state.alert.annotations))
    )


def _all(speech: Words, notes: Labels) -> Labels:
    return {name: told(speech, text) for name, text in notes.items()}


def told(speech: Words, text: str) -> str:
    """What we say of ourselves, in this language; what is not ours stays as it is."""
    for message in (*_SAID, *_REASONS):
        found = matching(message, text)
        if found is not None:
            return speech.say(message, **_inner(speech, found))
    return text


def _inner(speech: Words, found: Mapping[str, str]) -> dict[str, str]:
    return {n: told(speech, text) if n == "why" else text for n, text in found.items()}
