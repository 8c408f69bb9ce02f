"""Alertmanager's API v2, asked back: what it believes in now, and for how long.

Source: prometheus/alertmanager `api/v2/openapi.yaml`, 0.25 to 0.34.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.alertmanager.status import Running, read_status
from app.core.alerts import Alert, AlertStatus, Labels
from app.errors import NeighbourFailed
from app.telemetry import NEIGHBOUR_CALLS

_TIMEOUT = httpx.Timeout(10.0)


class _Name(BaseModel):
    name: str


class _State(BaseModel):
    state: str = "active"


class _Listed(BaseModel):
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: datetime = Field(alias="startsAt")
    ends_at: datetime | None = Field(default=None, alias="endsAt")
    generator_url: str = Field(default="", alias="generatorURL")
    receivers: list[_Name] = Field(default_factory=list)
    status: _State = Field(default_factory=_State)


class _Group(BaseModel):
    receiver: _Name | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    alerts: list[_Listed] = Field(default_factory=list)


_Alerts = TypeAdapter(list[_Listed])
_Groups = TypeAdapter(list[_Group])


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert that Alertmanager believes in now. Times are in UTC.

    `expires_at` is when it stops doing so unless it hears of the alert again. `muted` says
    that a silence or inhibition keeps it from being notified.
    """

    alert: Alert
    receivers: frozenset[str]
    expires_at: datetime | None
    muted: bool


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager. Every call raises NeighbourFailed when there is no usable answer."""

    url: str
    client: httpx.AsyncClient

    async def alerts(self) -> list[ListedAlert]:
        """All alerts it has, muted ones too."""
        return [_listed(item) for item in parsed(_Alerts, await self._get("/api/v2/alerts"))]

    async def group_labels(self, receivers: frozenset[str] | None) -> dict[str, Labels]:
        """For each alert, by fingerprint, the labels of the group that it is notified in.

        An alert stands in one group for each of its receivers: those of these count (None: any).
        """
        groups = parsed(_Groups, await self._get("/api/v2/alerts/groups"))
        ours = [
            group
            for group in groups
            if receivers is None or (group.receiver and group.receiver.name in receivers)
        ]
        return {alert.fingerprint: group.labels for group in ours for alert in group.alerts}

    async def status(self) -> dict[str, Any]:
        """Its version, uptime (`uptime`: since when), cluster and configuration."""
        answer = await self._get("/api/v2/status")
        return answer if isinstance(answer, dict) else {}

    async def running(self) -> Running:
        """What it says of itself, read."""
        return read_status(await self.status())

    async def _get(self, path: str) -> Any:
        try:
            response = await self.client.get(self.url.rstrip("/") + path, timeout=_TIMEOUT)
            response.raise_for_status()
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            NEIGHBOUR_CALLS.labels("alertmanager", "failed").inc()
            # The error's own text holds the URL, which may hold a password.
            why = type(error).__name__
            raise NeighbourFailed(f"Alertmanager did not answer {path} ({why}).") from error
        NEIGHBOUR_CALLS.labels("alertmanager", "ok").inc()
        return answer


async def ask_all(alertmanagers: Sequence[Alertmanager]) -> dict[str, ListedAlert] | None:
    """What any of a cluster believes in, by fingerprint; None if none of them answered."""
    answers = await asyncio.gather(
        *(each.alerts() for each in alertmanagers), return_exceptions=True
    )
    lists = [answer for answer in answers if not isinstance(answer, BaseException)]
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, NeighbourFailed):
            raise answer
    return merge(item for each in lists for item in each) if lists else None


def merge(listed: Iterable[ListedAlert]) -> dict[str, ListedAlert]:
    """One entry for each alert: muted only if muted everywhere, with the latest expiry."""
    merged: dict[str, ListedAlert] = {}
    for item in listed:
        other = merged.get(item.alert.fingerprint)
        merged[item.alert.fingerprint] = item if other is None else _both(other, item)
    return merged


def _both(one: ListedAlert, other: ListedAlert) -> ListedAlert:
    expiries = [at for at in (one.expires_at, other.expires_at) if at]
    return ListedAlert(
        one.alert,
        one.receivers | other.receivers,
        max(expiries, default=None),
        one.muted and other.muted,
    )


def plain_receiver(escaped: str) -> str:
    """A receiver's name as configured; webhooks carry it escaped for a regular expression."""
    return re.sub(r"\\(.)", r"\1", escaped)


def _listed(item: _Listed) -> ListedAlert:
    alert = Alert(
        fingerprint=item.fingerprint,
        status=AlertStatus.FIRING,
        labels=item.labels,
        annotations=item.annotations,
        starts_at=item.starts_at.astimezone(UTC),
        generator_url=item.generator_url,
    )
    return ListedAlert(
        alert,
        frozenset(receiver.name for receiver in item.receivers),
        item.ends_at.astimezone(UTC) if item.ends_at else None,
        muted=item.status.state == "suppressed",
    )


def parsed(adapter: TypeAdapter[Any], answer: object) -> Any:
    """An answer in its form; raises NeighbourFailed where it has another one."""
    try:
        return adapter.validate_python(answer)
    except ValidationError as error:
        raise NeighbourFailed(
            f"Alertmanager answered in a form nobody knows: {error.error_count()} problems."
        ) from None
