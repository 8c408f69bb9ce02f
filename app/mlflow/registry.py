"""MLflow's model registry and runs, over its REST API.

Source: MLflow's REST API 2.0, as servers from 2.9 (aliases) to 3.17 answer it. Fields that
are not needed here are not read, so that new ones do no harm.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from app.certificates import trust_in_mlflow
from app.core.registry import ModelState, RegistryState, VersionState, page
from app.errors import NeighbourFailed, NeighbourRefused, NeighbourUnreachable, Unanswerable
from app.mlflow.forms import (
    ModelAnswer,
    ModelForm,
    ModelsPage,
    RunAnswer,
    RunForm,
    VersionAnswer,
    VersionForm,
    VersionsPage,
)
from app.settings import Settings
from app.telemetry import NEIGHBOUR_CALLS

_API = "/api/2.0/mlflow/"
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
_REFUSED = (401, 403)
_MODELS_PER_PAGE = 1000  # the most that MLflow allows
_VERSIONS_PER_PAGE = 10_000  # the most that every server allows
_PAGES = 20
_NEWEST = 20


class NotRegistered(Unanswerable):
    """MLflow answered: there is no such model, version or run."""


# --- what we make of it


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A registered model, and the version that each alias names now."""

    name: str
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version; `user` registered it, "" where MLflow keeps no accounts. Times in UTC."""

    name: str
    version: str
    run_id: str = ""
    user: str = ""
    stage: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run with the last value of each metric. `page` is MLflow's about it; a run
    that goes on has not ended."""

    run_id: str
    user: str
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    page: str
    ended_at: datetime | None = None


Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Mlflow:
    """The configured MLflow. Calls raise NeighbourFailed when there is no usable answer, and
    NotRegistered when the answer is that there is no such thing.

    `url` is its address without a slash at the end; each call has `within` seconds. With user
    and password they are sent, else the token, as MLflow's own client does.
    """

    url: str
    client: httpx.AsyncClient
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    within: float = 1.2

    @property
    def public_url(self) -> str:
        """The address as links may show it: without credentials."""
        return str(httpx.URL(self.url).copy_with(userinfo=b"")).rstrip("/")

    async def registered_model(self, name: str) -> RegisteredModel:
        answer = await self.ask(
            ModelAnswer, "registered-models/get", f"the model {name}", {"name": name}
        )
        return _registered_model(answer.registered_model)

    async def version(self, name: str, version: str) -> RegisteredVersion:
        answer = await self.ask(
            VersionAnswer,
            "model-versions/get",
            f"version {version} of {name}",
            {"name": name, "version": version},
        )
        return _registered_version(answer.model_version)

    async def newest_versions(
        self, name: str, at_most: int = _NEWEST
    ) -> Sequence[RegisteredVersion]:
        """Versions, the newest first; none if there is no such model."""
        answer = await self.ask(
            VersionsPage,
            "model-versions/search",
            f"the model {name}",
            {
                "filter": f"name = {quoted(name)}",
                "order_by": "version_number DESC",
                "max_results": str(at_most),
            },
        )
        return [_registered_version(item) for item in answer.model_versions]

    async def run(self, run_id: str) -> Run:
        answer = await self.ask(RunAnswer, "runs/get", f"the run {run_id}", {"run_id": run_id})
        return self.as_run(answer.run)

    def as_run(self, form: RunForm) -> Run:
        """A run as MLflow writes it."""
        info, data = form.info, form.data
        tags = {tag.key: tag.value for tag in data.tags}
        return Run(
            run_id=info.run_id,
            user=tags.get("mlflow.user") or info.user_id,
            metrics={metric.key: metric.value for metric in data.metrics},
            params={param.key: param.value for param in data.params},
            page=f"{self.public_url}/#/experiments/{info.experiment_id}/runs/{info.run_id}",
            ended_at=info.end_time,
        )

    async def models(self) -> Sequence[RegisteredModel]:
        """All registered models, with their aliases."""
        found: list[RegisteredModel] = []
        token: str | None = ""
        for _ in range(_PAGES):
            answer = await self.ask(
                ModelsPage,
                "registered-models/search",
                "the models",
                {"max_results": str(_MODELS_PER_PAGE), "page_token": token or ""},
            )
            found += map(_registered_model, answer.registered_models)
            if not (token := answer.next_page_token):
                return found
        raise NeighbourFailed(f"MLflow has more than {len(found)} models: too many to watch.")

    async def versions(self, name: str | None = None) -> Sequence[RegisteredVersion]:
        """All versions, of one model or of all."""
        found: list[RegisteredVersion] = []
        token: str | None = ""
        for _ in range(_PAGES):
            answer = await self.ask(
                VersionsPage,
                "model-versions/search",
                "the versions",
                {
                    "filter": f"name = {quoted(name)}" if name else "",
                    "max_results": str(_VERSIONS_PER_PAGE),
                    "page_token": token or "",
                },
            )
            found += map(_registered_version, answer.model_versions)
            if not (token := answer.next_page_token):
                return found
        raise NeighbourFailed(f"MLflow has more than {len(found)} versions: too many to watch.")

    def page(self, name: str, version: str = "") -> str | None:
        """MLflow's page of a model or version."""
        return page(self.public_url, name, version)

    async def ask(
        self,
        form: type[Answer],
        path: str,
        what: str,
        params: Mapping[str, str],
        *,
        body: Mapping[str, object] | None = None,
    ) -> Answer:
        """One call, a POST if there is a body; `what` is asked for, in words."""
        try:
            async with asyncio.timeout(self.within):
                answer = await self._ask(form, path, what, params, body)
        except NotRegistered:
            NEIGHBOUR_CALLS.labels("mlflow", "ok").inc()
            raise
        except NeighbourFailed:
            NEIGHBOUR_CALLS.labels("mlflow", "failed").inc()
            raise
        except (TimeoutError, httpx.TimeoutException):
            NEIGHBOUR_CALLS.labels("mlflow", "failed").inc()
            told = f"MLflow did not answer within {self.within:g} s."
            raise NeighbourUnreachable(told, perhaps_done=False) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            NEIGHBOUR_CALLS.labels("mlflow", "failed").inc()
            told = f"MLflow cannot be reached: {type(error).__name__}."
            raise NeighbourUnreachable(told, perhaps_done=False) from error
        NEIGHBOUR_CALLS.labels("mlflow", "ok").inc()
        return answer

    async def _ask(
        self,
        form: type[Answer],
        path: str,
        what: str,
        params: Mapping[str, str],
        body: Mapping[str, object] | None,
    ) -> Answer:
        response = await self.client.request(
            "GET" if body is None else "POST",
            self.url.rstrip("/") + _API + path,
            params={name: value for name, value in params.items() if value},
            json=body,
            headers=self._headers(),
            timeout=self.within,
        )
        if response.is_success:
            try:
                return form.model_validate_json(response.content)
            except ValidationError:
                raise NeighbourFailed("MLflow answered in a form nobody knows.") from None
        if response.status_code in _REFUSED:
            raise NeighbourRefused(f"MLflow refuses our credentials ({response.status_code}).")
        if _NOT_THERE in response.text:
            raise NotRegistered(f"MLflow does not know {what}.")
        raise NeighbourFailed(f"MLflow answered with status {response.status_code}.")

    def _headers(self) -> dict[str, str]:
        if self.username and self.password:
            pair = f"{self.username}:{self.password}".encode()
            return {"Authorization": f"Basic {b64encode(pair).decode()}"}
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def make_mlflow(settings: Settings, client: httpx.AsyncClient, **how: float) -> Mlflow | None:
    """The model registry, if it is set; `within` is how many seconds a call may take."""
    if settings.mlflow_tracking_uri is None:
        return None
    password, token = settings.mlflow_tracking_password, settings.mlflow_tracking_token
    return Mlflow(
        settings.mlflow_tracking_uri,
        client,
        username=settings.mlflow_tracking_username,
        password=password.get_secret_value() if password else None,
        token=token.get_secret_value() if token else None,
        **how,
    )


@asynccontextmanager
async def open_mlflow(settings: Settings, **how: float) -> AsyncIterator[Mlflow]:
    """As `make_mlflow`, with a client of its own; for where an address is set."""
    async with httpx.AsyncClient(verify=trust_in_mlflow(settings)) as client:
        made = make_mlflow(settings, client, **how)
        assert made, "asked for only where its address is set"  # noqa: S101
        yield made


def _registered_model(item: ModelForm) -> RegisteredModel:
    return RegisteredModel(item.name, {each.alias: each.version for each in item.aliases})


def _registered_version(item: VersionForm) -> RegisteredVersion:
    return RegisteredVersion(
        name=item.name,
        version=item.version,
        run_id=item.run_id,
        user=item.user_id,
        stage="" if item.current_stage == "None" else item.current_stage,
        created_at=item.creation_timestamp,
        updated_at=item.last_updated_timestamp,
        source=item.source,
    )


def quoted(name: str) -> str:
    """A name in a filter, where MLflow knows no escapes."""
    return f'"{name}"' if "'" in name else f"'{name}'"


# --- the whole of it, to be compared with what it was


async def snapshot(mlflow: Mlflow, names: Sequence[str] | None = None) -> RegistryState:
    """What the registry says now about these models, or all: two calls, or two for each name.

    Give `mlflow` more time for each call than an incident's context has. Raises NeighbourFailed
    when any part of it is missing: half an answer would look like deletions.
    """
    if names is None:
        models, versions = await _both(mlflow.models(), mlflow.versions())
        return RegistryState(_states(models, versions))
    found: dict[str, ModelState] = {}
    for name in names:
        found |= await _one(mlflow, name)
    return RegistryState(found, tuple(names))


async def _one(mlflow: Mlflow, name: str) -> dict[str, ModelState]:
    try:
        model, versions = await _both(mlflow.registered_model(name), mlflow.versions(name))
    except NotRegistered:
        return {}
    return _states([model], versions)


_First = TypeVar("_First")
_Second = TypeVar("_Second")


async def _both(one: Awaitable[_First], other: Awaitable[_Second]) -> tuple[_First, _Second]:
    """Side by side; both have ended when this ends."""
    results = await asyncio.gather(one, other, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    first, second = results
    return first, second  # type: ignore[return-value] # not an exception, as was looked


def _states(
    models: Sequence[RegisteredModel], versions: Sequence[RegisteredVersion]
) -> dict[str, ModelState]:
    """By name. A version whose model is not among them came in between: the next time tells."""
    of_model: dict[str, dict[str, VersionState]] = {model.name: {} for model in models}
    for item in versions:
        if item.name in of_model:
            state = VersionState(item.stage, item.created_at, item.updated_at)
            of_model[item.name][item.version] = state
    return {model.name: ModelState(of_model[model.name], model.aliases) for model in models}
