"""Prometheus, asked back."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from app.errors import NeighbourFailed
from app.telemetry import NEIGHBOUR_CALLS

_TIMEOUT = httpx.Timeout(5.0)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The configured Prometheus. Calls raise NeighbourFailed when there is no usable answer."""

    url: str
    client: httpx.AsyncClient

    async def check_alive(self) -> None:
        """Return if it evaluates queries; a stalled one does not answer in time."""
        try:
            response = await self.client.get(
                self.url.rstrip("/") + "/api/v1/query",
                params={"query": "vector(1)", "timeout": "4s"},
                timeout=_TIMEOUT,
            )
            response.raise_for_status()
            if response.json().get("status") != "success":
                raise NeighbourFailed("Prometheus did not answer a query.")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            NEIGHBOUR_CALLS.labels("prometheus", "failed").inc()
            raise NeighbourFailed(f"Prometheus did not answer: {error!r}.") from error
        NEIGHBOUR_CALLS.labels("prometheus", "ok").inc()
