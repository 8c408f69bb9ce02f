"""What earlier incidents teach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.core.history import Past, summarise

START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def past(number: int, *, lasted: int | None, acked: int | None = None, note: str = "") -> Past:
    opened = START + timedelta(days=number)
    return Past(
        number,
        opened,
        None if lasted is None else opened + lasted * MINUTE,
        None if acked is None else opened + acked * MINUTE,
        acted=acked is not None,
        note=note,
        note_by="ana" if note else "",
    )


def test_the_first_time() -> None:
    earlier = summarise([], days=90)
    assert (earlier.count, earlier.last_incident, earlier.lasted) == (0, None, None)


def test_medians_and_the_newest_note() -> None:
    newest = past(3, lasted=None)
    earlier = summarise(
        [newest, past(2, lasted=30, acked=4, note="restarted the scorer"), past(1, lasted=10)],
        days=90,
    )
    assert earlier.count == 3
    assert earlier.lasted == 20 * MINUTE
    assert earlier.acknowledged_after == 4 * MINUTE
    assert earlier.by_itself == 1
    assert (earlier.last_incident, earlier.last_opened_at) == (3, newest.opened_at)
    assert (earlier.last_note, earlier.last_note_by) == ("restarted the scorer", "ana")
