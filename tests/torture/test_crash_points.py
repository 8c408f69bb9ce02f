"""Without chance: a crash at each step of delivery, before the call, after it, after the record.

Each point has a channel and an incident of its own. In each, the service is held in a call:
either the call has not reached Slack, so that the step before is recorded and this one is
leased, or it has, and the answer is not there yet. Then comes one kill -9 for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.house import alert, notification
from tests.neighbours.processes import eventually
from tests.torture.town import Town, town

pytestmark = pytest.mark.flaky(reruns=0)  # what is lost once is lost


@dataclass(frozen=True, slots=True)
class Step:
    """One call, as a fault finds it: of this method, after so many others of the kind."""

    method: str
    only: str | None = None
    skip: int = 0


ROOT = Step("chat.postMessage", "root")
DETAILS = REPLY = Step("chat.postMessage", "reply")
EDIT = Step("chat.update")
EDIT_DETAILS = Step("chat.update", skip=1)
HELD = ("hang", "record_then_hang")

OPENS = [("firing", "a")]
GROWS = [*OPENS, ("firing", "b")]
ENDS = [*GROWS, ("resolved", "ab")]


def hold(place: Town, channel: int, step: Step, kind: str) -> None:
    """The service's call at this step will hang, for longer than it waits."""
    how = {"method": step.method, "only": step.only, "skip": step.skip, "seconds": 120}
    place.slack.fault(kind, channel=f"torture-{channel}", **how)


def tell(place: Town, channel: int, status: str, instances: str) -> None:
    alerts = [
        alert(f"Crash{channel}", status=status, channel=str(channel), instance=name)
        for name in instances
    ]
    assert place.service.post(notification(*alerts)).status_code == 202


def struck(place: Town) -> int:
    faults: list[dict[str, Any]] = place.slack.get("faults")
    return sum(fault["struck"] for fault in faults)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("story", "steps"),
    [
        (OPENS, [ROOT, DETAILS]),
        (GROWS, [EDIT, REPLY, EDIT_DETAILS]),
        (ENDS, [EDIT, REPLY, EDIT_DETAILS]),
    ],
    ids=["opens", "grows", "ends"],
)
def test_a_crash_at_each_step(
    tmp_path: Path, story: Sequence[tuple[str, str]], steps: Sequence[Step]
) -> None:
    points = list(enumerate(product(steps, HELD)))
    *before, last = story
    with town(tmp_path, channels=len(points)) as place:
        place.service.start()
        for event in before:
            for channel, _ in points:
                tell(place, channel, *event)
            place.settle(within=60)
        for channel, (step, held) in points:
            hold(place, channel, step, held)
            tell(place, channel, *last)
        eventually(lambda: struck(place) == len(points), within=60, what="every point reached")
        place.service.kill()
        place.trust()
        place.service.start()
        place.settle(within=60)
        place.assert_true()
        assert len(place.service.incidents()) == len(points)
        place.service.process.stop()


@pytest.mark.timeout(300)
def test_a_crash_while_it_looks_for_what_a_crash_left(tmp_path: Path) -> None:
    with town(tmp_path, channels=1) as place:
        hold(place, 0, ROOT, "record_then_hang")
        place.service.start()
        tell(place, 0, "firing", "a")
        eventually(lambda: struck(place) == 1, what="the root held")
        for method in ("conversations.list", "conversations.history", "conversations.replies"):
            place.service.kill()
            place.slack.control("clear_faults")
            place.slack.fault("hang", method=method, seconds=120)
            place.service.start()
            eventually(lambda: struck(place) == 1, what="the survey held")
        place.service.kill()
        place.trust()
        place.service.start()
        place.settle(within=60)
        place.assert_true()
        place.service.process.stop()
