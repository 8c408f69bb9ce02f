"""The chart of an incident: the measured line, its threshold, and what changed meanwhile."""

from __future__ import annotations

from datetime import datetime

from app.core.chart import Chart, Language, Marker
from app.core.facts import Change, Changed, Measured
from app.core.notices import Notice
from app.notifiers import change_wording
from app.notifiers import facts_wording as say
from app.notifiers.quantities import decimal_sign
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words

_TITLE = 80
_LABEL = 60
_MOST_MARKERS = 10


def chart_of(words: Words, notice: Notice) -> Chart | None:
    """The newest chart there is; None without a line to draw."""
    measured = notice.context.newest(Measured)
    if measured is None or not measured.line:
        return None
    incident = notice.incident
    now = max(measured.line[-1].at, incident.opened_at)
    return Chart(
        line=measured.line,
        now=now,
        language=_language(words, now),
        title=_title(words, notice),
        unit=measured.unit,
        threshold=measured.threshold,
        firing=(notice.since, None if incident.open else incident.resolved_at),
        markers=_markers(words, notice),
    )


def described(words: Words, notice: Notice) -> str:
    """What the chart shows, for those who do not see it."""
    measured = notice.context.facts(Measured)
    said = say.measured(words, measured) if measured else ""
    title = words.say("Chart of {title}", title=_title(words, notice))
    return one_line(f"{title}: {said}" if said else title)


def _title(words: Words, notice: Notice) -> str:
    measured = notice.context.newest(Measured)
    rule = measured.rule.name if measured and measured.rule else ""
    name = rule or notice.incident.labels.get("alertname", "") or words.title(notice.incident)
    return cut(one_line(name), _TITLE)


def _markers(words: Words, notice: Notice) -> list[Marker]:
    """What changed, the most telling first; not what changed nobody knows when."""
    changed = notice.context.facts(Changed)
    found = [one for one in changed.changes if not one.vague] if changed else []
    return [Marker(one.at, _label(words, one)) for one in found[:_MOST_MARKERS]]


def _label(words: Words, one: Change) -> str:
    """Without what it was that changed: there is little room, and the messages say it."""
    title = change_wording.title(words, one.title)
    return cut(title.partition(": ")[2] or title, _LABEL)


def _language(words: Words, now: datetime) -> Language:
    return Language(
        zone=words.timezone,
        clock=words.clock,
        day=words.day,
        zone_label=words.zone(now),
        firing=words.say("firing"),
        no_data=words.say("no data"),
        decimal=decimal_sign(words.language),
    )
