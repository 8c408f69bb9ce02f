"""What libraries would load for purposes that are not ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = ("rich", "pygments")


@contextmanager
def spared() -> Iterator[None]:
    """Let these count as not installed meanwhile. httpx and structlog take what typer brings along,
    8 MB of it and a seventh of a command's time, for a command line and for coloured tracebacks,
    neither of which we use."""
    unseen = [each for each in _UNUSED if each not in sys.modules]
    sys.modules.update(dict.fromkeys(unseen))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for each in unseen:
            del sys.modules[each]
