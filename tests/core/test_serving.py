"""Which version served, by which witness, since when; and which metrics are worth showing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest

from app.core.facts import Change, Witness
from app.core.registry import alias_deleted, alias_moved
from app.core.serving import Choice, challenger, choose, shown, telling

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
Labels: TypeAlias = dict[str, str]


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def moved(
    minutes: float, version: str, previous: str | None = None, *, alias: str = "champion"
) -> Change:
    return alias_moved("pix-fraud", alias, version, previous=previous, at=at(minutes))


def unseen(after: float, noticed: float, version: str, previous: str) -> Change:
    """A move that somebody noticed, and that came after an earlier look."""
    return replace(moved(noticed, version, previous), not_before=at(after))


def deleted(minutes: float, previous: str = "") -> Change:
    return alias_deleted("pix-fraud", "champion", previous=previous, at=at(minutes))


def info(version: str, alias: str = "", run_id: str = "") -> Labels:
    labels = {"model": "pix-fraud", "version": version, "alias": alias, "run_id": run_id}
    return {name: value for name, value in labels.items() if value}


def choice(
    serving: list[Labels], moves: list[Change], now: str = "", *, preferred: str = ""
) -> Choice | None:
    """Asked for minute 60. `now` is what the alias names in the registry."""
    return choose(
        "pix-fraud",
        "champion",
        at(60),
        serving=serving,
        moves=moves,
        aliases={"champion": now} if now else {},
        preferred=preferred,
    )


SERVING, RECORDED, REGISTRY = Witness.SERVING, Witness.RECORDED, Witness.REGISTRY
TWICE = [moved(10, "2", "1"), moved(50, "3", "2")]


@pytest.mark.parametrize(
    ("serving", "moves", "now", "expected"),
    [
        pytest.param([], [moved(10, "2"), unseen(20, 59, "3", "2")], "4", (RECORDED, "3", None, "2"), id="a move that was only noticed has no age"),
        pytest.param([], [moved(10, "2"), unseen(50, 70, "3", "2")], "3", (REGISTRY, "3", None, ""), id="a moment in which nobody looked"),
        pytest.param([], [moved(10, "2"), unseen(61, 70, "3", "2")], "3", (RECORDED, "2", 10, ""), id="a move noticed later that came later"),
        pytest.param([info("1", "champion")], TWICE, "3", (SERVING, "1", None, ""), id="the gauge beats record and registry"),
        pytest.param([], TWICE, "4", (RECORDED, "3", 50, "2"), id="the record beats the registry"),
        pytest.param([], [], "4", (REGISTRY, "4", None, ""), id="the registry when nothing else tells"),
        pytest.param([info("3")], TWICE, "3", (SERVING, "3", 50, "2"), id="the record says since when it serves"),
        pytest.param([info("2")], TWICE, "3", (SERVING, "2", 10, "1"), id="a process that has not loaded the new one"),
        pytest.param([], [*TWICE, moved(70, "4", "3")], "4", (RECORDED, "3", 50, "2"), id="moves after the moment do not count"),
        pytest.param([], [moved(70, "4", "3")], "4", (RECORDED, "3", None, ""), id="the first move after it tells what was before"),
        pytest.param([], [moved(70, "4")], "4", (REGISTRY, "4", None, ""), id="unless it does not"),
        pytest.param([], [moved(60, "4", "3")], "4", (RECORDED, "4", 60, "3"), id="a move at the very moment counts"),
        pytest.param([], [moved(10, "2"), moved(50, "3")], "", (RECORDED, "3", 50, "2"), id="webhooks alone, without previous"),
        pytest.param([], [moved(10, "2"), moved(50, "3"), moved(55, "3")], "", (RECORDED, "3", 50, "2"), id="set anew to the same"),
        pytest.param([], [*TWICE, moved(55, "2", "3")], "", (RECORDED, "2", 55, "3"), id="rolled back"),
        pytest.param([], [moved(10, "2"), deleted(20, "2"), moved(50, "3")], "", (RECORDED, "3", 50, "2"), id="deleted in between"),
        pytest.param([], list(reversed(TWICE)), "", (RECORDED, "3", 50, "2"), id="in any order"),
        pytest.param([], [moved(50, "3", "2", alias="challenger")], "1", (REGISTRY, "1", None, ""), id="another alias' moves"),
        pytest.param([info("None")], [], "4", (REGISTRY, "4", None, ""), id="a server that does not know its version"),
        pytest.param([{"version": "v3"}], TWICE, "", (SERVING, "3", 50, "2"), id="a gauge with little to say"),
        pytest.param([{**info("9"), "model": "churn"}], TWICE, "", (RECORDED, "3", 50, "2"), id="a gauge of another model"),
    ],
)  # fmt: skip
def test_who_served(
    serving: list[Labels],
    moves: list[Change],
    now: str,
    expected: tuple[Witness, str, int | None, str],
) -> None:
    found = choice(serving, moves, now)
    assert found
    witness, version, since, previous = expected
    told = (found.witness, found.version, found.since, found.previous)
    assert told == (witness, version, at(since) if since else None, previous)


@pytest.mark.parametrize(
    ("moves", "now"),
    [
        ([], ""),
        ([*TWICE, deleted(55)], ""),
        ([*TWICE, deleted(55)], "3"),
        ([moved(70, "3", "")], "3"),
    ],
    ids=["no witness", "deleted", "deleted then, set again since", "first set after it"],
)
def test_nobody_knows(moves: list[Change], now: str) -> None:
    assert choice([], moves, now) is None


BOTH = [info("10"), info("9", "champion", "r9")]


@pytest.mark.parametrize(
    ("serving", "preferred", "version", "alias", "run_id"),
    [
        pytest.param(BOTH, "", "9", "champion", "r9", id="the one with the alias"),
        pytest.param(BOTH, "10", "10", "", "", id="the one that the alert names"),
        pytest.param(BOTH, "7", "9", "champion", "r9", id="the alert names none of them"),
        pytest.param([info("9"), info("10")], "", "10", "", "", id="the newest"),
        pytest.param([info("3"), info("10")], "", "3", "champion", "", id="the one recorded"),
        pytest.param([info("9"), info("9", "champion", "r9")], "", "9", "champion", "r9", id="the fuller of two replicas"),
        pytest.param([info("9", "challenger")], "", "9", "challenger", "", id="another alias"),
    ],
)  # fmt: skip
def test_of_several_that_served(
    serving: list[Labels], preferred: str, version: str, alias: str, run_id: str
) -> None:
    found = choice(serving, TWICE, preferred=preferred)
    assert found
    assert (found.version, found.alias, found.run_id) == (version, alias, run_id)
    assert found.versions == tuple(sorted({labels["version"] for labels in serving}, key=int))


@pytest.mark.parametrize(
    ("moves", "now", "version"),
    [
        ([], "5", "5"),
        ([], "", ""),
        ([moved(10, "4", alias="challenger")], "5", "4"),
        ([moved(70, "5", "3", alias="challenger")], "5", "3"),
    ],
)
def test_the_challenger(moves: list[Change], now: str, version: str) -> None:
    aliases = {"challenger": now} if now else {}
    found = challenger("pix-fraud", "challenger", at(60), moves=moves, aliases=aliases)
    assert found == version


@pytest.mark.parametrize(
    ("current", "previous", "names"),
    [
        pytest.param({}, {"auc": 0.9}, (), id="none"),
        pytest.param({"b": 1, "a": 1}, None, ("a", "b"), id="no previous"),
        pytest.param({"a": 1, "z": 1}, {"z": 2}, ("z", "a"), id="those of both first"),
        pytest.param({"a": 1, "z": 1}, {"a": 1, "z": 2}, ("z", "a"), id="what changed first"),
        pytest.param({"train_auc": 1, "z": 1}, {"train_auc": 2, "z": 1}, ("z", "train_auc"), id="evaluation first"),
        pytest.param(dict.fromkeys("abcdef", 1), None, ("a", "b", "c", "d"), id="at most four"),
        pytest.param({"system/cpu": 1, "a": math.nan, "b": math.inf, "c": 0}, None, ("c",), id="no noise"),
    ],
)  # fmt: skip
def test_metrics_worth_showing(
    current: dict[str, float], previous: dict[str, float] | None, names: tuple[str, ...]
) -> None:
    assert telling(current, previous) == names


def test_only_numbers_are_shown() -> None:
    assert shown({"a": 1.0, "b": math.nan, "c": 2.0}, ("a", "b", "x")) == {"a": 1.0}
