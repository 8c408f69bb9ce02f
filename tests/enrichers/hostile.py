"""A server that answers as Prometheus does, or as badly as a test wishes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.neighbours.serving import Answer, LoopbackServer, Request

Form = Mapping[str, str]
Bad = Callable[[str, Form], Answer | None]
EXPRESSION = "latency_seconds > 0.2"
SERIES: dict[str, str] = {"__name__": "latency_seconds", "instance": "a"}


class Hostile(LoopbackServer):
    """Knows one rule, `Slow`, whose one series has the value 0.5. `bad` is asked first, with the
    path after `/api/v1/` and the parameters: what it returns is the answer.

    `asked` are all requests. `hang()` answers nothing until the server is left.
    """

    def __init__(self, bad: Bad = lambda _path, _form: None) -> None:
        super().__init__()
        self.bad = bad
        self.asked: list[tuple[str, Form]] = []
        self._left = threading.Event()

    def hang(self) -> Answer:
        self._left.wait(9)
        return Answer(status=503)

    def __exit__(self, *_: object) -> None:
        self._left.set()
        super().__exit__()

    def answer(self, request: Request) -> Answer:
        path = urlsplit(request.path).path.removeprefix("/api/v1/")
        form = dict(parse_qsl(urlsplit(request.path).query) + parse_qsl(request.body.decode()))
        with self.lock:
            self.asked.append((path, form))
        return self.bad(path, form) or self._good(path, form)

    def _good(self, path: str, form: Form) -> Answer:
        if path == "rules":
            return rules(EXPRESSION)
        if path == "query_range":
            ends = (datetime.fromisoformat(form[name]) for name in ("start", "end"))
            values = [[at.timestamp(), "0.5"] for at in ends]
            return success("matrix", [{"metric": SERIES, "values": values}])
        return vector([] if "ALERTS" in form["query"] or "up{" in form["query"] else [0.5])


def rules(*expressions: str) -> Answer:
    """Each is the expression of a rule called `Slow`."""
    named = [
        {"name": "Slow", "query": each, "duration": 60, "labels": {}, "type": "alerting"}
        for each in expressions
    ]
    return _json({"status": "success", "data": {"groups": [{"name": "g", "rules": named}]}})


def vector(values: Sequence[float | str]) -> Answer:
    """One series for each value, of the instances a, b, c …"""
    series: list[dict[str, Any]] = [
        {"metric": {**SERIES, "instance": chr(ord("a") + number)}, "value": [1, str(value)]}
        for number, value in enumerate(values)
    ]
    return success("vector", series)


def success(kind: str, result: object) -> Answer:
    return _json({"status": "success", "data": {"resultType": kind, "result": result}})


def refused(status: int, words: str) -> Answer:
    return _json({"status": "error", "errorType": "execution", "error": words}, status)


def _json(content: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode(), "application/json")
