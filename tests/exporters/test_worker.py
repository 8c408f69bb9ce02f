"""The process that reads tables: what hangs in it is ended, what dies in it is started again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from app.exporters.rounds import Trouble
from app.exporters.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.stop()


def test_a_call_is_made_elsewhere_and_the_next_in_the_same_place(worker: Worker) -> None:
    first = worker.call(os.getpid, within=60)
    assert first != os.getpid()
    assert worker.call(os.getpid, within=60) == first


def test_what_hangs_is_ended(worker: Worker) -> None:
    first = worker.call(os.getpid, within=60)
    with pytest.raises(Trouble, match="No answer") as caught:
        worker.call(time.sleep, 3600, within=0.05)
    assert caught.value.kind == "timeout"
    assert worker.call(os.getpid, within=60) != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_what_raises_is_told(worker: Worker) -> None:
    with pytest.raises(Trouble, match="ZeroDivisionError: ") as caught:
        worker.call(divmod, 1, 0, within=60)
    assert caught.value.kind == "other"


def test_what_dies_is_started_again(worker: Worker) -> None:
    with pytest.raises(Trouble, match="died"):
        worker.call(os._exit, 1, within=60)
    assert worker.call(os.getpid, within=60) != os.getpid()
