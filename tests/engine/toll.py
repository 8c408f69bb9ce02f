"""A toll on the way to Alertmanager: a test can strike before or after what is asked there."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.neighbours.serving import Answer, LoopbackServer, Request


class Toll(LoopbackServer):
    """Passes everything on to `url`. The next request with `method` calls `strike`, once: before
    it is passed on, or `after`, with the answer still here."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._to = url
        self._method = ""
        self._after = False
        self._strike: Callable[[], None] = lambda: None

    def strike(self, method: str, then: Callable[[], None], *, after: bool) -> None:
        self._method, self._strike, self._after = method, then, after

    def answer(self, request: Request) -> Answer:
        struck = request.method == self._method
        if struck:
            self._method = ""
        if struck and not self._after:
            self._strike()
            return Answer(status=502)
        passed = self._pass_on(request)
        if struck:
            self._strike()
        return passed

    def _pass_on(self, request: Request) -> Answer:
        kind = request.headers.get("Content-Type") or "application/json"
        answer = httpx.request(
            request.method,
            self._to + request.path,
            content=request.body,
            headers={"Content-Type": kind},
            trust_env=False,
        )
        return Answer(answer.status_code, answer.content, answer.headers.get("Content-Type", ""))
