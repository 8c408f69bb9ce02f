"""Open incidents as a list: for `/plantao list` and App Home. Pure: blocks are plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.core import notices
from app.core.alerts import severity_rank
from app.core.incidents import Incident, Status
from app.core.notices import Notice
from app.core.person import Person
from app.notifiers import mrkdwn, slack_buttons
from app.notifiers.mrkdwn import Block, calm, section
from app.notifiers.text import one_line
from app.notifiers.wording import Words, person
from app.slack import modals
from app.slack.speech import brief

_TITLE = 150


def by_severity(found: Iterable[Incident]) -> list[Incident]:
    """The worst first; among equals the oldest, which has waited longest."""
    return sorted(found, key=lambda each: (-severity_rank(each.severity), each.opened_at, each.id))


def mine(found: Iterable[Incident], refs: frozenset[str]) -> list[Incident]:
    """Those that are assigned to this person, or acknowledged by them and nobody else's."""
    return [each for each in found if _owner_ref(each) in refs]


def _owner_ref(incident: Incident) -> str:
    owner: Person | None = incident.assignee or incident.acknowledger
    return owner.ref if owner else ""


def entry(words: Words, incident: Incident, *, page: str, now: datetime) -> Block:
    """One incident: sign, number, severity, title; since when and whose; its next step."""
    notice = Notice(incident)
    title = calm(one_line(words.title(incident)), _TITLE)
    name = mrkdwn.link(f"#{incident.id}", page) if page else f"#{incident.id}"
    first = f"{words.sign(notice)} {name} *{calm(words.severity(incident.severity), 40)}* {title}"
    block = section(f"{first}\n{calm(_state(words, incident, now), _TITLE)}")
    return block | {"accessory": _next_step(words, incident)}


def _state(words: Words, incident: Incident, now: datetime) -> str:
    since = words.say("since {time}", time=brief(words, incident.opened_at, now=now))
    parts = [since, words.counts(incident)]
    if incident.status is Status.ACKNOWLEDGED and incident.acknowledged_by:
        who = person(incident.acknowledged_by)
        parts.append(words.say("Acknowledged by {person}", person=who))
    if incident.assigned_to and incident.assigned_to != incident.acknowledged_by:
        parts.append(words.say("Assigned to {person}", person=person(incident.assigned_to)))
    return " · ".join(parts)


def _next_step(words: Words, incident: Incident) -> Block:
    value = str(incident.id)
    if incident.status is Status.TRIGGERED:
        label = words.say("Acknowledge")
        return modals.button(label, slack_buttons.ACKNOWLEDGE, value, style="primary")
    return modals.button(words.say("Resolve"), slack_buttons.RESOLVE, value)


def listed(
    words: Words,
    found: Sequence[Incident],
    *,
    most: int,
    total: int,
    public_url: str,
    now: datetime,
) -> list[Block]:
    """As many as there is room for, and how many more there are."""
    shown = [
        entry(words, each, page=notices.page(public_url, each.id), now=now) for each in found[:most]
    ]
    rest = total - len(shown)
    return [*shown, section(words.more(rest))] if rest > 0 else shown
