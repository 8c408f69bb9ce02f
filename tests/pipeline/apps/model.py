"""The toy fraud model: a logistic regression on what is known of a payment when it is ordered."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from mlflow.pyfunc import PythonModel

from tests.pipeline.apps.habits import sigmoid


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
