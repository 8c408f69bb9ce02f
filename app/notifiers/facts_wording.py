"""Facts in words: one sentence or line for each, in the reader's language, without markup.

Ages are counted back from when the incident opened, never from now: what is said once stays
true, and no message is edited only because time passes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from app.core.facts import (
    Earlier,
    Measured,
    ModelVersion,
    Neighbour,
    SeriesValue,
    Served,
    Witness,
)
from app.notifiers.text import cut, one_line
from app.notifiers.wording import N_, Words, matching, person

_TITLE = 90
_NEIGHBOUR = 64
_NAME = 48
_VERSION = 24
_NOTE = 100
_LABELS = 80
_LISTED = 5
_METRICS = 6

_COMPARED = {
    ">": N_("{value}, above {threshold}"),
    ">=": N_("{value}, at least {threshold}"),
    "<": N_("{value}, below {threshold}"),
    "<=": N_("{value}, at most {threshold}"),
    "==": N_("{value}, which is {threshold}"),
    "!=": N_("{value}, which is not {threshold}"),
}
#: What Prometheus' part of the context says of a rule, in its own words.
_REASONS = (
    N_("The rule's expression cannot be read."),
    N_("The rule's expression is too long to be taken apart."),
    N_("The rule compares with nothing."),
    N_("The rule fires when the series is absent."),
    N_("The rule fires unless another condition holds."),
    N_("The threshold is itself a query."),
    N_("The threshold differs from series to series."),
    N_("The threshold is not a finite number."),
    N_("The rule has further conditions; this is the first."),
    N_("The rule has alternatives; this is the first."),
    N_("The rule has alternatives; this is the one that held."),
)
#: Why a source is missing: the engine's words, then those of the sources, and what we say.
_MISSING = {
    "it did not answer within {seconds} s": N_("did not answer within {seconds} s"),
    "it is down and not asked for now": N_("is down and not asked for now"),
    "it failed unexpectedly; the log has the details": N_("failed unexpectedly; see the log"),
    "{name} did not answer within {seconds} s.": N_("did not answer within {seconds} s"),
    "{name} cannot be reached.": N_("cannot be reached"),
    "{name} cannot be reached: {detail}.": N_("cannot be reached: {detail}"),
    "{name} broke the connection off.": N_("broke the connection off"),
    "{name} answered in a form nobody knows.": N_("answered in a form nobody knows"),
    "{name} answered with status {status}.": N_("answered {status}"),
    "{name} answered with more than {size}.": N_("answered with more than {size}"),
    "{name} answered {status}.": N_("answered {status}"),
    "{name} refuses our credentials ({status}).": N_("refuses our credentials ({status})"),
    "MLflow does not know the model {model}.": N_("does not know the model {model}"),
    "No version of {model} carries the alias {alias}.": N_(
        "no version of {model} carries the alias {alias}"
    ),
    "No MLflow is configured.": N_("is not configured"),
}
_SOURCES = {
    "prometheus": N_("Prometheus"),
    "mlflow": N_("MLflow"),
    "models": N_("models"),
    "changes": N_("changes"),
    "history": N_("history"),
}
_WITNESSES = {
    Witness.SERVING: "",
    Witness.RECORDED: N_("by our record of the alias"),
    Witness.REGISTRY: N_("by the registry as of now"),
}
_TIMES = {
    1: N_("{count}st time in {days} days"),
    2: N_("{count}nd time in {days} days"),
    3: N_("{count}rd time in {days} days"),
}
_NTH = N_("{count}th time in {days} days")


# Prometheus


def measured(words: Words, facts: Measured) -> str:
    """Value against threshold when the alert fired, in one line; empty where neither is known."""
    said = compared(words, facts)
    if not said:
        return no_threshold(words, facts)
    return f"{said} ({_worst_of(words, facts)})" if facts.series > 1 else said


def _worst_of(words: Words, facts: Measured) -> str:
    said = words.say("worst of {count} series", count=words.number(facts.series))
    which = labels(facts.worst[0].labels) if facts.worst else ""
    return f"{said}: {which}" if which else said


def compared(words: Words, facts: Measured) -> str:
    """`830 ms, above 500 ms for 4 min`, as far as it is known."""
    value = None if facts.firing is None else value_of(words, facts, facts.firing)
    if facts.threshold is None:
        return words.say("{value} when it fired", value=value) if value else ""
    limit = quantity(words, facts, facts.threshold.value, beside=facts.firing)
    if value is None:
        sign = one_line(facts.threshold.operator)
        return words.say("Fires at {operator} {threshold}", operator=sign, threshold=limit)
    form = _COMPARED.get(facts.threshold.operator, "{value}, {threshold}")
    said = words.say(form, value=value, threshold=limit)
    if facts.rule is None or not facts.rule.duration:
        return said
    length = words.duration(facts.rule.duration)
    return words.say("{comparison} for {duration}", comparison=said, duration=length)


def no_threshold(words: Words, facts: Measured) -> str:
    """Why there is no single threshold, or what else decides; empty if there is no more to it."""
    text = facts.no_threshold
    return words.say(text) if text in _REASONS else cut(one_line(text), _TITLE)


def value_of(words: Words, facts: Measured, value: float) -> str:
    """A value of the rule's left side, written to be compared with its threshold."""
    return quantity(words, facts, value, beside=facts.threshold.value if facts.threshold else None)


def quantity(words: Words, facts: Measured, value: float, *, beside: float | None) -> str:
    """A value in the rule's unit, with digits enough to be told apart from the one `beside` it."""
    return words.quantity(value, facts.unit, beside=beside)


def series(words: Words, facts: Measured, one: SeriesValue) -> str:
    """`912 ms · instance=a`."""
    value = value_of(words, facts, one.value)
    which = labels(one.labels)
    return f"{value} · {which}" if which else value


def labels(found: Mapping[str, str]) -> str:
    """`instance=a, path=/score`, at most a line."""
    pairs = (f"{one_line(name)}={one_line(value)}" for name, value in sorted(found.items()))
    return cut(", ".join(pairs), _LABELS)


def earlier_values(words: Words, facts: Measured) -> str:
    """The same hour yesterday and last week, as far as they are known."""
    said = []
    if facts.yesterday is not None:
        value = value_of(words, facts, facts.yesterday)
        said.append(words.say("Yesterday at this hour: {value}", value=value))
    if facts.last_week is not None:
        value = value_of(words, facts, facts.last_week)
        said.append(words.say("a week ago: {value}", value=value))
    text = " · ".join(said)
    return text[:1].upper() + text[1:]


def also_firing(facts: Measured) -> list[str]:
    """A line for each component: `kafka: KafkaConsumerLag, KafkaUnderReplicated`."""
    lines = []
    for component, names in sorted(facts.also_firing.items()):
        shown = ", ".join(cut(one_line(name), _NAME) for name in names[:_LISTED])
        more = f" +{len(names) - _LISTED}" if len(names) > _LISTED else ""
        lines.append(f"{cut(one_line(component), _NAME) or '–'}: {shown}{more}")  # noqa: RUF001
    return lines


# Models


def served(words: Words, facts: Served, *, opened_at: datetime) -> str:
    """`Serving pix-fraud v3 (champion for 4 min, before: v2)`, and who says so if not serving."""
    said = words.say(
        "Serving {model} v{version}",
        model=cut(one_line(facts.name), _NAME),
        version=version(facts.current),
    )
    aside = [_alias(words, facts, opened_at)]
    if facts.previous:
        aside.append(words.say("before: v{version}", version=version(facts.previous)))
    if len(facts.versions) > 1:
        shown = (f"v{cut(one_line(each), _VERSION)}" for each in facts.versions[:_LISTED])
        aside.append(words.say("rollout under way: {versions}", versions=", ".join(shown)))
    if witness := _WITNESSES[facts.witness]:
        aside.append(words.say(witness))
    known = ", ".join(part for part in aside if part)
    return f"{said} ({known})" if known else said


def _alias(words: Words, facts: Served, opened_at: datetime) -> str:
    alias = cut(one_line(facts.alias), _NAME)
    if facts.since is None or facts.since > opened_at:
        return alias
    age = words.duration(opened_at - facts.since)
    if not alias:
        return words.say("for {duration}", duration=age)
    return words.say("{alias} for {duration}", alias=alias, duration=age)


def version(one: ModelVersion) -> str:
    """A version's name, safe to show and not too long."""
    return cut(one_line(one.version), _VERSION)


def registered(words: Words, one: ModelVersion, *, beside: datetime) -> str:
    """Who registered a version and when, as far as it is known."""
    who = person(one.registered_by)
    when = words.moment(one.registered_at, beside=beside) if one.registered_at else ""
    if who and when:
        return words.say("Registered by {person}, {moment}", person=who, moment=when)
    if who:
        return words.say("Registered by {person}", person=who)
    return words.say("Registered {moment}", moment=when) if when else ""


def metrics(words: Words, facts: Served) -> str:
    """The run's key metrics, beside those of the version before: `auc 0.981 (v2: 0.979)`."""
    before = facts.previous.metrics if facts.previous else {}
    name = f"v{version(facts.previous)}" if facts.previous else ""
    said = []
    for metric, value in sorted(facts.current.metrics.items())[:_METRICS]:
        shown = f"{cut(one_line(metric), _NAME)} {_metric(words, value, before.get(metric))}"
        if metric in before:
            shown += f" ({name}: {_metric(words, before[metric], value)})"
        said.append(shown)
    return " · ".join(said)


def _metric(words: Words, value: float, beside: float | None) -> str:
    return words.quantity(value, "", beside=beside)


# Earlier incidents


def earlier(words: Words, facts: Earlier) -> str:
    """`3rd time in 90 days, usually 12 min, usually ends by itself; last time #17: “…”`."""
    if not facts.count:
        days = words.number(facts.days)
        return words.say("First time in {days} days", days=days)
    said = [_times(words, facts)]
    if facts.lasted is not None:
        said.append(words.say("usually {duration}", duration=words.duration(facts.lasted)))
    if 2 * facts.by_itself > facts.count:
        said.append(words.say("usually ends by itself"))
    return "; ".join(part for part in (", ".join(said), _last(words, facts)) if part)


def earlier_more(words: Words, facts: Earlier, *, beside: datetime) -> str:
    """What else is known of the incidents before: who acted, and when it was."""
    said = []
    if facts.acknowledged_after is not None:
        length = words.duration(facts.acknowledged_after)
        said.append(words.say("Acknowledged after {duration} as a rule", duration=length))
    if facts.last_opened_at is not None:
        at = words.moment(facts.last_opened_at, beside=beside)
        said.append(words.say("Last opened {moment}", moment=at))
    if facts.last_note and facts.last_note_by:
        said.append(words.say("Note by {person}", person=person(facts.last_note_by)))
    return " · ".join(said)


def _times(words: Words, facts: Earlier) -> str:
    number = facts.count + 1
    teens = number % 100 in {11, 12, 13}
    form = _NTH if teens else _TIMES.get(number % 10, _NTH)
    return words.say(form, count=words.number(number), days=words.number(facts.days))


def _last(words: Words, facts: Earlier) -> str:
    """The last incident, and the newest note there is, with the incident it stands in."""
    note = cut(one_line(facts.last_note), _NOTE)
    number, noted = facts.last_incident, facts.noted_incident
    if number is None:
        return ""
    if note and noted in {number, None}:
        return words.say("last time #{number}: “{note}”", number=number, note=note)
    if note:
        form = N_("last time #{number}, noted in #{noted}: “{note}”")
        return words.say(form, number=number, noted=noted, note=note)
    return words.say("last time #{number}", number=number)


# The pipeline


def cause(words: Words, one: Neighbour) -> str:
    """`Probably because of #12 KafkaConsumerLag: 40,000 behind (kafka)`."""
    return words.say("Probably because of {incident}", incident=_neighbour(one))


def effect(words: Words, one: Neighbour) -> str:
    """`Likely affects #13 ScoringSlow: 912 ms (scoring)`."""
    return words.say("Likely affects {incident}", incident=_neighbour(one))


def _neighbour(one: Neighbour) -> str:
    place = cut(one_line(one.component), _NAME)
    title = cut(one_line(one.title), _NEIGHBOUR)
    return f"#{one.incident} {title}" + (f" ({place})" if place else "")


# What is not known


def missing(words: Words, sources: Mapping[str, str], *, reasons: bool = True) -> str:
    """`Not known: Prometheus (did not answer within 3 s)`; sources by the reason they share."""
    by_reason: dict[str, list[str]] = {}
    for source, reason in sorted(sources.items()):
        why = _why(words, reason) if reasons else ""
        by_reason.setdefault(why, []).append(_source(words, source))
    said = [_with_reason(names, why) for why, names in by_reason.items()]
    return words.say("Not known: {sources}", sources=", ".join(said)) if said else ""


def source_missing(words: Words, source: str, reason: str) -> str:
    """`Prometheus (did not answer within 3 s)`."""
    return _with_reason([_source(words, source)], _why(words, reason))


def _with_reason(names: Sequence[str], why: str) -> str:
    return ", ".join(names) + (f" ({why})" if why else "")


def _source(words: Words, name: str) -> str:
    known = _SOURCES.get(name.lower())
    return words.say(known) if known else cut(one_line(name), _NAME)


def _why(words: Words, reason: str) -> str:
    for told, message in _MISSING.items():
        found = matching(told, reason)
        if found is not None:
            return cut(words.say(message, **_values(words, found)), _TITLE)
    return cut(one_line(reason).rstrip("."), _TITLE)


def _values(words: Words, found: Mapping[str, str]) -> dict[str, str]:
    return {n: _number(words, v) if n == "seconds" else one_line(v) for n, v in found.items()}


def _number(words: Words, text: str) -> str:
    """A number the engine wrote, with the decimal sign of this language."""
    plain = re.fullmatch(r"[0-9.]{1,12}", text) and text.count(".") <= 1
    value = float(text) if plain and text != "." else math.nan
    return words.quantity(value, "") if math.isfinite(value) else one_line(text)
