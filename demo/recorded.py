"""Without Prometheus and Alertmanager: their notifications, written out and posted from here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import yaml

from demo.servers import RULES
from demo.stories import Expected, Story

_NEVER = "0001-01-01T00:00:00Z"


class Notifications:
    """Posts to `service` what Alertmanager would. `asked` is when alerts began to fire, by name."""

    def __init__(self, http: httpx.AsyncClient, service: str) -> None:
        self._http = http
        self._service = service
        self._rules = {
            rule["alert"]: rule
            for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
            for rule in group["rules"]
        }
        self._began: dict[str, str] = {}

    async def fire(self, story: Story) -> None:
        """Each of its alerts at its time, the first at once."""
        passed = 0.0
        for each in sorted(story.alerts, key=lambda alert: alert.after):
            await asyncio.sleep(each.after - passed)
            passed = each.after
            self._began[each.alertname] = _now()
            await self._post(each, "firing")

    async def resolve(self, story: Story) -> None:
        """Those that were told to fire are over."""
        for each in story.alerts:
            if each.alertname in self._began:
                await self._post(each, "resolved")

    async def _post(self, expected: Expected, status: str) -> None:
        body = self._notification(expected, status)
        url = f"{self._service}/webhooks/alertmanager"
        (await self._http.post(url, content=json.dumps(body))).raise_for_status()

    def _notification(self, expected: Expected, status: str) -> dict[str, Any]:
        rule = self._rules[expected.alertname]
        labels = {"alertname": expected.alertname, **rule["labels"], "pipeline": "pix-fraud"}
        group = {name: labels[name] for name in ("alertname", "component")}
        return {
            "version": "4",
            "receiver": "plantao",
            "status": status,
            "groupKey": f"{{}}:{json.dumps(group)}",
            "truncatedAlerts": 0,
            "groupLabels": group,
            "commonLabels": labels,
            "commonAnnotations": rule["annotations"],
            "externalURL": "",
            "alerts": self._alerts(expected, status, labels, rule["annotations"]),
        }

    def _alerts(
        self,
        expected: Expected,
        status: str,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
    ) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "status": status,
                "labels": {**labels, **series},
                "annotations": annotations,
                "startsAt": self._began[expected.alertname],
                "endsAt": _now() if status == "resolved" else _NEVER,
                "generatorURL": "",
                "fingerprint": "",
            }
            for series in expected.series
        ]


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
