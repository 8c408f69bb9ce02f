"""The log counted by the database, on both kinds of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.core.incidents import Entry, EntryKind, Incident, Status
from app.core.transitions import Ending
from app.store import incidents, schema, stats
from app.store.database import Database, Transaction
from app.store.incidents import Saved
from app.store.stats import Stretch

START = datetime(2026, 11, 23, 6, 0, 0, 250_000, tzinfo=UTC)
EVER = Stretch(START - timedelta(days=1), START + timedelta(days=365))
LABELS = {"alertname": "KafkaLag", "component": "kafka", "severity": "critical"}


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def over(seconds: float, ending: Ending = Ending.RESOLVED, **more: Any) -> Incident:
    """An incident that lasted so long."""
    known: dict[str, Any] = {
        "status": Status.RESOLVED,
        "resolved_at": after(seconds),
        "ending": ending,
    }
    return incident(**known, **more)


def incident(labels: Mapping[str, str] = LABELS, **more: Any) -> Incident:
    known: dict[str, Any] = {"opened_at": START, "updated_at": START, "severity": "critical"}
    return Incident("key", ("oncall",), labels=labels, **{"occurrences": 1} | known | more)


def did(kind: EntryKind, seconds: float) -> Entry:
    return Entry(kind, after(seconds), "Ana")


async def keep(db: Database, *stories: tuple[Incident, *tuple[Entry, ...]]) -> None:
    saved = [Saved(each, (), entries) for each, *entries in stories]
    await db.write(incidents.save, saved)


async def test_how_long_it_took_is_counted_in_steps(db: Database) -> None:
    lengths = [0.0, 59.9, 119.4, 129.9, 3_599.0, 3_661.0, 86_400 + 3_599.0, -5.0]
    await keep(db, *((over(seconds),) for seconds in lengths))
    found = await db.read(lambda tx: list(stats.counted(tx, EVER)))
    assert sorted((each.lasted, each.incidents) for each in found) == [
        (0, 2),  # a clock that was set back is no negative time
        (59, 1),
        (119, 1),
        (120, 1),
        (3_590, 1),
        (3_660, 1),
        (86_400, 1),
    ]


async def test_the_first_acknowledgement_counts_whatever_became_of_it(db: Database) -> None:
    ack, unack = EntryKind.ACKNOWLEDGED, EntryKind.UNACKNOWLEDGED
    await keep(
        db,
        (incident(), did(EntryKind.OPENED, 0)),
        (over(9), did(ack, 30), did(unack, 40), did(ack, 50)),
        (incident(reopened=1), did(ack, 70), did(EntryKind.REOPENED, 500), did(ack, 600)),
    )
    found = await db.read(lambda tx: list(stats.waits(tx, EVER)))
    assert sorted((each.waited, each.incidents) for each in found) == [(30, 1), (70, 1)]


ACTED = [EntryKind.ACKNOWLEDGED, EntryKind.ASSIGNED, EntryKind.NOTE, EntryKind.SILENCED]
NOT_ACTED = [EntryKind.OPENED, EntryKind.SILENCE_FOUND, EntryKind.CHANGE, EntryKind.REPLIES_MUTED]


async def test_what_nobody_acted_on(db: Database) -> None:
    await keep(
        db,
        *((over(299), did(kind, 1)) for kind in NOT_ACTED),
        *((over(299), did(kind, 1)) for kind in ACTED),
        (over(299, Ending.NO_LONGER_REPORTED),),
        (over(299, Ending.BY_PERSON),),
        (over(299, reopened=1),),
        (over(301),),
        (incident(),),
    )
    whole = (await db.read(stats.summary, EVER)).whole
    assert (whole.opened, whole.resolved, whole.triggered) == (13, 12, 1)
    assert whole.unattended == len(NOT_ACTED) + 3  # no longer reported, came back, took longer
    assert whole.short_lived == len(NOT_ACTED) + 1


async def test_what_it_is_counted_under(db: Database) -> None:
    grouped = incident({"component": "spark"}, group_labels={"alertname": "Grouped"})
    await keep(
        db,
        (incident(model="pix-fraud", model_version="3", occurrences=7, reopened=2),),
        (grouped,),
        (incident({}, severity="none"),),
        (incident({"alertname": "NUL\0 \"quoted'", "component": "kafka"}),),
    )
    found = await db.read(stats.summary, EVER)
    hostile = {row.name for row in found.by_alertname} - {"KafkaLag", "Grouped", None}
    assert len(hostile) == 1
    assert {row.name for row in found.by_component} == {"kafka", "spark", None}
    assert {row.name for row in found.by_severity} == {"critical", "none"}
    versions = {(row.name, row.version) for row in found.by_model_version}
    assert versions == {("pix-fraud", "3"), (None, None)}
    assert (found.whole.notifications, found.whole.refires) == (10, 2)


async def test_incidents_about_ourselves_are_counted_apart(db: Database) -> None:
    ours = {"alertname": "PlantaoDeliveryFailing", "component": "plantao", "source": "plantao"}
    theirs = {"alertname": "PlantaoDown", "component": "plantao"}
    await keep(db, (incident(ours),), (incident(theirs),))
    found = await db.read(stats.summary, EVER)
    assert [row.name for row in found.by_alertname] == ["PlantaoDown"]
    assert await db.read(stats.about_ourselves, EVER) == 1


async def test_only_what_was_opened_in_the_stretch(db: Database) -> None:
    await keep(db, *((incident(opened_at=after(n)),) for n in (0, 10, 20)))
    stretch = Stretch(after(0), after(20))
    assert (await db.read(stats.summary, stretch)).whole.opened == 2


async def test_what_is_open_now(db: Database) -> None:
    taken = incident(status=Status.ACKNOWLEDGED)
    await keep(db, (incident(),), (incident(),), (taken,), (over(9),))
    assert sorted(await db.read(stats.open_now)) == [
        ("acknowledged", "critical", 1),
        ("triggered", "critical", 2),
    ]


def _plan(tx: Transaction) -> str:
    plans: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("EXPLAIN"):
            plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(row[3]) for row in plan)

    sa.event.listen(tx, "before_cursor_execute", note)
    list(stats.counted(tx, EVER))
    list(stats.waits(tx, EVER))
    stats.open_now(tx)
    return "\n".join(plans)


async def test_sqlite_uses_the_indexes(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'test.db'}")
    try:
        await db.write(schema.migrate)
        plan = await db.read(_plan)
    finally:
        db.close()
    assert "COVERING INDEX timeline_of_people (incident_id=?" in plan
    assert "incidents_by_opening (opened_at>? AND opened_at<?)" in plan
    assert "incidents_by_status (status=?)" in plan
