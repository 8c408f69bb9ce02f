"""The index of words and the count of changes, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from app.core.alerts import Alert, AlertStatus
from app.core.copying import replace
from app.core.incidents import Incident, Status
from app.core.matchers import parse_matchers
from app.core.searching import MOST_ALERTS, Document
from app.core.transitions import AlertState, Ending
from app.store import feed, incidents, texts
from app.store.database import Database, Transaction
from app.store.feed import Position
from app.store.incidents import Saved
from app.store.queries import Search, find, page
from app.store.texts import Behind

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def opened(number: int, name: str, **labels: str) -> Saved:
    incident = Incident(
        key=f"key-{number}",
        receivers=("oncall",),
        opened_at=NOW + timedelta(minutes=number),
        updated_at=NOW,
        title=f"{name}: it's \\ a 'transação'",
        labels={"alertname": name},
        firing=1,
    )
    alert = Alert(f"f{number}", AlertStatus.FIRING, {"alertname": name, **labels}, {}, NOW)
    return Saved(incident, [AlertState(alert, reported_at=NOW)], [])


async def index(db: Database) -> None:
    while (new := await db.read(texts.behind, limit=2)).to_change != new.from_change:
        await db.write(texts.keep, new)


async def found(db: Database, **search: object) -> list[int]:
    return [each.id for each in await db.read(find, Search(**search))]  # type: ignore[arg-type]


SEARCHES: list[tuple[dict[str, object], list[int]]] = [
    ({"text": "kafka"}, [3, 1]),
    ({"text": "kafka lag"}, [1]),
    ({"text": "api"}, [2, 1]),
    ({"text": "ap la"}, [1]),
    ({"text": "api 7"}, [1]),
    ({"text": "small fi api-8"}, [2]),
    ({"text": '"api 7"'}, [1]),
    ({"text": "transacao"}, [3, 2, 1]),
    ({"text": "it's \\"}, [3, 2, 1]),
    ({"text": "nothing"}, []),
    ({"text": "%"}, []),
    ({"labels": [("alertname", ["KafkaLag", "Other"])]}, [1]),
    ({"receivers": ["oncall"], "sort": "opened_at"}, [1, 2, 3]),
    ({"receivers": ["on"]}, []),
    ({"matchers": parse_matchers('pod="api-7"')}, [1]),
    ({"matchers": parse_matchers('pod=~"api-.*",alertname!="KafkaLag"')}, [2]),
    ({"matchers": parse_matchers('pod=""')}, [3]),
]


async def test_the_same_is_found_before_and_after_it_is_indexed(db: Database) -> None:
    story = [
        opened(1, "KafkaLag", pod="api-7"),
        opened(2, "SmallFiles", pod="api-8"),
        opened(3, "KafkaDown"),
    ]
    await db.write(incidents.save, story)
    for _ in range(2):
        for search, numbers in SEARCHES:
            assert await found(db, **search) == numbers, search
        await index(db)
    assert await db.read(texts.indexed) == 3


BEGUN: list[tuple[dict[str, object], list[int]]] = [
    ({"text": "p1"}, [29, *range(19, 9, -1), 1]),
    ({"text": "api-"}, list(range(29, 9, -1))),
    ({"text": "api 1"}, list(range(19, 9, -1))),
    ({"text": "pod-api-2"}, list(range(29, 19, -1))),
    ({"text": '"api 2"'}, []),
    ({"text": "p", "labels": [("zone", ["b"])]}, [28, 26, 24, 22, 20, 8, 6, 4, 2]),
    ({"text": "p api", "labels": [("zone", ["b"])], "receivers": ["oncall"]}, [28, 26, 24, 22, 20]),
    ({"text": "p api", "matchers": parse_matchers('zone="b",pod!="api-28"')}, [26, 24, 22, 20]),
    ({"text": "p nothing"}, []),
]
"""Words that more begin with than are looked up one by one."""


async def test_a_word_that_is_begun_in_many_ways(db: Database) -> None:
    def zone(number: int) -> str:
        return "a" if number % 2 or 10 <= number < 20 else "b"

    story = [
        opened(n, "KafkaLag", pod=f"api-{n}" if n >= 10 else f"p{n}", zone=zone(n), other=f"p{n}")
        for n in range(1, 30)
    ]
    story[28] = opened(29, "KafkaLag", pod="api-29", zone="a", other="p1")
    await db.write(incidents.save, story)
    for _ in range(2):
        for search, numbers in BEGUN:
            assert await found(db, **search) == numbers, search
        await index(db)


async def test_what_changes_is_indexed_anew_and_what_goes_is_forgotten(db: Database) -> None:
    (saved,) = await db.write(incidents.save, [opened(1, "KafkaLag")])
    await index(db)
    over = replace(
        saved, title="other", status=Status.RESOLVED, resolved_at=NOW, ending=Ending.RESOLVED
    )
    await db.write(incidents.save, [Saved(over, [], [])])
    await index(db)
    assert await found(db, text="transacao") == []
    assert await found(db, text="other") == [1]
    await db.write(incidents.purge, before=NOW + timedelta(1), limit=10)

    def left(tx: Transaction) -> int:
        return tx.scalar(sa.text("SELECT count(*) FROM texts")) or 0

    assert await db.read(left) == 0
    assert await found(db, text="other") == []


async def test_changes_are_counted_on(db: Database) -> None:
    saved = await db.write(incidents.save, [opened(n, "A") for n in range(1, 4)])
    start = await db.read(feed.position)
    assert start.change == 3
    await db.write(incidents.save, [Saved(saved[1], [], []), Saved(saved[0], [], [])])
    changed = await db.read(feed.changed, start, limit=10)
    assert (list(changed.numbers), changed.more) == ([2, 1], False)
    part = await db.read(feed.changed, Position(), limit=2)
    assert (list(part.numbers), part.more, part.position.change) == ([3, 2], True, 4)
    rest = await db.read(feed.changed, part.position, limit=2)
    assert (list(rest.numbers), rest.more) == ([1], False)


async def test_a_matcher_that_fits_few_goes_on_page_by_page(db: Database) -> None:
    story = [opened(n, "A", pod=f"p{n}") for n in range(1, 4_200)]
    await db.write(incidents.save, story)
    search = Search(matchers=parse_matchers('pod=~"p1"'))
    first = await db.read(page, search)
    assert (first.incidents, first.after is not None) == ([], True)
    second = await db.read(page, replace_after(search, first.after))
    assert [each.id for each in second.incidents] == [1]
    assert second.after is None


def replace_after(search: Search, after: tuple[datetime | int, int] | None) -> Search:
    return Search(matchers=search.matchers, after=after)


async def test_an_incident_of_many_alerts_is_indexed_in_part_and_found_whole(db: Database) -> None:
    one = opened(1, "PodRestarting", pod="api")
    many = [
        AlertState(
            Alert(f"f{n:03}", AlertStatus.FIRING, {"alertname": "A", "pod": f"p{n}"}, {}, NOW),
            reported_at=NOW,
        )
        for n in range(MOST_ALERTS + 50)
    ]
    storm = replace(one.incident, key="storm", firing=len(many), title="a storm")
    await db.write(incidents.save, [one, Saved(storm, many, [])])
    for _ in range(2):
        assert await found(db, matchers=parse_matchers(f'pod="p{MOST_ALERTS + 49}"')) == [2]
        assert await found(db, matchers=parse_matchers('pod="p0"')) == [2]
        assert await found(db, matchers=parse_matchers('pod="api"')) == [1]
        assert await found(db, matchers=parse_matchers('pod="p999"')) == []
        assert await found(db, text="storm p0") == [2]
        await index(db)


async def test_receivers_are_found_by_their_very_name(db: Database) -> None:
    names = ["storage", "Storage", 'a"b', "a\\b", "50%", "50_", "ação"]
    story = [opened(n, "A") for n, _ in enumerate(names, 1)]
    await db.write(
        incidents.save,
        [
            # More alerts than are read: the index says perhaps of it.
            Saved(replace(each.incident, receivers=(name,), firing=MOST_ALERTS + 1), [], [])
            for each, name in zip(story, names, strict=True)
        ],
    )
    for _ in range(2):
        for number, name in enumerate(names, 1):
            assert await found(db, receivers=[name]) == [number], name
        assert await found(db, receivers=["STORAGE", "50", "a"]) == []
        await index(db)


async def test_a_step_of_the_index_is_bounded_by_alerts(db: Database) -> None:
    story = [opened(n, "A") for n in range(1, 21)]
    many = [Saved(replace(s.incident, firing=1_000), s.states, []) for s in story]
    await db.write(incidents.save, many)
    first = await db.read(texts.behind, limit=100)
    assert sorted(first.documents) == [1, 2]
    await index(db)
    assert await db.read(texts.indexed) == 20


def hashes(number: int, count: int) -> str:
    return " ".join(sha256(f"{number}-{n}".encode()).hexdigest() for n in range(count))


async def test_a_text_that_is_too_long_is_indexed_in_part_and_holds_nothing_up(
    db: Database,
) -> None:
    long = [
        AlertState(
            Alert(f"{n:02}", AlertStatus.FIRING, {"pod": f"p{n}"}, {"said": hashes(n, 1_060)}, NOW),
            reported_at=NOW,
        )
        for n in range(16)
    ]
    one = opened(1, "SmallFiles").incident
    await db.write(incidents.save, [Saved(replace(one, firing=16), long, []), opened(2, "Kafka")])
    for _ in range(2):
        assert await found(db, text="kafka") == [2]
        assert await found(db, text="smallfiles transacao pod-p15") == [1]
        assert await found(db, text=hashes(0, 2)) == [1]
        assert await found(db, text=hashes(15, 1_060)[-64:]) == []
        assert await found(db, matchers=parse_matchers('pod="p15"')) == [1]
        await index(db)
    assert await db.read(texts.indexed) == 2


async def test_what_the_database_never_takes_is_set_aside(db: Database) -> None:
    await db.write(incidents.save, [opened(n, "KafkaLag", pod=f"p{n}") for n in (1, 2, 3)])
    new = await db.read(texts.behind, limit=10)
    huge = Document(["x" * 5_000], new.documents[2].labels)
    documents = {**new.documents, 2: huge}
    aside = await db.write(texts.keep, Behind(documents, new.from_change, new.to_change))
    assert aside == ([2] if db.replicated else [])
    assert await db.read(texts.indexed) == 3
    assert await found(db, text="kafka") == [3, 1]
    assert await found(db, matchers=parse_matchers('pod="p2"')) == [2]
