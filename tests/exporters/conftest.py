"""Exporters that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from app.exporters.exporter import Watching
from tests.exporters.tables import watching


@pytest.fixture
def watched() -> Iterator[Callable[..., Watching]]:
    """Makes the exporter for one table; see `tables.watching`."""
    with ExitStack() as stack:

        def make(url: Any, **section: Any) -> Watching:
            made = watching(url, **section)
            stack.callback(made.close)
            return made

        yield make
