"""What customers and fraudsters do, by the numbers: for training, and for the generator."""

from __future__ import annotations

from typing import Any

import numpy as np

#: What a payment is judged by; each is 0 or 1, but the logarithm of the amount.
FEATURES = ("log_amount", "night", "new_payee", "hurried")


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
