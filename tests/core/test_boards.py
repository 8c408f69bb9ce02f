"""Which board an incident leads to, and from when until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core.boards import BOARDS, board
from app.core.incidents import Incident

THREE = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
TWO = 1795410000000  # milliseconds since 1970, an hour before


def incident(component: str, resolved_at: datetime | None = None) -> Incident:
    return Incident(
        key="k",
        receivers=("oncall",),
        opened_at=THREE,
        updated_at=THREE,
        labels={"component": component} if component else {},
        resolved_at=resolved_at,
    )


@pytest.mark.parametrize(
    ("component", "name"),
    [("kafka", "ingestion"), ("model", "quality"), ("checkout", "overview"), ("", "overview")],
)
def test_the_component_s_own_until_now(component: str, name: str) -> None:
    found = board(incident(component), "https://grafana.example/base")
    assert found == f"https://grafana.example/base/d/pix-fraud-{name}?from={TWO}&to=now"


def test_a_little_past_its_end() -> None:
    ended = incident("kafka", THREE + timedelta(hours=1))
    assert board(ended, "https://g").endswith(f"?from={TWO}&to={TWO + (60 + 60 + 15) * 60_000}")


def test_nothing_else_stands_for_the_overview() -> None:
    assert "overview" not in BOARDS.values()
