"""Looks at MLflow: the versions and aliases of models, how they were trained, their files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from app.config_exporter import TrackedModel
from app.errors import NeighbourFailed, NeighbourRefused, NeighbourUnreachable
from app.exporters.rounds import Trouble
from app.mlflow.registry import Mlflow, NotRegistered, RegisteredModel, RegisteredVersion, Run
from app.mlflow.runs import newest_run, stored_bytes

#: Why MLflow, or a part of what is asked of it, does not tell. Counted from the start.
KINDS = ("unreachable", "refused", "not_found", "timeout", "other")

#: What stands for an alias where no version has it: the version registered last, and the
#: finished run of the experiment that started last.
NEWEST, LATEST_RUN = "(newest)", "(latest run)"

_A = TypeVar("_A")

Client = Callable[[], AbstractAsyncContextManager[Mlflow]]


@dataclass(frozen=True, slots=True)
class RunReading:
    """The chosen metrics and parameters of a run, under an alias (or what stands for one)."""

    alias: str
    version: str
    metrics: Mapping[str, float]
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelReading:
    """One model. `stored` has bytes by version; moments in UTC."""

    name: str
    versions: Sequence[RegisteredVersion]
    aliases: Mapping[str, str]
    runs: Sequence[RunReading] = ()
    stored: Mapping[str, int] = field(default_factory=dict)
    last_training: datetime | None = None


@dataclass
class Registry:
    """One look is one round of calls; `client` gives an MLflow for its time."""

    client: Client
    models: Sequence[TrackedModel]

    def look(self, _now: float) -> tuple[Sequence[ModelReading], Sequence[Trouble]]:
        """All models, and what could not be told. Raises Trouble if MLflow as a whole cannot."""
        return asyncio.run(self._look())

    async def _look(self) -> tuple[Sequence[ModelReading], Sequence[Trouble]]:
        found: list[ModelReading] = []
        troubles: list[Trouble] = []
        async with self.client() as mlflow:
            for wanted in self.models:
                try:
                    found.append(await _OfModel(mlflow, wanted, troubles).read())
                except NotRegistered as error:
                    troubles.append(_trouble(error))
                except NeighbourFailed as error:
                    raise _trouble(error) from error
            if not found:
                # That no model could be told of does not say whether MLflow is there.
                await _reach(mlflow)
        return found, troubles


async def _reach(mlflow: Mlflow) -> None:
    try:
        await mlflow.models()
    except NeighbourFailed as error:
        raise _trouble(error) from error


def _trouble(error: NeighbourFailed) -> Trouble:
    match error:
        case NotRegistered():
            kind = "not_found"
        case NeighbourUnreachable():
            kind = "unreachable"
        case NeighbourRefused():
            kind = "refused"
        case _:
            kind = "other"
    return Trouble(str(error), kind)


@dataclass
class _OfModel:
    """One look at one model; what is not found is told in `troubles`, and the rest goes on."""

    mlflow: Mlflow
    wanted: TrackedModel
    troubles: list[Trouble]

    async def read(self) -> ModelReading:
        """Raises NeighbourFailed."""
        name = self.wanted.name
        model = await self.mlflow.registered_model(name)
        newest = list(await self.mlflow.newest_versions(name))
        versions = {item.version: item for item in newest}
        for version in set(model.aliases.values()) - versions.keys():
            item = await self._found(self.mlflow.version(name, version))
            if item is not None:
                versions[version] = item
        runs = await self._runs(model, newest, versions)
        return ModelReading(
            name=name,
            versions=tuple(versions.values()),
            aliases=model.aliases,
            runs=[self._chosen(alias, version, run) for alias, version, run in runs],
            stored=await self._stored(model, newest, versions),
            last_training=max((run.ended_at for *_, run in runs if run.ended_at), default=None),
        )

    async def _runs(
        self,
        model: RegisteredModel,
        newest: Sequence[RegisteredVersion],
        versions: Mapping[str, RegisteredVersion],
    ) -> list[tuple[str, str, Run]]:
        """The run behind each alias and the newest version, and the experiment's latest."""
        named = {**model.aliases, **({NEWEST: newest[0].version} if newest else {})}
        found = []
        for alias, version in named.items():
            item = versions.get(version)
            run = await self._found(self.mlflow.run(item.run_id)) if item and item.run_id else None
            if run:
                found.append((alias, version, run))
        if self.wanted.experiment:
            run = await self._found(newest_run(self.mlflow, self.wanted.experiment))
            if run:
                found.append((LATEST_RUN, "", run))
        return found

    async def _stored(
        self,
        model: RegisteredModel,
        newest: Sequence[RegisteredVersion],
        versions: Mapping[str, RegisteredVersion],
    ) -> dict[str, int]:
        """What serves or may serve next: the aliases' versions, and the newest."""
        names = {*model.aliases.values(), *(item.version for item in newest[:1])}
        found = {}
        for name in sorted(names & versions.keys()):
            size = await self._found(stored_bytes(self.mlflow, versions[name]))
            if size is not None:
                found[name] = size
        return found

    async def _found(self, answer: Awaitable[_A | None]) -> _A | None:
        """The answer; None, and a trouble, if MLflow does not know it."""
        try:
            return await answer
        except NotRegistered as error:
            self.troubles.append(_trouble(error))
            return None

    def _chosen(self, alias: str, version: str, run: Run) -> RunReading:
        wanted = self.wanted
        return RunReading(
            alias,
            version,
            {name: run.metrics[name] for name in wanted.metrics if name in run.metrics},
            {name: run.params[name] for name in wanted.params if name in run.params},
        )
