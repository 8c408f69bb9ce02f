"""The stories: what goes wrong in each, which alerts that brings, and how it is put right.

With Prometheus the alerts follow from the figures by themselves; without it they are told by
`recorded.py`, after so many seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from demo.figures import FEATURES, MODEL

Name = Literal["model", "kafka", "storm", "false-resolve"]


@dataclass(frozen=True, slots=True)
class Expected:
    """Alerts of one name: `after` seconds, one for each of `series` labels beside the rule's."""

    alertname: str
    after: float = 0.0
    series: Sequence[Mapping[str, str]] = ({},)


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed in the pipeline, as it is told to the service."""

    kind: str
    title: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """`trouble` is the name of what goes wrong in `Figures`; `changed` is told as it begins,
    `undone` as it is put right. With `blinds`, Prometheus dies once the alert has been told."""

    name: Name
    trouble: str
    alerts: Sequence[Expected]
    changed: Change | None = None
    undone: Change | None = None
    blinds: bool = False

    @property
    def alertnames(self) -> list[str]:
        return [each.alertname for each in self.alerts]


_SERVED = {"component": "serving", "model": MODEL}
_V3 = {"model": MODEL, "version": "3"}
_LATE = {"consumergroup": "fraud-scoring", "topic": "pix-transactions"}

STORIES: Sequence[Story] = (
    Story(
        "model",
        "model",
        (Expected("ScoringSlow", series=[_V3]), Expected("ScoreDrift", after=1, series=[_V3])),
        changed=Change("promotion", f"{MODEL}: champion v2 → v3", _SERVED),
        undone=Change("promotion", f"{MODEL}: champion v3 → v2", _SERVED),
    ),
    Story(
        "kafka",
        "kafka",
        (
            Expected("KafkaConsumerLate", series=[_LATE]),
            Expected("SparkBatchSlow", after=2, series=[{"query": "score-pix"}]),
            Expected("PixBudgetBurnsFast", after=3),
            Expected("DeltaCommitsStopped", after=5, series=[{"table": "pix_scored"}]),
        ),
    ),
    Story(
        "storm",
        "features",
        (
            Expected(
                "FeatureStale",
                series=[{"feature": f"payer_activity_{n:03}"} for n in range(FEATURES)],
            ),
        ),
    ),
    Story("false-resolve", "replicas", (Expected("KafkaUnderReplicated"),), blinds=True),
)
BY_NAME: Mapping[str, Story] = {story.name: story for story in STORIES}
