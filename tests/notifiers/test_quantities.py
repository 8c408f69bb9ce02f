from __future__ import annotations

import math

import pytest

from app.notifiers.quantities import quantity


@pytest.mark.parametrize(
    ("value", "unit", "beside", "shown", "exibido"),
    [
        (0.83, "seconds", 0.5, "830 ms", "830 ms"),
        (0.83123, "seconds", 0.5, "831 ms", "831 ms"),
        (1.234, "seconds", 0.5, "1.23 s", "1,23 s"),
        (0.5, "seconds", 1.234, "0.5 s", "0,5 s"),
        (300, "seconds", 7200, "5 min", "5 min"),
        (120, "milliseconds", None, "120 ms", "120 ms"),
        (0, "seconds", 0.5, "0 ms", "0 ms"),
        # As many digits as it takes to see which side of the threshold it is on.
        (0.50003, "seconds", 0.5, "500.03 ms", "500,03 ms"),
        (0.9995, "ratio", 0.999, "99.95%", "99,95%"),
        (0.05, "ratio", 0.123, "5%", "5%"),
        (2.5e6, "bytes per second", 1e6, "2.38 MiB/s", "2,38 MiB/s"),
        (3, "per second", None, "3/s", "3/s"),
        (45.678, "records", None, "45.7 records", "45,7 records"),
        # Counts are never rounded to thousands.
        (182_340.4, "", 100_000, "182,340", "182.340"),
        (1.5, "", None, "1.5", "1,5"),
        (1e-5, "", None, "1e-05", "1e-05"),
        (1.5e20, "", None, "1.5e+20", "1,5e+20"),
        (math.nan, "seconds", 0.5, "NaN", "NaN"),
        (-math.inf, "", None, "-∞", "-∞"),
        (2.0, "seconds", math.inf, "2 s", "2 s"),
    ],
)
def test_quantities(
    value: float, unit: str, beside: float | None, shown: str, exibido: str
) -> None:
    assert quantity(value, unit, "en", beside=beside) == shown
    assert quantity(value, unit, "pt-BR", beside=beside) == exibido


@pytest.mark.parametrize("value", [0.0, -1e300, 1e300, 5e-324, 1e-300, -0.0, math.nan])
@pytest.mark.parametrize("beside", [None, 0.0, 1e300, -5e-324, math.inf])
@pytest.mark.parametrize("unit", ["seconds", "bytes per second", "ratio", "", "<!here>" * 50])
def test_no_value_is_too_odd(value: float, beside: float | None, unit: str) -> None:
    assert 0 < len(quantity(value, unit, "pt-BR", beside=beside)) < 60
