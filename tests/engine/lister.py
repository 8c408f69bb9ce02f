"""An Alertmanager that lists what a test tells it to, for tests that hold the clock in hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.core.alerts import fingerprint
from tests.neighbours.serving import Answer, LoopbackServer, Request

LONG_UP = "2026-11-01T00:00:00Z"


class Lister(LoopbackServer):
    """Answers `/api/v2/…` with `listed`; with a 503 while it is `failing`."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[dict[str, Any]] = []
        self.failing = False
        self.up_since = LONG_UP
        self.config = ""
        self.without_status = False
        self.asked = 0

    def list_alert(
        self, alert: Mapping[str, Any], *, expires: str = "2026-11-23T09:00:00Z", **more: Any
    ) -> None:
        """List an alert of a webhook body as the API would; `more` overrides."""
        self.listed.append(
            {
                "labels": alert["labels"],
                "annotations": alert["annotations"],
                "startsAt": alert["startsAt"],
                "endsAt": expires,
                "generatorURL": alert["generatorURL"],
                "fingerprint": fingerprint(alert["labels"]),
                "receivers": [{"name": "plantao"}],
                "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
                **more,
            }
        )

    def answer(self, request: Request) -> Answer:
        if self.failing:
            return Answer(status=503)
        match request.path:
            case "/api/v2/alerts":
                self.asked += 1
                return _json(self.listed)
            case "/api/v2/alerts/groups":
                return _json([_group(each) for each in self.listed])
            case "/api/v2/status" if not self.without_status:
                return _json({"uptime": self.up_since, "config": {"original": self.config}})
            case _:
                return Answer(status=404)


def _group(listed: Mapping[str, Any]) -> dict[str, Any]:
    name = listed["labels"]["alertname"]
    (receiver, *_) = listed["receivers"]
    return {"labels": {"alertname": name}, "receiver": receiver, "alerts": [listed]}


def _json(content: object) -> Answer:
    return Answer(body=json.dumps(content).encode(), content_type="application/json")
