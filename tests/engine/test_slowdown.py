"""How long an address waits after wrong tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.engine.slowdown import Slowdown

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def after(failures: int, address: str = "10.0.0.1") -> Slowdown:
    slowdown = Slowdown()
    for _ in range(failures):
        slowdown.failed(address, NOW)
    return slowdown


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (10, 0), (11, 1), (12, 2), (16, 32), (20, 300), (5000, 300)]
)
def test_each_mistake_costs_twice_the_last(failures: int, seconds: float) -> None:
    assert after(failures).wait("10.0.0.1", NOW) == seconds


@pytest.mark.parametrize(
    ("mistaken", "other", "waits"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_what_is_one_sender(mistaken: str, other: str, waits: bool) -> None:
    assert (after(11, mistaken).wait(other, NOW) > 0) is waits


def test_the_memory_of_it_is_bounded_and_the_latest_stay() -> None:
    slowdown = after(11)
    for number in range(10_000):
        slowdown.failed(f"10.1.{number // 250}.{number % 250}", NOW)
    assert slowdown.wait("10.0.0.1", NOW) == 0
    for _ in range(10):
        slowdown.failed("10.1.39.249", NOW)
    assert slowdown.wait("10.1.39.249", NOW) == 1


def test_a_clock_that_is_set_back_makes_no_wait_longer_than_any() -> None:
    assert after(11).wait("10.0.0.1", NOW - timedelta(days=1)) == 300
