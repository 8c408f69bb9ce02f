"""The toy fraud model: a logistic regression on what is known of a payment when it is ordered."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from mlflow.pyfunc import PythonModel

#: What a payment is judged by; each is 0 or 1, but the logarithm of the amount.
FEATURES = ("log_amount", "night", "new_payee", "hurried")


class FraudModel(PythonModel):
    """Weights and what they were trained at. `dawdles` for so many seconds over each payment, as a
    version does that asks a slow store for each of them."""

    def __init__(self, weights: list[float], bias: float, dawdles: float = 0.0) -> None:
        self.weights = weights
        self.bias = bias
        self.dawdles = dawdles

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's signature
        model_input: Any,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> list[float]:
        """The probability of fraud for each row of features."""
        if self.dawdles:
            time.sleep(self.dawdles)
        rows = np.asarray(model_input, dtype=float)
        return [float(score) for score in sigmoid(rows @ np.array(self.weights) + self.bias)]


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))


def payments(count: int, *, seed: int) -> tuple[Any, Any]:
    """Features of so many payments, and which of them are fraud: one in eight or so.

    Fraud likes the night, new payees, haste and large amounts. The generator draws from the same.
    """
    dice = np.random.default_rng(seed)
    fraud = dice.random(count) < 0.12
    amount = dice.normal(np.where(fraud, 7.0, 4.5), 0.7)
    flags = [
        dice.random(count) < np.where(fraud, likely, rare)
        for likely, rare in ((0.7, 0.1), (0.85, 0.15), (0.8, 0.05))
    ]
    return np.column_stack([amount, *flags]).astype(float), fraud
