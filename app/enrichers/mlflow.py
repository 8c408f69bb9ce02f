"""Which model version was serving when the alert fired, and what is known about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TypeAlias

from app.config import ModelRef
from app.core.alerts import Alert, Labels
from app.core.facts import Change, ModelVersion, Served
from app.core.serving import Choice, challenger, choose, shown, telling
from app.enrichers.enricher import Subject
from app.errors import NeighbourFailed
from app.mlflow.registry import Mlflow, NotRegistered, RegisteredModel, RegisteredVersion, Run

#: The label sets that the serving gauge of a model had at a moment, each with `version` and
#: perhaps `model`, `alias` and `run_id`; none, None or NeighbourFailed where it does not tell.
ServingGauge: TypeAlias = Callable[[str, datetime], Awaitable[Sequence[Labels] | None]]

#: The recorded moves of a model's alias (kinds `alias_moved` and `alias_deleted`): those before
#: a moment, and the first after it, which tells what the alias named until then.
AliasHistory: TypeAlias = Callable[[str, str, datetime], Awaitable[Sequence[Change]]]

_MODEL_LABELS = ("model", "model_name")
_VERSION_LABELS = ("model_version", "version")
_DEFAULT_ALIAS = "champion"
_CHALLENGER = "challenger"
_CANDIDATES = 2  # as many as an MLflow that hangs leaves time for


class MlflowEnricher:
    """Finds the served version: by the serving gauge, our record, or the registry as of now.

    Without MLflow (None), or while it is down, it still says what gauge and record know. Half
    of the subject's time is for who served, half for the details, so that a slow MLflow does
    not take away what the gauge knows. `models` gives those that are configured.
    """

    name = "mlflow"
    refreshes = False

    def __init__(
        self,
        mlflow: Mlflow | None,
        models: Callable[[], Sequence[ModelRef]],
        serving_gauge: ServingGauge,
        alias_history: AliasHistory,
    ) -> None:
        self._mlflow = mlflow
        self._models = models
        self._gauge = serving_gauge
        self._history = alias_history

    async def find(self, subject: Subject) -> Served | None:
        """The version that served at the subject's moment; None if no model is concerned.

        Raises NotRegistered where a configured model or its alias is not there: MLflow is not
        down then, and NeighbourFailed when it is.
        """
        models = self._models()
        failures: list[NeighbourFailed] = []
        for ref in islice(concerned(models, subject.alerts), _CANDIDATES):
            try:
                return await self._served(ref, subject)
            except NotRegistered as error:
                # A label may name a model that is no registered one: nothing to say about it.
                failures += [error] if ref in models else []
            except NeighbourFailed as error:
                failures.insert(0, error)
        if failures:
            raise failures[0]
        return None

    async def _served(self, ref: ModelRef, subject: Subject) -> Served:
        half = subject.within.total_seconds() / 2
        registered, serving, moves, challengers = await asyncio.gather(
            self._registered(ref.name, half),
            self._serving(ref.name, subject.at, half),
            self._history(ref.name, ref.alias, subject.at),
            self._history(ref.name, _CHALLENGER, subject.at),
        )
        aliases = registered.aliases if isinstance(registered, RegisteredModel) else {}
        choice = choose(
            ref.name,
            ref.alias,
            subject.at,
            serving=serving,
            moves=moves,
            aliases=aliases,
            preferred=_named_version(ref.name, subject.alerts),
        )
        if choice is None:
            if isinstance(registered, NeighbourFailed):
                raise registered
            raise NotRegistered(f"No version of {ref.name} carries the alias {ref.alias}.")
        other = challenger(ref.name, _CHALLENGER, subject.at, moves=challengers, aliases=aliases)
        plain = _plain(ref.name, choice, "" if other == choice.version else other)
        # Who served is known; without an answer by now there will be no details either.
        if self._mlflow is None or isinstance(registered, NeighbourFailed):
            return self._linked(plain)
        return self._linked(await _Details(self._mlflow, plain, half).found())

    async def _registered(self, name: str, within: float) -> RegisteredModel | NeighbourFailed:
        if self._mlflow is None:
            return NotRegistered("No MLflow is configured.")
        try:
            async with asyncio.timeout(within):
                return await self._mlflow.registered_model(name)
        except NeighbourFailed as error:
            return error
        except TimeoutError:
            return NeighbourFailed(f"MLflow did not answer within {within:g} s.")

    async def _serving(self, name: str, at: datetime, within: float) -> Sequence[Labels]:
        """What the gauge tells; nothing where it cannot: Prometheus is named as missing by
        those who show its values."""
        try:
            async with asyncio.timeout(within):
                return await self._gauge(name, at) or ()
        except (NeighbourFailed, TimeoutError):
            return ()

    def _linked(self, served: Served) -> Served:
        """With links to MLflow's pages, where a version has none yet."""
        mlflow = self._mlflow
        if mlflow is None:
            return served

        def linked(version: ModelVersion | None) -> ModelVersion | None:
            if version is None or version.link:
                return version
            return replace(version, link=mlflow.page(served.name, version.version))

        return replace(
            served,
            link=mlflow.page(served.name),
            current=linked(served.current) or served.current,
            previous=linked(served.previous),
            challenger=linked(served.challenger),
        )


# --- which model is meant


def concerned(models: Sequence[ModelRef], alerts: Sequence[Alert]) -> Iterator[ModelRef]:
    """The models that the alerts may be about, the likeliest first, each once.

    A model that an alert names by label comes before one whose matchers it meets.
    """
    named = [alert.labels[key] for alert in alerts for key in _MODEL_LABELS if key in alert.labels]
    known = {ref.name: ref for ref in reversed(models)}
    by_label = (known.get(name, ModelRef(name, _DEFAULT_ALIAS, ())) for name in named if name)
    by_matcher = (ref for alert in alerts for ref in models if ref.concerns(alert.labels))
    yield from dict.fromkeys([*by_label, *by_matcher])


def _named_version(model: str, alerts: Sequence[Alert]) -> str:
    """The version that the first alert to do so names."""
    for alert in alerts:
        labels = alert.labels
        if all(labels.get(key, model) == model for key in _MODEL_LABELS):
            for key in _VERSION_LABELS:
                if labels.get(key):
                    return labels[key]
    return ""


def _plain(name: str, choice: Choice, other: str) -> Served:
    return Served(
        name=name,
        alias=choice.alias,
        current=ModelVersion(choice.version, choice.run_id),
        witness=choice.witness,
        since=choice.since,
        previous=ModelVersion(choice.previous) if choice.previous else None,
        challenger=ModelVersion(other) if other else None,
        versions=choice.versions,
    )


# --- what MLflow knows about the versions


class _Details:
    """One question for the details of what served, answered as far as MLflow does in time."""

    def __init__(self, mlflow: Mlflow, served: Served, within: float) -> None:
        self._mlflow = mlflow
        self._served = served
        self._within = within
        versions = (served.current, served.previous, served.challenger)
        self._wanted = [version for version in versions if version]
        self._registered: dict[str, RegisteredVersion] = {}
        self._runs: dict[str, Run] = {}

    async def found(self) -> Served:
        try:
            async with asyncio.timeout(self._within):
                await self._find_versions()
                await asyncio.gather(*map(self._find_run, self._wanted))
        except (NeighbourFailed, TimeoutError):
            pass  # what was found until then is still true
        return self._filled()

    async def _find_versions(self) -> None:
        """One call for the newest, among which they mostly are, and one for each other."""
        newest = await self._mlflow.newest_versions(self._served.name)
        self._registered = {item.version: item for item in newest}
        others = [item for item in self._wanted if item.version not in self._registered]
        await asyncio.gather(*map(self._find_version, others))

    async def _find_version(self, wanted: ModelVersion) -> None:
        try:
            item = await self._mlflow.version(self._served.name, wanted.version)
        except NeighbourFailed:
            return  # deleted since, mostly
        self._registered[item.version] = item

    async def _find_run(self, wanted: ModelVersion) -> None:
        run_id = self._run_id(wanted)
        if not run_id:
            return
        try:
            self._runs[run_id] = await self._mlflow.run(run_id)
        except NeighbourFailed:
            return

    def _run_id(self, version: ModelVersion) -> str:
        registered = self._registered.get(version.version)
        return version.run_id or (registered.run_id if registered else "")

    def _run(self, version: ModelVersion | None) -> Run | None:
        return self._runs.get(self._run_id(version)) if version else None

    def _filled(self) -> Served:
        served = self._served
        current, previous = self._run(served.current), self._run(served.previous)
        names = telling(current.metrics if current else {}, previous.metrics if previous else None)
        return replace(
            served,
            current=self._fill(served.current, names),
            previous=self._fill(served.previous, names) if served.previous else None,
            challenger=self._fill(served.challenger, names) if served.challenger else None,
        )

    def _fill(self, version: ModelVersion, names: Sequence[str]) -> ModelVersion:
        registered, run = self._registered.get(version.version), self._run(version)
        user = (registered.user if registered else "") or (run.user if run else "")
        return ModelVersion(
            version=version.version,
            run_id=self._run_id(version),
            registered_by=user,
            registered_at=registered.created_at if registered else None,
            metrics=shown(run.metrics, names) if run else {},
            # A deleted version has no page; its run has.
            link=run.page if run and not registered else None,
        )
