"""What sources may say of an incident: one good night's full context, odd ones, hostile ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.core.context import Context, Finding, Moment
from app.core.facts import (
    Change,
    Changed,
    Earlier,
    Facts,
    Measured,
    Missing,
    ModelVersion,
    Neighbour,
    Related,
    Rule,
    Sample,
    SeriesValue,
    Served,
    Threshold,
    Witness,
)

START = datetime(2025, 11, 23, 6, 12, tzinfo=UTC)  # 03:12 in São Paulo
MINUTE = timedelta(minutes=1)
STEPS = (
    "See which version serves: `curl -s localhost:8000/metrics | grep model_info`",
    "If it began with a promotion, move the alias back to the version before",
    "Else look at the consumer lag: a late Kafka makes late scores",
)

RULE = Rule("ScoringLatencyHigh", "serving", "p99 > 0.5", timedelta(minutes=4))
EXPRESSION = (
    "histogram_quantile(0.99, sum by (le, instance) (rate(fraud_scoring_seconds_bucket[5m])))"
)


def line() -> tuple[Sample, ...]:
    """Two hours of p99: quiet, then up from eight minutes before the alert."""
    samples = []
    for minute in range(-110, 11):
        quiet = 0.12 + 0.015 * math.sin(minute / 7) + 0.008 * math.sin(minute * 1.7)
        rise = min(1.0, max(0.0, (minute + 8) / 6))
        value = quiet + rise * (0.71 + 0.05 * math.sin(minute / 2))
        samples.append(Sample(START + minute * MINUTE, value))
    return tuple(samples)


MEASURED = Measured(
    rule=RULE,
    expression=EXPRESSION,
    threshold=Threshold(">", 0.5),
    unit="seconds",
    firing=0.83,
    now=0.762,
    yesterday=0.1234,
    last_week=0.118,
    series=3,
    worst=(
        SeriesValue({"instance": "scorer-2"}, 0.8312),
        SeriesValue({"instance": "scorer-0"}, 0.7421),
        SeriesValue({"instance": "scorer-1"}, 0.5213),
    ),
    line=line(),
    also_firing={"kafka": ("KafkaConsumerLag", "KafkaUnderReplicated"), "spark": ("BatchLate",)},
    targets_down=("scorer-3:8000",),
)

SERVED = Served(
    name="pix-fraud",
    alias="champion",
    current=ModelVersion(
        "3",
        run_id="9f2c4e1ab7d34c5e8f60",
        registered_by="ana",
        registered_at=START - 50 * MINUTE,
        metrics={"auc": 0.9812, "recall_at_1pct_fpr": 0.743},
        link="https://mlflow.example.com/#/models/pix-fraud/versions/3",
    ),
    witness=Witness.SERVING,
    since=START - 4 * MINUTE,
    previous=ModelVersion("2", metrics={"auc": 0.9794, "recall_at_1pct_fpr": 0.751}),
    challenger=ModelVersion("4", link="https://mlflow.example.com/#/models/pix-fraud/versions/4"),
    versions=("3",),
    link="https://mlflow.example.com/#/models/pix-fraud",
)

CHANGED = Changed(
    timedelta(hours=2),
    (
        Change(
            "mlflow",
            "alias",
            "pix-fraud: champion 2 → 3",
            START - 4 * MINUTE,
            link="https://mlflow.example.com/#/models/pix-fraud",
        ),
        Change(
            "ci",
            "deploy",
            "scorer 1.8.2 deployed",
            START - 52 * MINUTE,
            link="https://ci.example.com/881",
        ),
        Change("delta", "optimize", "transactions: 412 files rewritten", START - 95 * MINUTE),
    ),
)

#: Noticed when the service came back, three hours after it had last looked.
UNSEEN = Change(
    "mlflow",
    "alias_moved",
    "pix-fraud: champion 2 → 3",
    START - 4 * MINUTE,
    not_before=START - timedelta(hours=3),
)

EARLIER = Earlier(
    count=2,
    days=90,
    lasted=timedelta(minutes=12),
    acknowledged_after=timedelta(minutes=3),
    by_itself=2,
    last_incident=17,
    last_opened_at=START - timedelta(days=9),
    last_note="restarted the scorer",
    last_note_by="Ana",
    noted_incident=17,
)

RELATED = Related(
    upstream=(Neighbour(11, "KafkaConsumerLag: 182,340 messages behind", "kafka"),),
    downstream=(Neighbour(14, "PixDecisionsLate: decisions later than 2 s", "decisions"),),
)


def context(*facts: Facts | Missing, now: Measured | None = None) -> Context:
    """These facts as they were at the opening, and the latest value ten minutes later."""
    names = {Measured: "prometheus", Served: "mlflow", Changed: "changes", Earlier: "history"}
    found = [
        Finding(names.get(type(each), f"source {number}"), Moment.OPENING, START, each)
        for number, each in enumerate(facts)
    ]
    if now is not None:
        found.append(Finding("prometheus", Moment.LATEST, START + 10 * MINUTE, now))
    return Context.of(*found)


def full() -> Context:
    return context(MEASURED, SERVED, CHANGED, EARLIER, now=MEASURED)


def without_prometheus() -> Context:
    gone = Finding("prometheus", Moment.OPENING, START, Missing("it did not answer within 2.5 s"))
    known = context(SERVED, CHANGED, EARLIER)
    return Context({**known.opening, "prometheus": gone}, known.latest)


def nobody_knows() -> Context:
    reasons = {
        "prometheus": "it is down and not asked for now",
        "mlflow": "it did not answer within 3 s",
        "models": "it did not answer within 3 s",
        "history": "it failed unexpectedly; the log has the details",
        "changes": "MLflow answered 503: busy.",
    }
    return Context.of(
        *(Finding(name, Moment.OPENING, START, Missing(why)) for name, why in reasons.items())
    )


def odd() -> Iterator[tuple[str, Context]]:
    """Contexts in which something is not as usual."""
    yield "recorded", context(replace(SERVED, witness=Witness.RECORDED))
    registry = replace(SERVED, witness=Witness.REGISTRY, since=START + MINUTE, previous=None)
    yield "registry", context(replace(registry, current=ModelVersion("3", registered_by="ana")))
    rollout = replace(SERVED, alias="", versions=("2", "3"), current=ModelVersion("3"))
    yield "rollout", context(rollout)
    when = ModelVersion("3", registered_at=START - 50 * MINUTE)
    yield "when registered", context(replace(SERVED, current=when, link=None))
    for operator in (">", ">=", "<", "<=", "==", "!="):
        at = Measured(RULE, "x", Threshold(operator, 1000), firing=1234.5, series=2)
        yield f"is {operator}", context(at)
    yield (
        "no threshold",
        context(
            Measured(None, "up", None, "The rule fires when the series is absent.", last_week=1.0)
        ),
    )
    yield "no value", context(Measured(RULE, "x", Threshold("<=", 0.05), unit="ratio"))
    further = "The rule has further conditions; this is the first."
    yield "value alone", context(replace(MEASURED, threshold=None, no_threshold=further))
    yield "first time", context(Changed(timedelta(hours=2)), Earlier(count=0, days=90))
    for count in (1, 3, 10, 11, 21):
        many = replace(EARLIER, count=count, noted_incident=15, by_itself=0)
        yield f"after {count}", context(many)
    yield "no note", context(replace(EARLIER, last_note="", noted_incident=None))
    yield "nobody knows", nobody_knows()
    yield "unseen", context(Changed(timedelta(hours=2), (UNSEEN,)))
    yesterday = replace(UNSEEN, not_before=START - timedelta(days=1))
    yield "unseen for a day", context(Changed(timedelta(hours=2), (yesterday,)))
    just_now = replace(UNSEEN, at=START + MINUTE / 2, not_before=START - MINUTE / 2)
    yield "around it", context(Changed(timedelta(hours=2), (just_now,)))
    yield "all up", context(replace(MEASURED, targets_down=(), targets=3))
    yield "one up", context(replace(MEASURED, targets_down=(), targets=1))


def hostile(text: str) -> Context:
    """Everything the sources can say, said badly."""
    labels = {text: text, "a": "<!here>" * 50}
    change = Change(text, text, text, START - MINUTE, link="javascript:alert(1)")
    version = ModelVersion(text, text, text, START, {text: math.nan, "x": -math.inf}, "ftp://x")
    return context(
        Measured(
            Rule(text, text, text, timedelta(days=400)),
            text * 5,
            Threshold(text, math.inf),
            text,
            text,
            *(math.nan, -1e300, 1e-300, 0.0),
            series=10_000,
            worst=[SeriesValue(labels, math.nan)] * 50,
            also_firing={text + str(n): [text] * 50 for n in range(50)},
            targets_down=[text] * 50,
        ),
        Served(text, text, version, Witness.REGISTRY, START, version, version, [text] * 50, text),
        Changed(timedelta(days=400), [change] * 50),
        replace(EARLIER, count=10_000, lasted=timedelta(days=400), last_note=text),
        Missing(text),
    )


def hostile_neighbours(text: str) -> Related:
    return Related([Neighbour(n, text, text) for n in range(9)], [Neighbour(9, text, text)])
