"""Trains the fraud model, logs the run, and registers a version of it.

    train.py TRACKING_URI [ALIAS] [--labels-mixed-up] [--dawdles SECONDS]

It prints the version. With `--labels-mixed-up` it learns from the labels of other payments, as a
wrong join makes it.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import mlflow
import numpy as np

from app.exporters.serving import bins
from tests.pipeline.apps.habits import FEATURES, payments, sigmoid
from tests.pipeline.apps.model import FraudModel

MODEL = "pix-fraud"
_STEPS, _RATE = 400, 0.5


def fit(rows: Any, fraud: Any) -> tuple[list[float], float]:
    """Weights and bias by gradient descent, on rows as they are."""
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - centre) / scale
    weights, bias = np.zeros(rows.shape[1]), 0.0
    for _ in range(_STEPS):
        error = sigmoid(scaled @ weights + bias) - fraud
        weights -= _RATE * scaled.T @ error / len(rows)
        bias -= _RATE * float(error.mean())
    unscaled = weights / scale
    return [float(weight) for weight in unscaled], float(bias - centre @ unscaled)


def auc(scores: Any, fraud: Any) -> float:
    """How often a fraud scores higher than an honest payment."""
    ranks = np.argsort(np.argsort(scores)) + 1
    bad = int(fraud.sum())
    good = len(fraud) - bad
    return float((ranks[fraud].sum() - bad * (bad + 1) / 2) / (bad * good))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tracking_uri")
    parser.add_argument("alias", nargs="?")
    parser.add_argument("--labels-mixed-up", action="store_true")
    parser.add_argument("--dawdles", type=float, default=0.0)
    print(train(parser.parse_args()))


def train(asked: argparse.Namespace) -> str:
    mlflow.set_tracking_uri(asked.tracking_uri)
    mlflow.set_experiment(MODEL)
    rows, fraud = payments(4_000, seed=1)
    learned = np.random.default_rng(2).permutation(fraud) if asked.labels_mixed_up else fraud
    weights, bias = fit(rows, learned)
    model = FraudModel(weights, bias, asked.dawdles)
    tested, truth = payments(2_000, seed=3)
    quick = FraudModel(weights, bias)
    scores = np.array(quick.predict(None, tested))
    with mlflow.start_run():
        mlflow.log_params({"steps": _STEPS, "rate": _RATE, "features": ",".join(FEATURES)})
        mlflow.log_metric("auc", auc(scores, truth))
        mlflow.log_text(json.dumps(bins(scores)), "reference.json")
        logged = mlflow.pyfunc.log_model(
            name="model", python_model=model, registered_model_name=MODEL, pip_requirements=[]
        )
    version = str(logged.registered_model_version)
    if asked.alias:
        mlflow.MlflowClient().set_registered_model_alias(MODEL, asked.alias, version)
    return version


if __name__ == "__main__":
    main()
