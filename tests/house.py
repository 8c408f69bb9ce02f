"""The service in a test: the real application on an in-process transport, its clock in hand."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from app.engine.clock import Clock
from app.main import create_app
from app.settings import Settings
from app.store import schema
from app.store.connections import writer
from app.web.context import Context

WEBHOOK = "/webhooks/alertmanager"


@dataclass(slots=True)
class House:
    """One running service. `http` talks to it; `context` is what its endpoints work with."""

    app: FastAPI
    http: httpx.AsyncClient

    @property
    def context(self) -> Context:
        context: Context = self.app.state.context
        return context

    async def post(self, body: bytes | Mapping[str, Any]) -> dict[str, Any]:
        """Post a webhook body and return the answer, which must be a 202."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.http.post(WEBHOOK, content=content)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def incidents(self, **filters: str) -> list[dict[str, Any]]:
        answer = await self.http.get("/incidents", params=filters)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def incident(self, number: int) -> dict[str, Any]:
        answer = await self.http.get(f"/incidents/{number}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def timeline(self, number: int) -> list[str]:
        answer = await self.http.get(f"/incidents/{number}/timeline")
        return [entry["kind"] for entry in answer.json()["items"]]


@asynccontextmanager
async def serving(
    directory: Path, *, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[House]:
    """Start the service on a database in `directory`, with these settings; stop it at the end."""
    database = directory / "plantao.db"
    if not database.exists():
        database.write_bytes(_empty_log())
    given = {"database_url": f"sqlite:///{database}", **settings}
    app = create_app(Settings(**given), clock=clock)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://plantao.test") as http,
    ):
        yield House(app, http)


@cache
def _empty_log() -> bytes:
    """The database as the service's first start makes it: once for all tests of a process."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plantao.db"
        made = writer(sa.make_url(f"sqlite:///{path}"))
        with made.transaction() as tx:
            schema.migrate(tx)
        made.close()
        return path.read_bytes()


@asynccontextmanager
async def listening(app: Any, port: int = 0) -> AsyncIterator[str]:
    """An ASGI application on this or a free port of 127.0.0.1, in this event loop; its address."""
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = _QuietServer(config)
    with socket.create_server(("127.0.0.1", port)) as listener:
        serve = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.ended.set()
            await serve


class _QuietServer(uvicorn.Server):
    """Ends when told, not at the next tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = asyncio.Event()

    async def main_loop(self) -> None:
        await self.ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Also those who connected as it ended: uvicorn leaves them to the loop, which is about
        to close."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The signals are the test runner's."""
        yield


def notification(*alerts: Mapping[str, Any], **around: Any) -> dict[str, Any]:
    """A body as Alertmanager posts it, around these alerts."""
    name = alerts[0]["labels"].get("alertname", "") if alerts else ""
    return {
        "version": "4",
        "receiver": "plantao",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {"alertname": name} if name else {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        **around,
    }


def incompressible(length: int) -> str:
    """Text that takes half its length on disk and no less; the same each time."""
    return random.Random(length).randbytes(length).hex()[:length]  # noqa: S311


def alert(
    name: str = "HighErrorRate",
    *,
    status: str = "firing",
    starts: str = "2026-11-23T06:00:00Z",
    ends: str = "2026-11-23T06:05:00Z",
    annotations: Mapping[str, str] | None = None,
    **labels: str,
) -> dict[str, Any]:
    """One alert of a body. Without a `fingerprint` the service computes it."""
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": dict(annotations or {"summary": f"{name} is happening"}),
        "startsAt": starts,
        "endsAt": ends if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    }
