"""Wrong tokens slow down the address that they come from, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

_FREE = 10  # mistakes, of which people and programs make some
_FIRST, _LONGEST = timedelta(seconds=1), timedelta(minutes=5)
_FORGOTTEN_AFTER = timedelta(minutes=15)
_ADDRESSES = 10_000


@dataclass(slots=True)
class _Failures:
    number: int
    last: datetime
    until: datetime


class Slowdown:
    """After ten mistakes, each costs twice the wait of the one before: 1 s, 2 s, … 5 minutes.
    A quarter of an hour without any makes up for all; a right token does not, since whoever has
    one could go on guessing at others."""

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}

    def wait(self, address: str, now: datetime) -> float:
        """Seconds until an attempt from there is looked at; 0 for now."""
        found = self._failures.get(_source(address))
        if found is None:
            return 0.0
        # A clock that was set back must not make a wait longer than any.
        left = min(found.until - now, _LONGEST)
        return max(0.0, left.total_seconds())

    def failed(self, address: str, now: datetime) -> None:
        """Somebody there had no right token."""
        source = _source(address)
        found = self._failures.pop(source, None)
        if found is None or now - found.last > _FORGOTTEN_AFTER:
            found = _Failures(0, now, now)
        found.number, found.last = found.number + 1, now
        if found.number > _FREE:
            doublings = min(found.number - _FREE - 1, 20)
            found.until = now + min(_FIRST * 2**doublings, _LONGEST)
        self._failures[source] = found  # the latest come last
        while len(self._failures) > _ADDRESSES:
            del self._failures[next(iter(self._failures))]


def _source(address: str) -> str:
    """What is counted together: an IPv6 host has a whole /64 to choose addresses from."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ip_network((parsed, 64), strict=False))
