"""Rounds: what hangs counts as not seen, and what is wrong is told once."""

from __future__ import annotations

import threading

import pytest

from app.exporters.rounds import Rounds, Trouble
from tests.neighbours.processes import eventually


def rounds(look: object, **how: float) -> Rounds[str]:
    given = {"interval": 0.01, "deadline": 60.0, **how}
    return Rounds("t", look, ("timeout", "other"), **given)  # type: ignore[arg-type]


def test_what_hangs_is_not_seen_until_it_answers() -> None:
    go_on, hangs = threading.Event(), threading.Event()

    def look(_now: float) -> tuple[str, list[Trouble]]:
        if hangs.is_set():
            go_on.wait(60)
        return "seen", []

    found = rounds(look, deadline=0.05)
    found.start()
    eventually(lambda: found.latest().seen == "seen")
    hangs.set()
    eventually(lambda: found.latest().seen is None)
    assert found.latest().at is not None
    assert found.errors["timeout"] == 1, "once for each look that hangs"
    hangs.clear()
    go_on.set()
    eventually(lambda: found.latest().seen == "seen")


def test_what_hung_and_then_says_so_is_counted_once() -> None:
    go_on = threading.Event()

    def look(_now: float) -> tuple[str, list[Trouble]]:
        go_on.wait(60)
        raise Trouble("No answer.", "timeout")

    found = rounds(look, deadline=0.01, interval=60)
    found.start()
    eventually(lambda: found.errors["timeout"] == 1 if found.latest().at else False)
    go_on.set()
    eventually(lambda: found.latest().seconds is not None)
    assert found.errors["timeout"] == 1


def test_a_panic_is_a_trouble_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    class Panic(BaseException):
        """As pyo3's is."""

    def look(_now: float) -> tuple[str, list[Trouble]]:
        raise Panic("index out of bounds")

    found = rounds(look)
    found.once()
    found.once()
    assert (found.latest().seen, found.errors["other"]) == (None, 2)
    assert capsys.readouterr().out.count("index out of bounds") == 1, "told once"


def test_no_look_no_answer() -> None:
    found = rounds(lambda _now: ("seen", []))
    assert found.latest().at is None
