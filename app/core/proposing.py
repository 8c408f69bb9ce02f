"""Which matchers silence the chosen alerts, and as few others as can be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce

from app.core.alerts import Labels, shared
from app.core.matchers import Matcher
from app.core.silences import mutes

_NAME = "alertname"
_MOST_VALUES = 50
# What Go's regexp.QuoteMeta escapes; Python's re.escape escapes more than people can read.
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def propose(chosen: Sequence[Labels], others: Iterable[Labels]) -> tuple[Matcher, ...]:
    """The labels that the chosen alerts share, narrowed while that keeps other alerts out.

    The alert's name is always among them, if all of them have one. Labels in which they differ
    are asked for where the shared ones fit another alert, too: first what keeps most out.
    """
    common = reduce(shared, chosen) if chosen else {}
    matchers = [Matcher(name, "=", common[name]) for name in sorted(common, key=_rank)]
    narrower = _one_ofs(chosen, common)
    named = [matcher for matcher in narrower if matcher.name == _NAME]
    matchers = [*named, *matchers]
    candidates = [matcher for matcher in narrower if matcher not in named]
    astray = [labels for labels in others if mutes(matchers, labels)]
    while astray and candidates:
        left = [sum(map(each.matches, astray)) for each in candidates]
        if min(left) == len(astray):
            break
        best = candidates.pop(left.index(min(left)))
        matchers.append(best)
        astray = [labels for labels in astray if best.matches(labels)]
    return tuple(matchers)


def _rank(name: str) -> tuple[bool, str]:
    return (name != _NAME, name)


def _one_ofs(chosen: Sequence[Labels], common: Labels) -> list[Matcher]:
    """For each label that all have and not all share: one of its values. Fewest values first."""
    names = set[str].intersection(*(set(labels) for labels in chosen)) if chosen else set()
    found = []
    for name in sorted(names - common.keys()):
        values = sorted({labels[name] for labels in chosen})
        if len(values) <= _MOST_VALUES:
            quoted = "|".join(_SPECIAL.sub(r"\\\g<0>", value) for value in values)
            found.append((len(values), Matcher(name, "=~", quoted)))
    return [matcher for _, matcher in sorted(found, key=lambda each: (each[0], each[1].name))]
