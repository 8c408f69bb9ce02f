"""Which version of a model served at a moment, and what of its metrics to show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.alerts import Labels
from app.core.facts import Change, Witness
from app.core.registry import Kind, by_number, number


@dataclass(frozen=True, slots=True)
class Choice:
    """The version that served, by which witness; `alias` is "" where none is known to name it.

    `previous` carried the alias before it, "" if unknown. `versions` are all that served.
    """

    version: str
    witness: Witness
    alias: str = ""
    run_id: str = ""
    since: datetime | None = None
    previous: str = ""
    versions: tuple[str, ...] = ()


def choose(
    model: str,
    alias: str,
    at: datetime,
    *,
    serving: Iterable[Labels] = (),
    moves: Iterable[Change] = (),
    aliases: Mapping[str, str] | None = None,
    preferred: str = "",
) -> Choice | None:
    """The version of `model` that served at `at`, or None if no witness names one.

    The serving processes know best (`serving`: the labels of their gauge at that moment), then
    our record of alias moves (`moves`; the first one after `at` tells what was before it),
    then the registry as of now (`aliases`). Of several that served it is the `preferred` one
    (the alert names it), the one with the alias, or the newest.
    """
    history = _of_alias(moves, model, alias)
    recorded = carrier(history, at)
    named = recorded if recorded is not None else (aliases or {}).get(alias, "")
    seen = _seen(serving, model)
    if seen:
        labels = _one_of(seen, alias, named, preferred)
        version, run_id = number(labels["version"]), labels.get("run_id", "")
        witness = Witness.SERVING
        carried = labels.get("alias") or (alias if version == named else "")
    elif named:
        version, run_id, carried = named, "", alias
        witness = Witness.REGISTRY if recorded is None else Witness.RECORDED
    else:
        return None
    # What another alias brought here has no history under this one.
    since, previous = _tenure(history, version, at) if carried in ("", alias) else (None, "")
    versions = tuple(sorted(seen, key=by_number)) or (version,)
    return Choice(version, witness, carried, run_id, since, previous, versions)


def challenger(
    model: str,
    alias: str,
    at: datetime,
    *,
    moves: Iterable[Change],
    aliases: Mapping[str, str],
) -> str:
    """The version that carried the challenger's alias at `at`, else that carries it now, or ""."""
    recorded = carrier(_of_alias(moves, model, alias), at)
    return aliases.get(alias, "") if recorded is None else recorded


def carrier(history: Sequence[Change], at: datetime) -> str | None:
    """The version that the alias named at `at`: "" for none, None if nothing tells.

    `history` is one alias' moves, the oldest first. Of a moment in which nobody looked, and
    somewhere in which it was moved, nothing tells.
    """
    if any(change.earliest < at < change.at for change in history):
        return None
    before = [change for change in history if change.at <= at]
    if before:
        return before[-1].labels.get("version", "")
    return next((change.labels.get("previous") for change in history), None)


def _of_alias(changes: Iterable[Change], model: str, alias: str) -> list[Change]:
    kinds = (Kind.ALIAS_MOVED.value, Kind.ALIAS_DELETED.value)
    mine = (
        change
        for change in changes
        if change.kind in kinds
        and change.labels.get("model") == model
        and change.labels.get("alias") == alias
    )
    return sorted(mine, key=lambda change: (change.at, change.id))


def _seen(serving: Iterable[Labels], model: str) -> dict[str, Labels]:
    """The gauge's label sets by version; of two for a version the one that says more."""
    found: dict[str, Labels] = {}
    for labels in serving:
        version = number(labels.get("version", ""))
        told = sum(map(bool, labels.values()))
        if version and labels.get("model", model) == model:
            best = found.get(version)
            if best is None or told > sum(map(bool, best.values())):
                found[version] = labels
    return found


def _one_of(seen: Mapping[str, Labels], alias: str, named: str, preferred: str) -> Labels:
    if number(preferred) in seen:
        return seen[number(preferred)]
    newest_first = sorted(seen, key=by_number, reverse=True)
    with_alias = [version for version in newest_first if seen[version].get("alias") == alias]
    if with_alias:
        return seen[with_alias[0]]
    return seen[named if named in seen else newest_first[0]]


def _tenure(history: Sequence[Change], version: str, at: datetime) -> tuple[datetime | None, str]:
    """Since when the alias had named `version`, as far as that was seen, and the one before."""
    until_then = [change for change in history if change.at <= at]
    while until_then and until_then[-1].labels.get("version") != version:
        until_then.pop()
    since, previous = None, ""
    # An alias may have been set anew to what it named already: the first time counts.
    while until_then and until_then[-1].labels.get("version") == version:
        change = until_then.pop()
        since = None if change.vague else change.at
        previous = _other(change.labels.get("previous"), version) or previous
    if not previous and until_then:
        labels = until_then[-1].labels
        previous = labels.get("version") or labels.get("previous", "")
    return since, previous


def _other(version: str | None, than: str) -> str:
    return version if version and version != than else ""


# --- which metrics tell something

_NEVER = ("system/",)
_TRAINING = ("train", "training")
_MOST = 4


def telling(current: Mapping[str, float], previous: Mapping[str, float] | None) -> tuple[str, ...]:
    """The names of the metrics worth showing, at most four.

    First those that both versions have, evaluation before training, changed before unchanged;
    then by name. Never what a machine measured of itself, or what is no number.
    """
    other = previous or {}

    def weight(name: str) -> tuple[bool, bool, bool, str]:
        return (
            name not in other,
            name.lower().startswith(_TRAINING),
            other.get(name) == current[name],
            name,
        )

    usable = (
        name
        for name, value in current.items()
        if math.isfinite(value) and not name.startswith(_NEVER)
    )
    return tuple(sorted(usable, key=weight)[:_MOST])


def shown(metrics: Mapping[str, float], names: Iterable[str]) -> dict[str, float]:
    """Those of the metrics that have these names and are numbers."""
    return {
        name: metrics[name] for name in names if name in metrics and math.isfinite(metrics[name])
    }
