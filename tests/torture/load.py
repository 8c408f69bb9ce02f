"""Clients that post as Alertmanager does: each body again and again until it gets a 2xx."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.house import alert, notification
from tests.service import Service

_START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_PAUSE = 0.02  # seconds between two bodies
_AGAIN = 0.05


@dataclass(slots=True)
class _Known:
    """One alert as this client last told it."""

    name: str
    number: int
    channel: int
    firing: bool = True
    since: int = 0

    def body(self, minute: int) -> dict[str, Any]:
        if self.firing:
            self.since = minute
        told = alert(
            self.name,
            status="firing" if self.firing else "resolved",
            starts=_at(self.since),
            ends=_at(minute),
            severity="critical",
            instance=str(self.number),
            channel=str(self.channel),
        )
        return notification(told)


def _at(minute: int) -> str:
    return (_START + timedelta(minutes=minute)).isoformat()


@dataclass(slots=True)
class Client:
    """One sender. `acknowledged` holds each alert's last status that got a 2xx."""

    service: Service
    name: str
    seed: int
    channels: int
    acknowledged: dict[tuple[str, str], str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    _alerts: list[_Known] = field(default_factory=list)
    posted: int = 0
    _dice: random.Random = field(init=False)
    _minute: int = 0
    _incidents: int = 0

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - a repeatable run, not a secret

    def run(self) -> None:
        """Until `stopping`; what is under way then is still brought to its end."""
        with httpx.Client(base_url=self.service.url, trust_env=False, timeout=10) as http:
            while not self.stopping.wait(_PAUSE):
                self._tell(http, self._next())

    def open_another(self) -> None:
        """From now on, tell of one more incident as well, and forget the oldest."""
        self._incidents += 1

    def _next(self) -> _Known:
        """Some alert, with what is new about it."""
        present = f"{self.name}{self._incidents}"
        recent = [known for known in self._alerts if known.name == present]
        if len(recent) < 2 or (len(recent) < 6 and self._dice.random() < 0.2):
            known = _Known(present, len(recent), self._dice.randrange(self.channels))
            known.channel = recent[0].channel if recent else known.channel
            self._alerts.append(known)
            return known
        known = self._dice.choice(recent)
        if self._dice.random() < 0.7:
            known.firing = not known.firing
        return known

    def _tell(self, http: httpx.Client, known: _Known) -> None:
        self._minute += 1
        body = known.body(self._minute)
        while not self._accepted(http, body):
            self.stopping.wait(_AGAIN)
        self.posted += 1
        self.acknowledged[known.name, str(known.number)] = body["alerts"][0]["status"]

    def _accepted(self, http: httpx.Client, body: dict[str, Any]) -> bool:
        try:
            return http.post("/webhooks/alertmanager", json=body).is_success
        except httpx.HTTPError:
            return False
