"""A figure: a ratio of two numbers from one run, with both behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` ÷ `reference`, both in `unit`. Good is a ratio of at least 1, or at most 1 where
    `at_most`; a figure without a target (`judged` false) is told for what it explains."""

    name: str
    value: float
    reference: float
    unit: str
    against: str
    at_most: bool = False
    judged: bool = True

    @property
    def ratio(self) -> float:
        return self.value / self.reference if self.reference else float("inf")

    @property
    def met(self) -> bool:
        return self.ratio <= 1.0 if self.at_most else self.ratio >= 1.0

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        verdict = f"target {sign} 1.00  {'PASS' if self.met else 'MISS'}" if self.judged else ""
        numbers = f"{_number(self.value)} ÷ {_number(self.reference)} {self.unit} ({self.against})"
        return f"  {self.name:<50} {self.ratio:6.2f} = {numbers}  {verdict}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
