"""Resident memory after 100,000 alerts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench import load, servers
from bench.bodies import bodies
from bench.figures import Figure

_BODIES = 2_000
_ALERTS = 50
_GROUPS = 200
_CONNECTIONS = 8
_MOST = 150.0  # MB
_VERIFIED = 20.0  # seconds: verify looks at every firing alert each 15, and must be in the figure


def run(folder: Path, *, quick: bool) -> Iterator[Figure | str]:
    """2,000 bodies of 50 different alerts, then the same bodies once more."""
    count = _BODIES // 10 if quick else _BODIES
    sent = list(bodies(count, alerts=_ALERTS, groups=_GROUPS))
    (folder / "first").mkdir()
    with servers.plantao(folder / "first"):
        pass  # its modules are now compiled, as pip leaves them; compiling leaves 18 MB behind
    with servers.plantao(folder) as ours:
        fresh, _ = ours.memory()
        for name in ("different alerts", "and the same once more"):
            load.storm(ours.port, sent, connections=_CONNECTIONS)
            ours.settle()
            time.sleep(_VERIFIED if not quick else 0)
            now, peak = ours.memory()
            title = f"after {count * _ALERTS:,} {name}"
            if name == "different alerts":
                yield f"Resident memory: {count:,} bodies of {_ALERTS}; fresh {fresh:.0f} MB"
            yield Figure(title, now, _MOST, "MB", "resident ÷ target", at_most=True)
            yield Figure(f"{title}, peak", peak, _MOST, "MB", "resident ÷ target", at_most=True)
