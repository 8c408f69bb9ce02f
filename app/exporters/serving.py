"""Metrics of the process that serves the fraud model: a library for it, not part of the service.

It needs `prometheus_client` and nothing else of Plantão. In a FastAPI service:

    metrics = ServingMetrics(model="pix-fraud", version="7", alias="champion", run_id=run_id,
                             reference=bins(training_scores))
    api.add_middleware(ScoringMiddleware, metrics=metrics, paths=["/score"])
    …
    metrics.scored(score, decision="declined")

In MLServer or anywhere else, `with metrics.timed():` around the prediction does what the
middleware does. `labelled` is called when the truth about a payment arrives, days later perhaps.
Keep one process for each replica: gauges of several in one would overwrite each other.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

Decision = Literal["approved", "declined", "review"]

DECISIONS: tuple[Decision, ...] = ("approved", "declined", "review")

#: The objective is 200 ms at the 99th percentile: a bucket must end there.
SCORING_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.75, 1, 2, 5)
#: Pix settles within 10 s.
END_TO_END_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30)
#: Scores are between 0 and 1; their buckets are the bins of the drift too.
SCORES = tuple(round(0.05 * step, 2) for step in range(1, 21))

_WINDOW = 5_000  # scores: a minute at 80 a second
_ENOUGH = 200  # with fewer, a share of each of 20 bins is chance
_LEAST_SHARE = 1e-4  # else one empty bin makes the drift infinite


def bins(scores: Iterable[float]) -> list[float]:
    """The share of scores in each twentieth from 0 to 1: the reference for the drift. Keep it
    with the model. Raises ValueError without scores."""
    counts = [0] * len(SCORES)
    for score in scores:
        counts[_bin(score)] += 1
    total = sum(counts)
    if not total:
        raise ValueError("expected scores to make a reference of")
    return [count / total for count in counts]


def psi(reference: Sequence[float], current: Sequence[float]) -> float:
    """The population stability index of two distributions, each as shares of the same bins.

    Below 0.1 they are alike, above 0.25 they are not: the credit industry's rule of thumb.
    """
    pairs = zip(reference, current, strict=True)
    shares = [(max(was, _LEAST_SHARE), max(now, _LEAST_SHARE)) for was, now in pairs]
    return sum((now - was) * math.log(now / was) for was, now in shares)


def _bin(score: float) -> int:
    """Bins end where the histogram's buckets do: 0.05 is in the first."""
    return min(max(math.ceil(round(score * len(SCORES), 9)) - 1, 0), len(SCORES) - 1)


class ServingMetrics:
    """What one replica tells of the model it serves. May be used from several threads.

    `reference` is what `bins` gave for the scores at training; without it no drift is told.
    """

    def __init__(
        self,
        *,
        model: str,
        version: str,
        alias: str = "",
        run_id: str = "",
        reference: Sequence[float] | None = None,
        registry: CollectorRegistry = REGISTRY,
        window: int = _WINDOW,
    ) -> None:
        self.model = model
        self.version = ""
        self._lock = Lock()
        self._recent: deque[int] = deque(maxlen=window)
        self._differences: deque[float] = deque(maxlen=window)
        self._declare(registry)
        self.serve(version=version, alias=alias, run_id=run_id, reference=reference)

    def _declare(self, registry: CollectorRegistry) -> None:
        of = ("model", "version")

        def histogram(name: str, told: str, buckets: Sequence[float]) -> Histogram:
            return Histogram(name, told, of, buckets=buckets, registry=registry)

        def gauge(name: str, told: str, *labels: str) -> Gauge:
            return Gauge(name, told, labels, registry=registry)

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(name, told, (*of, *labels), registry=registry)

        self._info = gauge(
            "fraud_model_info", "The model version in service.", *of, "alias", "run_id"
        )
        self._seconds = histogram(
            "fraud_scoring_duration_seconds", "Time to answer a request.", SCORING_SECONDS
        )
        self._end_to_end = histogram(
            "pix_end_to_end_seconds", "From a payment's order to its answer.", END_TO_END_SECONDS
        )
        self._score = histogram("fraud_score", "Scores given, from 0 to 1.", SCORES)
        self._requests = counter("fraud_scoring_requests", "Requests answered.", "outcome")
        self._decisions = counter("fraud_decisions", "Payments decided on.", "decision")
        self._labels = counter(
            "fraud_labels", "Payments whose truth is known, by the decision.", "label", "decision"
        )
        self._drift = gauge(
            "fraud_score_drift_psi", "Population stability index of recent scores.", *of
        )
        self._label_at = gauge(
            "fraud_label_last_timestamp_seconds", "When a label last arrived.", "model"
        )
        self._age = gauge("fraud_feature_age_seconds", "Age of a feature when used.", "feature")
        self._divergence = gauge(
            "fraud_canary_divergence", "Mean difference of champion and challenger.", "model"
        )

    # --- what is served

    def serve(
        self,
        *,
        version: str,
        alias: str = "",
        run_id: str = "",
        reference: Sequence[float] | None = None,
    ) -> None:
        """Another version is served from now on; its counters begin at 0, all of them."""
        if reference is not None and len(reference) != len(SCORES):
            raise ValueError(f"expected {len(SCORES)} shares, as bins() gives, for the reference")
        with self._lock:
            self._info.clear()
            self._drift.clear()
            self._recent.clear()
            self._counts = [0] * len(SCORES)
            self._differences.clear()
            self._difference = 0.0
            self._divergence.clear()
            self.version = version
            self._reference = reference
        self._info.labels(self.model, version, alias, run_id).set(1)
        for family in (self._seconds, self._end_to_end, self._score):
            family.labels(self.model, version)
        for outcome in ("ok", "error"):
            self._requests.labels(self.model, version, outcome)
        for decision in DECISIONS:
            self._decisions.labels(self.model, version, decision)
            for label in ("fraud", "legitimate"):
                self._labels.labels(self.model, version, label, decision)

    # --- what happens

    def scored(
        self,
        score: float,
        *,
        decision: Decision | None = None,
        seconds: float | None = None,
        challenger: float | None = None,
    ) -> None:
        """A payment got a score from 0 to 1. `challenger` is what the other version would have
        given; with `seconds` this was also a request (without middleware or `timed`)."""
        self._score.labels(self.model, self.version).observe(score)
        if decision is not None:
            self._decisions.labels(self.model, self.version, decision).inc()
        if seconds is not None:
            self.answered(seconds)
        with self._lock:
            self._remember(_bin(score))
            if challenger is not None:
                self._compare(abs(score - challenger))

    def _remember(self, found: int) -> None:
        recent = self._recent
        if len(recent) == recent.maxlen:
            self._counts[recent[0]] -= 1
        recent.append(found)
        self._counts[found] += 1
        if self._reference is not None and len(recent) >= min(_ENOUGH, recent.maxlen or _ENOUGH):
            current = [count / len(recent) for count in self._counts]
            self._drift.labels(self.model, self.version).set(psi(self._reference, current))

    def _compare(self, difference: float) -> None:
        recent = self._differences
        if len(recent) == recent.maxlen:
            self._difference -= recent[0]
        recent.append(difference)
        self._difference += difference
        self._divergence.labels(self.model).set(self._difference / len(recent))

    def answered(self, seconds: float, *, ok: bool = True) -> None:
        """A request was answered within `seconds`, or failed."""
        self._seconds.labels(self.model, self.version).observe(seconds)
        outcome = "ok" if ok else "error"
        self._requests.labels(self.model, self.version, outcome).inc()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Around the answer to one request; what raises is an error."""
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            self.answered(time.perf_counter() - began, ok=False)
            raise
        self.answered(time.perf_counter() - began)

    def labelled(
        self,
        *,
        fraud: bool,
        decision: Decision,
        version: str | None = None,
        at: float | None = None,
    ) -> None:
        """The truth about a payment is known: what was decided, by which version (default: the
        one in service). `at` is when it arrived, in seconds since 1970 (default: now)."""
        label = "fraud" if fraud else "legitimate"
        self._labels.labels(self.model, version or self.version, label, decision).inc()
        self._label_at.labels(self.model).set(time.time() if at is None else at)

    def feature_used(self, feature: str, *, age: float) -> None:
        """A feature was used that was computed `age` seconds ago."""
        self._age.labels(feature).set(age)

    def settled(self, seconds: float) -> None:
        """A payment was answered, `seconds` after it was ordered."""
        self._end_to_end.labels(self.model, self.version).observe(seconds)


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_FIRST_ERROR = 400  # a request that the model cannot take is a payment without a score


class ScoringMiddleware:
    """Times every request to `paths` (ASGI: FastAPI, Starlette, MLflow's own server) until its
    answer's last byte."""

    def __init__(self, app: App, *, metrics: ServingMetrics, paths: Sequence[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = frozenset(paths)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        status = 500  # unless it answers

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.answered(time.perf_counter() - began, ok=status < _FIRST_ERROR)
