"""The figures of a pipeline that is not there: what its exporters would say, as a story has it.

Metric names are those of the real exporters. Times are seconds of a clock that the caller reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MODEL = "pix-fraud"
FEATURES = 320
_SCORING = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)
_PIX = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0)
_RUNS = {"2": "4d1f0c2a9b7e4e0f8f3a6f1f7c2b9e10", "3": "9a7be3c51f0d4b7c8d2e5a4f3c6b1d20"}
_PARTITIONS = 6
_PER_SECOND = 120.0

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]


@dataclass
class Histogram:
    """Counts that grow with time: `middle` seconds is what half of them take, `spread` how far
    the rest are from that, as in a log-normal distribution."""

    name: str
    bounds: Sequence[float]
    labels: Labels
    counts: dict[float, float] = field(default_factory=dict)
    total: float = 0.0
    seconds: float = 0.0

    def observe(self, number: float, middle: float, spread: float) -> None:
        for bound in self.bounds:
            below = _below(bound, middle, spread)
            self.counts[bound] = self.counts.get(bound, 0.0) + number * below
        self.total += number
        self.seconds += number * middle

    def samples(self) -> Iterator[Sample]:
        for bound, count in self.counts.items():
            yield f"{self.name}_bucket", {**self.labels, "le": f"{bound:g}"}, count
        yield f"{self.name}_bucket", {**self.labels, "le": "+Inf"}, self.total
        yield f"{self.name}_count", self.labels, self.total
        yield f"{self.name}_sum", self.labels, self.seconds


def _below(bound: float, middle: float, spread: float) -> float:
    """The share of a log-normal distribution below a bound."""
    return 0.5 * (1 + math.erf(math.log(bound / middle) / (spread * math.sqrt(2))))


@dataclass
class Trouble:
    """One thing that goes wrong: how far it has come, from 0 (not at all) to 1, at a moment."""

    since: float | None = None
    until: float | None = None

    def share(self, now: float, *, after: float = 0.0, within: float = 2.0) -> float:
        """It sets in `after` so many seconds, and is full `within` so many more; so it goes."""
        if self.since is None:
            return 0.0
        grown = _ramp(now - self.since - after, within)
        gone = _ramp(now - self.until, within) if self.until is not None else 0.0
        return max(0.0, grown - gone)

    @property
    def on(self) -> bool:
        return self.since is not None and self.until is None


def _ramp(elapsed: float, within: float) -> float:
    return min(1.0, max(0.0, elapsed / within))


class Figures:
    """What the pipeline's exporters say now. `model`, `kafka`, `features` and `replicas` are what
    can go wrong. Not safe for several threads."""

    def __init__(self, now: float) -> None:
        self.model, self.kafka = Trouble(), Trouble()
        self.features, self.replicas = Trouble(), Trouble()
        self._looked = now
        self._committed = now
        self._scoring: dict[str, Histogram] = {}
        self._pix = Histogram("pix_end_to_end_seconds", _PIX, {})

    @property
    def version(self) -> str:
        """The model that serves."""
        return "3" if self.model.on else "2"

    def text(self, now: float) -> str:
        """All of it, in Prometheus' text format."""
        self._pass(now)
        families: dict[str, list[str]] = {}
        for name, labels, value in self._samples(now):
            inner = ",".join(f'{key}="{each}"' for key, each in labels.items())
            families.setdefault(name, []).append(f"{name}{{{inner}}} {value!r}\n")
        return "".join(line for lines in families.values() for line in lines)

    def _pass(self, now: float) -> None:
        """Count what happened since somebody last looked."""
        number = _PER_SECOND * max(0.0, now - self._looked)
        self._looked = now
        slow, late = self.model.share(now), self.kafka.share(now, after=2)
        labels = {"model": MODEL, "version": self.version}
        scoring = self._scoring.setdefault(
            self.version, Histogram("fraud_scoring_duration_seconds", _SCORING, labels)
        )
        scoring.observe(number, 0.035 + 0.18 * slow, 0.45)
        self._pix.observe(number, 0.9 + 0.4 * slow + 8 * late, 0.4)
        if late < 1:
            self._committed = now - 1.0

    def _samples(self, now: float) -> Iterator[Sample]:
        yield from self._serving(now)
        for partition in range(_PARTITIONS):
            labels = {"consumergroup": "fraud-scoring", "topic": "pix-transactions"}
            lag = 40 + 11 * partition + 9_000 * self.kafka.share(now)
            yield "kafka_consumergroup_lag", {**labels, "partition": str(partition)}, lag
        broken = round(4 * self.replicas.share(now, within=0.1))
        yield "kafka_server_replicamanager_underreplicatedpartitions", {"broker": "1"}, broken
        yield from self._streaming(now)
        aged = 3_600 * self.features.share(now, within=1)
        for number in range(FEATURES):
            labels = {"feature": f"payer_activity_{number:03}"}
            yield "fraud_feature_age_seconds", labels, 20 + number % 30 + aged

    def _serving(self, now: float) -> Iterator[Sample]:
        labels = {"model": MODEL, "version": self.version}
        info = {**labels, "alias": "champion", "run_id": _RUNS[self.version]}
        yield "fraud_model_info", info, 1
        yield "fraud_score_drift_psi", labels, 0.06 + 0.36 * self.model.share(now)
        yield from self._scoring[self.version].samples()
        yield from self._pix.samples()

    def _streaming(self, now: float) -> Iterator[Sample]:
        query, late = {"query": "score-pix"}, self.kafka.share(now, after=2)
        yield "spark_streaming_input_rows_per_second", query, _PER_SECOND
        yield "spark_streaming_processing_rows_per_second", query, 400 - 330 * late
        yield "spark_streaming_batch_latency_milliseconds", query, 700 + 14_000 * late
        table = {"table": "pix_scored"}
        yield "delta_last_data_commit_timestamp_seconds", table, self._committed
