"""All words that people read, in each language and their time zone.

The result is text, never markup: it holds untrusted parts, so escape the whole of it for
where it goes. Messages are English here and in `app/locales/pt_BR.po` in Portuguese.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal

from app.core.alerts import severity_rank
from app.core.incidents import Incident, Status
from app.core.notices import Look, Notice
from app.core.transitions import AlertState, Ending
from app.notifiers.catalogue import babel_locale, translations
from app.notifiers.quantities import quantity
from app.notifiers.text import cut, one_line, url

_HIGH, _MEDIUM = 3, 2  # severity_rank


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a message for the catalogue that is looked up later."""
    return message


_SEVERITIES: Mapping[str, str] = {
    "critical": N_("CRITICAL"),
    "error": N_("ERROR"),
    "warning": N_("WARNING"),
    "info": N_("INFO"),
    "unknown": N_("ALERT"),
    "none": N_("ALERT"),
}
_NAMELESS = N_("Alert without a name")
#: Why something is no longer reported, in the engine's words.
_REASONS = (
    N_("Alertmanager no longer lists it"),
    N_("Prometheus did not answer, so the end cannot be confirmed"),
    N_("nothing was heard of it for {duration}"),
)
_ALERT_LABELS = 4
_LABEL_LENGTH = 80
_NAME_LENGTH = 40
_UNITS = (
    (timedelta(days=1), N_("{count} d")),
    (timedelta(hours=1), N_("{count} h")),
    (timedelta(minutes=1), N_("{count} min")),
)
_SECONDS = (timedelta(seconds=1), N_("{count} s"))


class Words:
    """The words of one language (`en`, `pt-BR`), with times in one IANA zone."""

    def __init__(self, locale: str, zone: str) -> None:
        self._locale = babel_locale(locale)
        self._zone = ZoneInfo(zone)
        self._catalogue = translations(locale)

    @property
    def timezone(self) -> ZoneInfo:
        return self._zone

    @property
    def language(self) -> str:
        """For HTML's `lang`: `en`, `pt-BR`."""
        return str(self._locale).replace("_", "-")

    def say(self, message: str, **values: object) -> str:
        """A message of the catalogue. Values are put in as they are."""
        return self._catalogue.gettext(message).format(**values)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """The form of a message that goes with a number; the number itself is `{count}`."""
        form = self._catalogue.ngettext(one, many, number)
        return form.format(count=self.number(number), **values)

    def number(self, number: int) -> str:
        return str(format_decimal(number, locale=self._locale))

    def quantity(self, value: float, unit: str, *, beside: float | None = None) -> str:
        """A measured value with its unit, as `quantities.quantity` writes it."""
        return quantity(value, unit, self.language, beside=beside)

    # Times

    def moment(self, at: datetime, *, beside: datetime) -> str:
        """A date and time; the year only where it is another than that of `beside`."""
        local = self._local(at)
        short, long = self.say("d MMM, HH:mm"), self.say("d MMM y, HH:mm")
        pattern = short if local.year == self._local(beside).year else long
        return format_datetime(local, pattern, locale=self._locale)

    def clock(self, at: datetime) -> str:
        """The time of day, in 24 hours."""
        return format_datetime(self._local(at), "HH:mm", locale=self._locale)

    def day(self, at: datetime) -> str:
        """The day, without its year."""
        return format_datetime(self._local(at), self.say("d MMM"), locale=self._locale)

    def zone(self, at: datetime) -> str:
        """How far the zone is from UTC at that time: `UTC-3`, `UTC+5:30`, `UTC`."""
        minutes = int((self._local(at).utcoffset() or timedelta()).total_seconds() // 60)
        if not minutes:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")

    def duration(self, length: timedelta) -> str:
        """The largest unit and the next: `1 h 5 min`; seconds only below a minute."""
        units = _UNITS if length >= _UNITS[-1][0] else (_SECONDS,)
        rest = max(length, timedelta())
        counts: list[tuple[int, str]] = []
        for unit, message in units:
            count, rest = divmod(rest, unit)
            if count or counts or unit == units[-1][0]:
                counts.append((count, message))
        first, *second = counts[:2]
        shown = [first, *(each for each in second if each[0])]
        return " ".join(self.say(message, count=self.number(count)) for count, message in shown)

    def _local(self, at: datetime) -> datetime:
        """A sender may say any year: the first and the last have no room for an offset."""
        try:
            return at.astimezone(self._zone)
        except OverflowError:
            return at.replace(tzinfo=UTC)

    # The incident as a whole

    def headline(self, notice: Notice) -> str:
        """Sign, status and title, on one line."""
        return f"{self.sign(notice)} {self.status(notice)} · {self.title(notice.incident)}"

    def sign(self, notice: Notice) -> str:
        """An emoji whose shape, not only its colour, goes with the status."""
        match notice.look:
            case Look.TRIGGERED:
                return _severity_sign(notice.incident.severity)
            case Look.UNCONFIRMED:
                return "🟠"
            case Look.ACKNOWLEDGED:
                return "🟡"
            case Look.RESOLVED:
                return "🟢"
            case Look.NO_LONGER_REPORTED:
                return "⚪"

    def status(self, notice: Notice) -> str:
        """Severity while it burns, and what became of it."""
        incident = notice.incident
        match notice.look:
            case Look.TRIGGERED:
                return self.severity(incident.severity)
            case Look.UNCONFIRMED:
                return f"{self.doubt(incident)} · {self.severity(incident.severity)}"
            case Look.ACKNOWLEDGED:
                return f"{self._acknowledged(incident)} · {self.severity(incident.severity)}"
            case Look.RESOLVED if incident.resolved_by:
                return self.say("Resolved by {person}", person=person(incident.resolved_by))
            case Look.RESOLVED:
                return self.say("Resolved")
            case Look.NO_LONGER_REPORTED:
                return self.say("No longer reported")

    def doubt(self, incident: Incident) -> str:
        """What is said of an incident that is open on nothing but doubt."""
        if incident.firing:
            return self.say("Possibly firing again, checking")
        return self.say("Possibly still firing, checking")

    def _acknowledged(self, incident: Incident) -> str:
        who = person(incident.acknowledged_by or "") or "?"
        return self.say("Acknowledged by {person}", person=who)

    def severity(self, name: str) -> str:
        """In capitals: what must be noticed without colour. A word of one's own stays."""
        known = _SEVERITIES.get(name)
        return self.say(known) if known else one_line(name).upper()[:20]

    def title(self, incident: Incident) -> str:
        """What is wrong, in one line."""
        text = one_line(incident.title) or _NAMELESS
        if text.startswith(_NAMELESS):
            return self.say(_NAMELESS) + text.removeprefix(_NAMELESS)
        return text

    def subject(self, notice: Notice) -> str:
        """The subject of an email, without "Re:"."""
        incident = notice.incident
        between = " " if notice.look is Look.TRIGGERED else " · "
        return f"[Plantão #{incident.id}] {self.status(notice)}{between}{self.title(incident)}"

    def span(self, notice: Notice) -> str:
        """Since when; once it is over, how long it lasted."""
        incident = notice.incident
        zone = self.zone(incident.updated_at)
        start = self.moment(notice.since, beside=incident.updated_at)
        if incident.open:
            return self.say("Since {start} ({zone})", start=start, zone=zone)
        end = incident.resolved_at or incident.updated_at
        return self.say(
            "Lasted {duration}: {start} to {end} ({zone})",
            duration=self.duration(end - notice.since),
            start=start,
            end=self._brief(end, beside=notice.since),
            zone=zone,
        )

    def _brief(self, at: datetime, *, beside: datetime) -> str:
        """Without the date if that is the same as the one beside it."""
        same_day = self._local(at).date() == self._local(beside).date()
        return self.clock(at) if same_day else self.moment(at, beside=beside)

    def counts(self, incident: Incident) -> str:
        """`3 firing, 2 resolved`; what is zero is left out, and what is not sure is not claimed."""
        if not incident.open and incident.ending is Ending.NO_LONGER_REPORTED:
            return self.count("{count} alert", "{count} alerts", incident.total)
        firing = self.count("{count} firing", "{count} firing", incident.firing)
        over = self.count("{count} resolved", "{count} resolved", incident.resolved)
        if incident.firing and incident.resolved:
            return f"{firing}, {over}"
        return firing if incident.firing or not incident.resolved else over

    def remarks(self, incident: Incident) -> list[str]:
        """What else must be known before anything is believed."""
        told = []
        if incident.hidden:
            told.append(self.truncated(incident.hidden))
        elif incident.truncated:
            told.append(self.say("Alertmanager had cut off some alerts"))
        if incident.reopened:
            times = incident.reopened
            told.append(self.count("Reopened once", "Reopened {count} times", times))
        return told

    def handling(self, notice: Notice) -> list[str]:
        """Who has it, and who muted its replies, each since when; of what is over, who had it."""
        incident = notice.incident
        told = []
        taken = None if incident.status is Status.TRIGGERED else incident.acknowledged_at
        if taken:
            who = person(incident.acknowledged_by or "")
            at = self._brief(taken, beside=notice.since)
            told.append(self.say("Acknowledged by {person}, {time}", person=who, time=at))
        own = incident.assigned_at
        if own and not (taken and incident.assignee == incident.acknowledger):
            who, at = person(incident.assigned_to or ""), self._brief(own, beside=notice.since)
            told.append(self.say("Assigned to {person}, {time}", person=who, time=at))
        if incident.replies_muted_at and incident.open:
            who = person(incident.replies_muted_by or "")
            at = self._brief(incident.replies_muted_at, beside=notice.since)
            told.append(self.say("Replies muted by {person}, {time}", person=who, time=at))
        return told

    def truncated(self, number: int) -> str:
        return self.count(
            "{count} more alert was cut off by Alertmanager",
            "{count} more alerts were cut off by Alertmanager",
            number,
        )

    def more(self, number: int) -> str:
        """The end of a list that is longer than what is shown."""
        return self.count("and {count} more", "and {count} more", number)

    def links(self, notice: Notice) -> list[tuple[str, str]]:
        """Name and address of each link there is, the most useful first; all are safe to show."""
        links = notice.links
        named = [
            (self.say("Runbook"), links.runbook),
            (self.say("Graph"), links.graph),
            (self.say("Dashboard"), links.dashboard),
            (self.say("Incident #{number}", number=notice.incident.id), links.incident),
            (self.say("Alertmanager"), links.alertmanager),
        ]
        return [(name, safe) for name, address in named if (safe := url(address))]

    # Alerts

    def alert_sign(self, state: AlertState) -> str:
        if state.firing:
            return "🟠" if state.unconfirmed else "🔴"
        return "⚪" if state.ending is Ending.NO_LONGER_REPORTED else "🟢"

    def alert_state(self, state: AlertState, *, beside: datetime) -> str:
        """`firing since 03:12`; `resolved 03:24, after 12 min`. The date where it is another."""
        start, end = state.alert.starts_at, state.alert.ends_at or state.reported_at
        if state.firing:
            since = self._brief(start, beside=beside)
            if state.unconfirmed:
                return self.say("possibly firing again since {start}", start=since)
            return self.say("firing since {start}", start=since)
        when = self._brief(end, beside=beside)
        if state.ending is Ending.NO_LONGER_REPORTED:
            return self.say("no longer reported since {end}", end=when)
        length = self.duration(end - start)
        return self.say("resolved {end}, after {duration}", end=when, duration=length)

    def alert_name(self, labels: Mapping[str, str], common: Mapping[str, str]) -> str:
        """What sets an alert apart from the others; empty where nothing does."""
        apart = [name for name in sorted(labels) if name not in common]
        shown = [_label(name, labels[name]) for name in apart[:_ALERT_LABELS]]
        return " ".join([*shown, "…"] if len(apart) > _ALERT_LABELS else shown)

    def reason(self, text: str) -> str:
        """The engine's reason in this language; one it does not know stays as it is."""
        for message in _REASONS:
            found = matching(message, text)
            if found is not None:
                return self.say(message, **found)
        return one_line(text)


def person(name: str) -> str:
    """A name that leaves room for what matters more."""
    return cut(one_line(name), _NAME_LENGTH)


def _severity_sign(severity: str) -> str:
    rank = severity_rank(severity)
    if rank >= _HIGH:
        return "🔴"
    return "🔶" if rank >= _MEDIUM else "🔷"


def _label(name: str, value: str) -> str:
    return cut(f"{one_line(name)}={one_line(value)}", _LABEL_LENGTH)


def matching(message: str, text: str) -> Mapping[str, str] | None:
    """What stands for the names in a message, where the text is that message; else None."""
    found = _pattern(message).fullmatch(text)
    return found.groupdict() if found else None


@cache
def _pattern(message: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(message)), re.DOTALL)


@cache
def words(locale: str, zone: str) -> Words:
    """The words of a language (`en`, `pt-BR`) and an IANA zone; made once."""
    return Words(locale, zone)
