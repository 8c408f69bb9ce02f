"""On disk before the answer, as the system calls tell it: nothing here depends on a crash."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house import alert, notification
from tests.neighbours.processes import find_program
from tests.service import Service

pytestmark = pytest.mark.flaky(reruns=0)  # what is lost once is lost

_CALLS = "fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg"
_LINE = re.compile(
    r"(?P<thread>\d+)\s+(?:<\.\.\. )?(?P<call>\w+)(?:\((?P<file>\d+<[^>]*>)| resumed>)(?P<rest>.*)"
)
_UNSAFE = """
import sqlalchemy as sa
unsafe = lambda connection: connection.exec_driver_sql("PRAGMA synchronous=OFF")
sa.event.listen(sa.Engine, "begin", unsafe)
"""


@dataclass(frozen=True, slots=True)
class Done:
    """One system call at the moment it was done."""

    call: str
    file: str
    arguments: str


def done(trace: str) -> Iterator[Done]:
    """The calls in the order of their ends; those of several threads overlap."""
    begun: dict[str, Done] = {}
    for line in trace.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        if found["file"] is None:
            before = begun.pop(found["thread"], None)
            if before:
                yield before
            continue
        this = Done(found["call"], found["file"], found["rest"])
        if line.endswith("<unfinished ...>"):
            begun[found["thread"]] = this
        else:
            yield this


def too_early(calls: Sequence[Done], receipts: dict[int, str]) -> list[int]:
    """The receipts whose answer left before the log that holds their marker was synced."""
    return [number for number, marker in receipts.items() if not _in_order(calls, number, marker)]


def _in_order(calls: Sequence[Done], number: int, marker: str) -> bool:
    written = synced = False
    for each in calls:
        is_log = each.file.endswith("-wal>")
        if is_log and marker in each.arguments:
            written = True
        elif is_log and written and each.call in {"fdatasync", "fsync"}:
            synced = True
        elif "socket" in each.file and f'\\"receipt\\":{number},' in each.arguments:
            return synced
    return False


def traced(directory: Path, *, first: str = "") -> tuple[list[Done], dict[int, str]]:
    """Post webhooks to a traced service: one after another, then many at once."""
    trace = directory / "trace"
    under = [find_program("strace"), "-f", "-y", "-s", "10000", "-e", f"trace={_CALLS}"]
    service = Service(directory, under=[*under, "-o", trace], first=first)
    service.start()
    try:
        markers = [f"marker-{number:04}" for number in range(40)]
        receipts = dict(_posted(service, marker) for marker in markers[:10])
        with ThreadPoolExecutor(8) as pool:
            receipts |= dict(pool.map(lambda marker: _posted(service, marker), markers[10:]))
    finally:
        service.process.stop()
    assert len(receipts) == len(markers)
    return list(done(trace.read_text(errors="replace"))), receipts


def _posted(service: Service, marker: str) -> tuple[int, str]:
    answer = service.post(notification(alert(marker)))
    assert answer.status_code == 202
    return answer.json()["receipt"], marker


def test_every_body_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    calls, receipts = traced(tmp_path)
    assert too_early(calls, receipts) == []


def test_a_service_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    """The same look at a service whose database was told to be careless."""
    calls, receipts = traced(tmp_path, first=_UNSAFE)
    assert sorted(too_early(calls, receipts)) == sorted(receipts)


@pytest.mark.parametrize(
    ("order", "early"),
    [
        (["log", "sync", "answer"], False),
        (["log", "sync begins", "sync ends", "answer"], False),
        (["sync", "log", "answer", "sync"], True),
        (["log", "answer", "sync"], True),
        (["log", "sync begins", "answer", "sync ends"], True),
        (["sync", "answer"], True),
    ],
)
def test_the_order_that_counts(order: list[str], *, early: bool) -> None:
    lines = {
        "log": '7 pwrite64(14</d/p.db-wal>, "x marker-1 y", 4096, 56) = 4096',
        "sync": "7 fdatasync(14</d/p.db-wal>)      = 0",
        "sync begins": "7 fdatasync(14</d/p.db-wal> <unfinished ...>",
        "sync ends": "7 <... fdatasync resumed>)      = 0",
        "answer": '8 write(22<socket:[1]>, "{\\"receipt\\":1,\\"state\\"", 32) = 32',
    }
    calls = list(done("\n".join(lines[step] for step in order)))
    assert bool(too_early(calls, {1: "marker-1"})) is early
