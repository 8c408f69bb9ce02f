"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real webhook bodies, byte for byte; see its README."""
    return RECORDINGS
