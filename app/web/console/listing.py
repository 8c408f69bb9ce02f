"""Incidents as a list: one row each, the same as a person says it in one breath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.core.chart import spark
from app.core.context import Context
from app.core.facts import Measured
from app.core.incidents import Incident, Status
from app.core.notices import Notice
from app.notifiers import facts_wording
from app.notifiers.own_wording import localised
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words, person
from app.web.console.frame import Reader
from app.web.views import Shown

_SPARK = (112, 28)  # pixels; the style sheet keeps as much room where there is none
_LABEL = 48


@dataclass(frozen=True, slots=True)
class Row:
    """One incident. `tone` is what its colour follows, `value` what was measured last."""

    number: int
    revision: int
    tone: str
    severity: str
    rank: str
    title: str
    state: str
    about: Sequence[str]
    value: str
    limit: str
    spark: Markup
    counts: str
    owner: str
    age: str
    since: str
    since_at: str
    over: bool
    takeable: bool


def row(who: Reader, shown: Shown) -> Row:
    """A row of the list, for its reader."""
    notice = localised(
        Notice(shown.incident, shown.alerts, context=shown.context, silences=shown.silences),
        who.locale,
    )
    incident = notice.incident
    value, limit = _measured(who.words, notice.context)
    return Row(
        number=incident.id,
        revision=incident.revision,
        tone=notice.look.name.lower(),
        severity=who.words.severity(incident.severity),
        rank=rank(incident),
        title=who.words.title(incident),
        state=state(who.words, notice),
        about=_about(who.words, notice),
        value=value,
        limit=limit,
        spark=_spark(notice.context),
        counts=who.words.counts(incident),
        owner=person(incident.assigned_to or incident.acknowledged_by or ""),
        age=age(who, notice),
        since=who.moment(notice.since),
        since_at=notice.since.isoformat(),
        over=not incident.open,
        takeable=incident.status is Status.TRIGGERED,
    )


def age(who: Reader, notice: Notice) -> str:
    """For how long it has been burning; once it is over, how long it did."""
    incident = notice.incident
    end = who.now if incident.open else incident.resolved_at or incident.updated_at
    return who.words.duration(end - notice.since)


def rank(incident: Incident) -> str:
    """The severity, as the style sheet knows it."""
    known = {"critical", "error", "warning", "info"}
    return incident.severity if incident.severity in known else "other"


def state(words: Words, notice: Notice) -> str:
    """What became of it, in a word or two."""
    incident = notice.incident
    if not incident.open:
        return words.status(notice)
    if incident.unconfirmed:
        return words.doubt(incident)
    taken = incident.status is Status.ACKNOWLEDGED
    return words.say("Acknowledged") if taken else words.say("Triggered")


def _about(words: Words, notice: Notice) -> list[str]:
    """Where it is, and what else must be known before anything is believed."""
    labels = notice.incident.labels
    places = [labels.get(name, "") for name in ("component", "model")]
    said = [cut(one_line(each), _LABEL) for each in places if each]
    if any(each.mutes_now for each in notice.silences):
        said.append(words.say("Silenced"))
    return said + words.remarks(notice.incident)


def _measured(words: Words, context: Context) -> tuple[str, str]:
    """The last value, and what the rule compares it with."""
    facts = context.newest(Measured)
    if facts is None:
        return "", ""
    latest = facts.firing if facts.now is None else facts.now
    value = "" if latest is None else facts_wording.value_of(words, facts, latest)
    if facts.threshold is None:
        return value, ""
    limit = facts_wording.quantity(words, facts, facts.threshold.value, beside=latest)
    return value, f"{one_line(facts.threshold.operator)} {limit}"


def _spark(context: Context) -> Markup:
    facts = context.newest(Measured)
    if facts is None or not facts.line:
        return Markup()
    return Markup(spark(facts.line, *_SPARK))  # noqa: S704  (numbers only)
