"""Button presses as Slack posts them: signed, at a steady rate, each timed from when it was due."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from bench.load import Failed
from tests.neighbours.slack.model import SIGNING_SECRET
from tests.neighbours.slack.signing import signed_headers

_PATIENCE_SECONDS = 30.0
_ACTIONS = ("incident.acknowledge", "incident.unacknowledge")


@dataclass(slots=True)
class Pressing:
    """The presses of one measurement: they go round the incidents, and each undoes what the one
    before it on the same incident did. So each leaves an entry in that incident's timeline;
    where one is lost, so is the next one's, which then has nothing to undo."""

    url: str
    incidents: list[int]
    rate: int
    seconds: list[float] = field(default_factory=list)
    """From when each press was due to its answer, also if it was sent late."""

    async def go_on(self, enough: Callable[[], bool]) -> None:
        """Press until it is enough, and wait for the answers. Raises Failed unless all are 200."""
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            trust_env=False, timeout=_PATIENCE_SECONDS, limits=limits
        ) as http:
            start, presses = time.perf_counter(), list[asyncio.Task[None]]()
            while not enough():
                due = start + len(presses) / self.rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                presses.append(asyncio.create_task(self._press(http, len(presses), due)))
            await asyncio.gather(*presses)

    def expected(self) -> Counter[int]:
        """How many entries there must be in each incident's timeline."""
        return Counter(self._place(number)[0] for number in range(len(self.seconds)))

    def _place(self, number: int) -> tuple[int, int]:
        turn, place = divmod(number, len(self.incidents))
        return self.incidents[place], turn % 2

    async def _press(self, http: httpx.AsyncClient, number: int, due: float) -> None:
        incident, turn = self._place(number)
        body = _body(number, _ACTIONS[turn], incident)
        headers = signed_headers(SIGNING_SECRET, body, at=time.time())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = await http.post(self.url, content=body, headers=headers)
        except httpx.TransportError as error:
            raise Failed(f"press {number} had no answer: {error!r}") from error
        if answer.status_code != 200:
            raise Failed(f"press {number} was answered {answer.status_code}: {answer.text}")
        self.seconds.append(time.perf_counter() - due)


def _body(number: int, action: str, incident: int) -> bytes:
    """docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
    ts = f"{1_790_000_000 + incident}.000100"
    pressed = {
        "type": "button",
        "action_id": action,
        "block_id": "actions",
        "value": str(incident),
        "text": {"type": "plain_text", "text": "Acknowledge"},
        "action_ts": f"{time.time():.6f}",
    }
    payload = {
        "type": "block_actions",
        "user": {"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0PLANTAO"},
        "api_app_id": "A0PLANTAO",
        "team": {"id": "T0PLANTAO", "domain": "plantao"},
        "container": {"type": "message", "message_ts": ts, "channel_id": "C0FRAUDE"},
        "channel": {"id": "C0FRAUDE", "name": "fraude"},
        "trigger_id": f"{int(time.time() * 1000)}.{number}.{number:08x}",
        "actions": [pressed],
    }
    return urlencode({"payload": json.dumps(payload, separators=(",", ":"))}).encode()
