"""kill -9 at random points, under load, with a Slack that is not to be trusted either."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.torture.load import Client
from tests.torture.town import Town, town

pytestmark = pytest.mark.flaky(reruns=0)  # what is lost once is lost

ROUNDS = int(os.environ.get("PLANTAO_TORTURE_ROUNDS") or 15)
CHANNELS = 8
CLIENTS = 3
FAULTS = {
    "record_then_drop": 0.10,
    "drop": 0.06,
    "record_then_http_error": 0.04,
    "record_then_hang": 0.02,
    "hang": 0.02,
}


@contextmanager
def sending(clients: Sequence[Client]) -> Iterator[None]:
    """The clients post, whether the service is there or not; all is acknowledged in the end."""
    threads = [threading.Thread(target=client.run, name=client.name) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for client in clients:
            client.stopping.set()
        for thread in threads:
            thread.join()


def one_round(place: Town, dice: random.Random) -> None:
    """Start it, let it work for a moment, kill it; sometimes before it is up."""
    if dice.random() < 0.15:
        place.service.process.start()
    else:
        place.service.start()
    time.sleep(dice.uniform(0.3, 1.5))
    place.service.kill()


def untrustworthy(place: Town, seed: int) -> None:
    place.slack.control("clear_faults", seed=seed)
    for kind, probability in FAULTS.items():
        place.slack.fault(
            kind, probability=probability, times=None, method="chat.postMessage", seconds=15
        )
    place.slack.fault("record_then_drop", probability=0.05, times=None, method="chat.update")


@pytest.mark.timeout(300 + 20 * ROUNDS)
def test_nothing_is_lost_and_nothing_is_said_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("PLANTAO_TORTURE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"PLANTAO_TORTURE_SEED={seed}")
    dice = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
    with town(tmp_path, channels=CHANNELS) as place:
        clients = [Client(place.service, f"Client{n}x", seed + n, CHANNELS) for n in range(CLIENTS)]
        untrustworthy(place, seed)
        with sending(clients):
            for _ in range(ROUNDS):
                one_round(place, dice)
                for client in clients:
                    client.open_another()
            place.trust()
            place.service.start()
        place.settle(within=120 + 2 * ROUNDS)
        assert_all_known(place, clients)
        place.assert_true()
        place.service.process.stop()
        print(summary(place, clients))


def summary(place: Town, clients: Sequence[Client]) -> str:
    posted = sum(client.posted for client in clients)
    struck = {
        f"{'recorded, ' if fault['record'] else ''}{fault['kind']}": fault["struck"]
        for fault in place.struck
    }
    return f"{posted} bodies, {len(place.messages())} messages, faults: {struck}"


def assert_all_known(place: Town, clients: Sequence[Client]) -> None:
    """Every acknowledged alert is in an incident, with its last acknowledged status."""
    known = {
        (alert["labels"]["alertname"], alert["labels"]["instance"]): alert["status"]
        for incident in place.service.incidents()
        for alert in incident["alerts"]
        if "instance" in alert["labels"]
    }
    told = {key: status for client in clients for key, status in client.acknowledged.items()}
    assert told
    assert known == told
