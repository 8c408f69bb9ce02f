"""The scoring service: loads `models:/pix-fraud@champion`, and the challenger if there is one.

    scoring.py TRACKING_URI FEATURES_TABLE PORT

It loads at the start and when it is told (`POST /reload`), as a deploy does; a promotion alone
changes nothing here. How old its features are it knows from the table that Spark writes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import uvicorn
from fastapi import FastAPI
from mlflow.exceptions import MlflowException
from prometheus_client import make_asgi_app
from pydantic import BaseModel

from app.exporters.serving import Decision, ScoringMiddleware, ServingMetrics

MODEL = "pix-fraud"
_WINDOW = 300  # scores: what drift and divergence look back on, 20 seconds here
_DECLINE, _REVIEW = 0.5, 0.3


class Payment(BaseModel):
    features: list[float]
    ordered_at: float


class Label(BaseModel):
    fraud: bool
    decision: Decision
    version: str


@dataclass
class Served:
    version: str
    run_id: str
    model: Any


def load(alias: str) -> Served | None:
    """The version with this alias, or None without one."""
    try:
        found = mlflow.MlflowClient().get_model_version_by_alias(MODEL, alias)
    except MlflowException:
        return None
    return Served(found.version, found.run_id, mlflow.pyfunc.load_model(f"models:/{MODEL}@{alias}"))


def reference(run_id: str) -> list[float]:
    shares: list[float] = json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/reference.json"))
    return shares


class Scorer:
    def __init__(self, features: Path) -> None:
        self._features = features
        self._load()
        self.metrics = ServingMetrics(model=MODEL, version=self._champion.version, window=_WINDOW)
        self._tell()

    def _load(self) -> None:
        champion = load("champion")
        if champion is None:
            raise SystemExit(f"{MODEL} has no champion")
        self._champion, self._challenger = champion, load("challenger")

    def _tell(self) -> None:
        self.metrics.serve(
            version=self._champion.version,
            alias="champion",
            run_id=self._champion.run_id,
            reference=reference(self._champion.run_id),
        )

    def reload(self) -> str:
        self._load()
        self._tell()
        return self._champion.version

    def score(self, payment: Payment) -> dict[str, Any]:
        [score] = self._champion.model.predict([payment.features])
        other = None
        if self._challenger is not None:
            [other] = self._challenger.model.predict([payment.features])
        decision: Decision = (
            "declined" if score > _DECLINE else "review" if score > _REVIEW else "approved"
        )
        self.metrics.scored(score, decision=decision, challenger=other)
        self.metrics.feature_used("mean_amount", age=self._age())
        self.metrics.settled(time.time() - payment.ordered_at)
        return {"score": score, "decision": decision, "version": self._champion.version}

    def _age(self) -> float:
        """Seconds since the table of features was last written to."""
        commits = sorted(self._features.glob("_delta_log/*.json"))
        return time.time() - commits[-1].stat().st_mtime if commits else 0.0


def service(scorer: Scorer) -> FastAPI:
    api = FastAPI()
    api.add_middleware(ScoringMiddleware, metrics=scorer.metrics, paths=["/score"])
    api.mount("/metrics", make_asgi_app())

    @api.post("/score")
    def score(payment: Payment) -> dict[str, Any]:
        return scorer.score(payment)

    @api.post("/labels")
    def labels(label: Label) -> None:
        scorer.metrics.labelled(fraud=label.fraud, decision=label.decision, version=label.version)

    @api.post("/reload")
    def reload() -> str:
        return scorer.reload()

    @api.get("/health")
    def health() -> str:
        return "ok"

    return api


def main() -> None:
    tracking_uri, features, port = sys.argv[1:]
    mlflow.set_tracking_uri(tracking_uri)
    api = service(Scorer(Path(features)))
    host = os.environ.get("HOST", "127.0.0.1")
    uvicorn.run(api, host=host, port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
