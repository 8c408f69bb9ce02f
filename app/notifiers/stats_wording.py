"""Statistics in words: a sentence for each alert that should be tuned, and why."""

from __future__ import annotations

from app.core.stats import SHORT, Advice, Reason, Spread
from app.notifiers.text import cut, one_line
from app.notifiers.wording import N_, Words

_NAME = 80

_REASONS = {
    Reason.SHORT_LIVED: N_(
        "{count} of {of} incidents ended by themselves in under {short}, with nobody acting: "
        "let it wait longer before it fires (`for`)."
    ),
    Reason.REFIRES: N_(
        "it fired again {count} times within {of} incidents: let it stay firing through a dip "
        "(`keep_firing_for`), or set its threshold further away."
    ),
    Reason.UNATTENDED: N_(
        "nobody acted on {count} of {of} incidents: lower its severity, or do without it."
    ),
}


def advice(words: Words, one: Advice) -> str:
    """Why to tune an alert and how, in a sentence that follows its name and a colon."""
    return words.say(
        _REASONS[one.reason],
        count=words.number(one.count),
        of=words.number(one.of),
        short=words.duration(SHORT),
    )


def named_advice(words: Words, one: Advice) -> str:
    """The same, with the alert's name before it."""
    return f"{cut(one_line(one.alertname), _NAME)}: {advice(words, one)}"


def spread(words: Words, found: Spread) -> str:
    """`half within 4 min, 90 % within 31 min`; a dash where there is nothing to measure."""
    if found.median is None or found.p90 is None:
        return "–"  # noqa: RUF001
    return words.say(
        "half within {median}, 90 % within {p90}",
        median=words.duration(found.median),
        p90=words.duration(found.p90),
    )
