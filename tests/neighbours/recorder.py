"""A webhook receiver that keeps what it gets: the simplest possible neighbour of Alertmanager."""

import json
from typing import Any

from tests.neighbours.processes import eventually
from tests.neighbours.serving import Answer, LoopbackServer, Request


class Recorder(LoopbackServer):
    """Records every request and answers `status`, which a test may change at any time."""

    def __init__(self, *, status: int = 200) -> None:
        super().__init__()
        self.status = status
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
        return Answer(status=self.status)

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies received so far, oldest first."""
        with self.lock:
            return [json.loads(request.body) for request in self.requests]

    def wait_for(self, count: int = 1, *, within: float = 30.0) -> list[Any]:
        """Wait for at least `count` requests; their bodies."""
        eventually(
            lambda: len(self.requests) >= count,
            within=within,
            what=f"{count} requests at {self.url}",
        )
        return self.bodies
