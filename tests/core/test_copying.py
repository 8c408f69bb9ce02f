"""A copy with changes is what the standard library makes of the same."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from app.core.copying import replace
from app.core.incidents import Incident

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
INCIDENT = Incident(key="k", receivers=("o",), opened_at=NOW, updated_at=NOW, labels={"a": "b"})


def test_the_copy_has_the_changes_and_everything_else() -> None:
    later = NOW + timedelta(minutes=1)
    copy = replace(INCIDENT, revision=3, updated_at=later)
    assert copy == dataclasses.replace(INCIDENT, revision=3, updated_at=later)
    assert (INCIDENT.revision, INCIDENT.updated_at) == (0, NOW)


def test_the_copy_is_frozen_and_can_be_copied_on() -> None:
    copy = replace(INCIDENT, revision=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        copy.revision = 4  # type: ignore[misc]
    assert replace(copy, title="t") == dataclasses.replace(INCIDENT, revision=3, title="t")
