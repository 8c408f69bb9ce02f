"""Which sources are asked and watched, as far as they are set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.config import ModelRef
from app.core.alerts import Labels
from app.core.facts import Change
from app.core.history import Past
from app.core.registry import Kind
from app.core.watching import STANDARD, Series
from app.engine.policy import PolicyInForce
from app.engine.registry_watch import SOURCE, RegistryWatcher
from app.engine.watch import FigureWatcher, Watcher
from app.enrichers.changes import ChangesEnricher
from app.enrichers.enricher import Enricher, Subject
from app.enrichers.history import HistoryEnricher
from app.enrichers.measuring import PrometheusEnricher
from app.enrichers.mlflow import MlflowEnricher
from app.enrichers.prometheus import Prometheus
from app.mlflow.registry import Mlflow
from app.store import changes, queries
from app.store.database import Database

_MOST_CHANGES = 500  # more than that in two hours is no longer a list
_GAUGE_WITHIN = 1.2  # seconds
_WATCH_WITHIN = 10.0  # seconds
_QUOTES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that can be asked. None stands for what is not set up."""

    db: Database
    policy: PolicyInForce
    now: Callable[[], datetime]
    prometheus: Prometheus | None
    mlflow: Mlflow | None

    def enrichers(self) -> list[Enricher]:
        """The sources of context; our own log and ledger always are."""
        found: list[Enricher] = [
            ChangesEnricher(
                self._changes,
                topology=lambda: self.policy.current.topology,
                within=lambda: self.policy.current.config.context.changes_within,
            ),
            HistoryEnricher(self._past),
        ]
        if self.prometheus:
            found.append(PrometheusEnricher(self.prometheus))
        if self.prometheus or self.mlflow:
            found.append(
                MlflowEnricher(
                    self.mlflow,
                    self._models,
                    self._serving,
                    self._alias_moves,
                )
            )
        return found

    def watchers(self, registry: RegistryWatcher | None) -> list[Watcher]:
        """What is looked at for changes nobody tells of."""
        found: list[Watcher] = [registry] if registry else []
        if self.prometheus:
            where = self.prometheus.public_url
            found += [FigureWatcher(each, where, self._figures, self.now) for each in STANDARD]
        return found

    def _models(self) -> Sequence[ModelRef]:
        return self.policy.current.config.model_refs()

    async def _changes(self, after: datetime, until: datetime) -> list[Change]:
        return await self.db.read(changes.between, after, until, limit=_MOST_CHANGES)

    async def _past(self, subject: Subject, days: int) -> list[Past]:
        names = [alert.fingerprint for alert in subject.alerts]
        since = subject.incident.opened_at - timedelta(days=days)
        return await self.db.read(queries.past, subject.incident, names, since=since)

    async def _serving(self, model: str, at: datetime) -> Sequence[Labels] | None:
        """What the serving processes said of themselves at that moment; None: nobody to ask."""
        if self.prometheus is None:
            return None
        gauge = self.policy.current.config.context.serving_gauge
        query = f'{gauge}{{model="{model.translate(_QUOTES)}"}} == 1'
        found = await self.prometheus.query(query, at=at, within=_GAUGE_WITHIN)
        return [series.labels for series in found]

    async def _alias_moves(self, model: str, alias: str, at: datetime) -> list[Change]:
        """The recorded moves of an alias up to that moment, and the first one after it."""
        kinds = [Kind.ALIAS_MOVED.value, Kind.ALIAS_DELETED.value]
        moves = await self.db.read(changes.of_kind, SOURCE, kinds)
        mine = [
            move
            for move in moves
            if (move.labels.get("model"), move.labels.get("alias")) == (model, alias)
        ]
        later = [move for move in mine if move.at > at]
        return [*later[-1:], *(move for move in mine if move.at <= at)]

    async def _figures(self, query: str) -> Mapping[Series, float]:
        assert self.prometheus is not None  # noqa: S101  (only then is anything watched)
        found = await self.prometheus.query(query, at=self.now(), within=_WATCH_WITHIN)
        return {frozenset(series.labels.items()): series.value for series in found}
