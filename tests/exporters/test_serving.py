"""The library for the serving process, in a FastAPI application as its users would write it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry

from app.exporters.serving import SCORING_SECONDS, ScoringMiddleware, ServingMetrics, bins, psi

OF = {"model": "pix-fraud", "version": "7"}
EVEN = [at / 1000 for at in range(1000)]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def serving(registry: CollectorRegistry, **how: Any) -> ServingMetrics:
    return ServingMetrics(
        model="pix-fraud", version="7", alias="champion", run_id="r1", registry=registry, **how
    )


def service(metrics: ServingMetrics) -> httpx.AsyncClient:
    api = FastAPI()
    api.add_middleware(ScoringMiddleware, metrics=metrics, paths=["/score"])

    @api.post("/score")
    async def score(amount: float) -> float:
        if amount < 0:
            raise HTTPException(422)
        if amount > 1000:
            raise RuntimeError("the model broke")
        metrics.scored(0.3, decision="approved")
        return 0.3

    @api.get("/healthz")
    async def healthz() -> str:
        return "up"

    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://scoring.test")


def test_it_needs_nothing_of_the_service() -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, app.exporters.serving\n"
            "print(*sorted(name for name in sys.modules if name.startswith('app')))",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.split() == ["app", "app.exporters", "app.exporters.serving"]


async def test_requests_are_timed_and_counted_by_outcome(registry: CollectorRegistry) -> None:
    async with service(serving(registry)) as http:
        for amount in (10, 20, -1, 5000):
            await http.post("/score", params={"amount": amount})
        await http.get("/healthz")
    ok = registry.get_sample_value("fraud_scoring_requests_total", {**OF, "outcome": "ok"})
    failed = registry.get_sample_value("fraud_scoring_requests_total", {**OF, "outcome": "error"})
    assert (ok, failed) == (2, 2)
    assert registry.get_sample_value("fraud_scoring_duration_seconds_count", OF) == 4
    approved = registry.get_sample_value("fraud_decisions_total", {**OF, "decision": "approved"})
    assert approved == 2


def test_the_objective_has_a_bucket_of_its_own(registry: CollectorRegistry) -> None:
    metrics = serving(registry)
    for seconds in (0.19, 0.21, 9.0):
        metrics.answered(seconds)
    name = "fraud_scoring_duration_seconds_bucket"
    assert 0.2 in SCORING_SECONDS
    assert registry.get_sample_value(name, {**OF, "le": "0.2"}) == 1
    assert registry.get_sample_value(name, {**OF, "le": "+Inf"}) == 3


def test_counters_are_there_before_anything_happens(registry: CollectorRegistry) -> None:
    serving(registry)
    for decision in ("approved", "declined", "review"):
        name, labels = "fraud_decisions_total", {**OF, "decision": decision}
        assert registry.get_sample_value(name, labels) == 0
        for label in ("fraud", "legitimate"):
            found = registry.get_sample_value("fraud_labels_total", {**labels, "label": label})
            assert found == 0


def test_what_raises_is_an_error(registry: CollectorRegistry) -> None:
    metrics = serving(registry)
    with metrics.timed():
        pass
    with pytest.raises(ZeroDivisionError), metrics.timed():
        raise ZeroDivisionError
    labels = {**OF, "outcome": "error"}
    assert registry.get_sample_value("fraud_scoring_requests_total", labels) == 1


def test_the_same_scores_do_not_drift(registry: CollectorRegistry) -> None:
    metrics = serving(registry, reference=bins(EVEN))
    for score in EVEN:
        metrics.scored(score)
    assert registry.get_sample_value("fraud_score_drift_psi", OF) == pytest.approx(0, abs=1e-6)


def test_other_scores_drift_as_soon_as_they_fill_the_window(registry: CollectorRegistry) -> None:
    metrics = serving(registry, reference=bins(EVEN), window=1000)
    for score in EVEN:
        metrics.scored(score)
    for score in EVEN:
        metrics.scored(score**3)
    found = registry.get_sample_value("fraud_score_drift_psi", OF)
    assert found == pytest.approx(psi(bins(EVEN), bins(s**3 for s in EVEN)))
    assert psi(bins(EVEN), bins(s**3 for s in EVEN)) > 0.25


def test_few_scores_do_not_tell_of_a_drift(registry: CollectorRegistry) -> None:
    metrics = serving(registry, reference=bins(EVEN))
    for _ in range(199):
        metrics.scored(0.99)
    assert registry.get_sample_value("fraud_score_drift_psi", OF) is None
    metrics.scored(0.99)
    assert registry.get_sample_value("fraud_score_drift_psi", OF) is not None


@pytest.mark.parametrize(
    ("score", "which"),
    [(-1, 0), (0, 0), (0.05, 0), (0.0500001, 1), (0.1, 1), (0.95, 18), (1, 19), (2, 19)],
)
def test_bins_end_where_buckets_do(score: float, which: int) -> None:
    assert bins([score]).index(1) == which


def test_psi_by_hand() -> None:
    # (0.4 - 0.5) ln(0.4/0.5) + (0.6 - 0.5) ln(0.6/0.5)
    assert psi([0.5, 0.5], [0.4, 0.6]) == pytest.approx(0.040547, abs=1e-6)


def test_labels_that_arrive_late_belong_to_the_version_that_decided(
    registry: CollectorRegistry,
) -> None:
    metrics = serving(registry)
    metrics.serve(version="8", alias="champion", run_id="r2")
    metrics.labelled(fraud=True, decision="declined", version="7", at=1000)
    labels = {**OF, "label": "fraud", "decision": "declined"}
    assert registry.get_sample_value("fraud_labels_total", labels) == 1
    at = registry.get_sample_value("fraud_label_last_timestamp_seconds", {"model": "pix-fraud"})
    assert at == 1000


def test_a_promotion_replaces_the_version(registry: CollectorRegistry) -> None:
    metrics = serving(registry, reference=bins(EVEN))
    for score in EVEN:
        metrics.scored(score)
    metrics.serve(version="8", alias="champion", run_id="r2")
    info = {(s.labels["version"], s.labels["run_id"]) for f in registry.collect()
            if f.name == "fraud_model_info" for s in f.samples}  # fmt: skip
    assert info == {("8", "r2")}
    assert registry.get_sample_value("fraud_score_drift_psi", OF) is None
    assert registry.get_sample_value("fraud_score_count", OF) == 1000, "a counter stays"


def test_champion_and_challenger(registry: CollectorRegistry) -> None:
    metrics = serving(registry, window=2)
    for champion, challenger in ((0.1, 0.9), (0.2, 0.4), (0.5, 0.4)):
        metrics.scored(champion, challenger=challenger)
    found = registry.get_sample_value("fraud_canary_divergence", {"model": "pix-fraud"})
    assert found == pytest.approx((0.2 + 0.1) / 2)


def test_features_and_the_way_from_end_to_end(registry: CollectorRegistry) -> None:
    metrics = serving(registry)
    metrics.feature_used("payments_last_hour", age=12.5)
    metrics.settled(1.5)
    labels = {"feature": "payments_last_hour"}
    assert registry.get_sample_value("fraud_feature_age_seconds", labels) == 12.5
    name = "pix_end_to_end_seconds_bucket"
    assert registry.get_sample_value(name, {**OF, "le": "2.0"}) == 1


def test_a_reference_of_another_form_is_refused(registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match="20 shares"):
        serving(registry, reference=[0.5, 0.5])
    with pytest.raises(ValueError, match="expected scores"):
        bins([])
