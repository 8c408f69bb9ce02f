"""The client, the watching of the registry and its webhooks, against a real MLflow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
import pytest

from app.core.facts import Change
from app.core.registry import RegistryState, differences
from app.errors import NeighbourFailed
from app.mlflow.registry import Mlflow, NotRegistered, snapshot
from app.mlflow.webhook import to_change, verify_signature
from tests.neighbours.mlflow import Mlflow as Server
from tests.neighbours.recorder import Recorder
from tests.neighbours.serving import Answer, LoopbackServer, Request

pytestmark = pytest.mark.neighbour
SECRET = "segredo"


@pytest.fixture
def server(mlflow_server: Server) -> Server:
    return mlflow_server


@pytest.fixture
def name(server: Server) -> str:
    """A new registered model."""
    name = f"pix-fraud-{uuid4().hex[:8]}"
    server.create_model(name)
    return name


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def mlflow(server: Server, client: httpx.AsyncClient) -> Mlflow:
    return Mlflow(server.url, client, within=10)


# --- the client


async def test_a_model_its_versions_and_their_runs(
    server: Server, name: str, mlflow: Mlflow
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    _, first = server.create_version(name, metrics={"auc": 0.91}, params={"C": "1.0"}, user="bia")
    server.create_version(name)
    server.set_alias(name, "champion", "1")

    model = await mlflow.registered_model(name)
    assert model.aliases == {"champion": "1"}
    assert [each.version for each in await mlflow.newest_versions(name)] == ["2", "1"]
    assert [each.version for each in await mlflow.newest_versions(name, at_most=1)] == ["2"]
    version = await mlflow.version(name, "1")
    assert (version.run_id, version.stage) == (first, "")
    assert version.created_at
    assert before < version.created_at < datetime.now(UTC) + timedelta(seconds=1)
    run = await mlflow.run(first)
    assert (run.user, run.metrics, run.params) == ("bia", {"auc": 0.91}, {"C": "1.0"})
    assert run.page == f"{server.url}/#/experiments/0/runs/{first}"


async def test_what_is_not_there_is_no_failure_of_mlflow(name: str, mlflow: Mlflow) -> None:
    with pytest.raises(NotRegistered, match="does not know the model no-such-model"):
        await mlflow.registered_model("no-such-model")
    with pytest.raises(NotRegistered, match=f"does not know version 9 of {name}"):
        await mlflow.version(name, "9")
    with pytest.raises(NotRegistered, match="does not know the run 0123"):
        await mlflow.run("0123")
    assert list(await mlflow.newest_versions("no-such-model")) == []


async def test_names_with_quotes_and_spaces(server: Server, mlflow: Mlflow) -> None:
    name = f"olho d'água {uuid4().hex[:4]}"
    server.create_model(name)
    server.create_version(name)
    assert [each.version for each in await mlflow.newest_versions(name)] == ["1"]
    assert set((await snapshot(mlflow, [name])).models[name].versions) == {"1"}


async def test_it_says_why_there_is_no_answer(
    server: Server, mlflow: Mlflow, client: httpx.AsyncClient
) -> None:
    server.pause()
    try:
        started = time.monotonic()
        with pytest.raises(NeighbourFailed, match=r"did not answer within 0\.3 s"):
            await replace(mlflow, within=0.3).models()
        assert time.monotonic() - started < 2
    finally:
        server.resume()
    with pytest.raises(NeighbourFailed, match="cannot be reached: ConnectError"):
        await Mlflow("http://127.0.0.1:1", client).models()
    with pytest.raises(NeighbourFailed, match="answered with status 404"):
        await replace(mlflow, url=f"{server.url}/elsewhere").models()


class Odd(LoopbackServer):
    """Something else than MLflow. It keeps what it was asked."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        super().__init__()
        self.body, self.status = body, status
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(self.status, self.body, "application/json")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"registered_models": [{}]}', b'{"registered_models": 1}']
)
async def test_an_answer_nobody_knows(body: bytes, client: httpx.AsyncClient) -> None:
    with Odd(body) as odd, pytest.raises(NeighbourFailed, match="in a form nobody knows"):
        await Mlflow(odd.url, client).models()


async def test_more_than_can_be_watched_is_no_half_answer(client: httpx.AsyncClient) -> None:
    endless = b'{"registered_models": [{"name": "a"}], "next_page_token": "more"}'
    with Odd(endless) as odd, pytest.raises(NeighbourFailed, match="more than 20 models"):
        await snapshot(Mlflow(odd.url, client, within=10))


async def test_credentials(tmp_path: Path, client: httpx.AsyncClient) -> None:
    with Server(tmp_path, accounts=True) as guarded:
        user, password = guarded.admin
        known = Mlflow(guarded.url, client, user, password, within=10)
        assert list(await known.models()) == []
        for unknown in (replace(known, password="wrong"), replace(known, username=None)):
            with pytest.raises(NeighbourFailed, match=r"refuses our credentials \(401\)"):
                await unknown.models()
        assert password not in repr(known)
        inside = Mlflow(guarded.url.replace("//", f"//{user}:{password}@"), client, within=10)
        assert list(await inside.models()) == []
        assert inside.page("a") == f"{guarded.url}/#/models/a"


async def test_a_token_is_sent_where_there_is_no_password(client: httpx.AsyncClient) -> None:
    with Odd(b"{}") as odd:
        await Mlflow(odd.url, client, token="t0ken").models()
        await Mlflow(odd.url, client, "ana", "senha", token="t0ken").models()
    assert [request.headers["Authorization"] for request in odd.asked] == [
        "Bearer t0ken",
        "Basic YW5hOnNlbmhh",
    ]


# --- watching


class Watch:
    """Compares what the registry says with what it said."""

    def __init__(self, mlflow: Mlflow, name: str) -> None:
        self.mlflow, self.name = mlflow, name
        self.state = RegistryState()

    async def started(self) -> Self:
        self.state = await snapshot(self.mlflow, [self.name])
        return self

    async def titles(self) -> list[str]:
        before, self.state = self.state, await snapshot(self.mlflow, [self.name])
        changes = differences(before, self.state, at=datetime.now(UTC))
        return [change.title.removeprefix(f"{self.name}: ") for change in changes]


async def test_what_changes_is_seen(server: Server, name: str, mlflow: Mlflow) -> None:
    watch = await Watch(mlflow, name).started()
    server.create_version(name)
    server.create_version(name)
    server.set_alias(name, "champion", "1")
    assert await watch.titles() == [
        "version 1 registered",
        "version 2 registered",
        "champion → 1",
    ]
    server.set_alias(name, "champion", "2")
    assert await watch.titles() == ["champion 1 → 2"]
    server.set_stage(name, "2", "Production")
    server.set_tag(name, "2", "validation", "passed")
    assert await watch.titles() == ["version 2 no stage → Production"]
    server.delete_version(name, "2")
    assert await watch.titles() == ["version 2 deleted", "champion deleted, was 2"]
    server.delete_model(name)
    assert await watch.titles() == ["deleted"]
    assert await watch.titles() == []


async def test_all_models_at_once(server: Server, name: str, mlflow: Mlflow) -> None:
    server.create_version(name)
    server.set_alias(name, "champion", "1")
    everything, one = await asyncio.gather(snapshot(mlflow), snapshot(mlflow, [name]))
    assert everything.models[name] == one.models[name]
    assert everything.names is None


async def test_an_mlflow_that_is_down_deletes_nothing(
    server: Server, name: str, mlflow: Mlflow
) -> None:
    server.pause()
    try:
        with pytest.raises(NeighbourFailed):
            await snapshot(replace(mlflow, within=0.3), [name])
    finally:
        server.resume()


# --- webhooks


def test_what_mlflow_delivers_is_signed_and_understood(server: Server, name: str) -> None:
    with Recorder() as recorder:
        webhook = server.create_webhook(f"{recorder.url}/webhooks/mlflow", secret=SECRET)
        for number, step in enumerate(_steps(server, name), start=1):
            step()
            recorder.wait_for(number)
        assert server.test_webhook(webhook)["success"]
        server.delete_webhook(webhook)

    changes: list[Change | None] = []
    for request in recorder.requests:
        verify_signature(SECRET, dict(request.headers), request.body, now=datetime.now(UTC))
        changes.append(to_change(request.body, url=server.url))
    *told, example = changes
    assert example is None
    assert [change and change.title.removeprefix(f"{name}: ") for change in told] == [
        "version 1 registered",
        "champion → 1",
        "version 1, tag validation = passed",
        "version 1, tag validation deleted",
        "champion deleted",
    ]
    assert all(change and abs(change.at - datetime.now(UTC)).seconds < 60 for change in told)


def _steps(server: Server, name: str) -> Iterator[Callable[[], object]]:
    yield lambda: server.create_version(name)
    yield lambda: server.set_alias(name, "champion", "1")
    yield lambda: server.set_tag(name, "1", "validation", "passed")
    yield lambda: server.delete_tag(name, "1", "validation")
    yield lambda: server.delete_alias(name, "champion")
