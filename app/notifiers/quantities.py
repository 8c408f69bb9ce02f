"""Measured values as people read them: few digits, their unit, the decimal sign of the language.

Values are in Prometheus' base units (see facts.Measured); units are chosen as a chart does.
"""

from __future__ import annotations

import math

from babel.numbers import format_decimal, get_decimal_symbol

from app.core.scales import Measure, in_full, measure
from app.notifiers.catalogue import babel_locale
from app.notifiers.text import cut, one_line

_PER_SECOND = "per second"
_MILLI = 1e-3
_SYMBOLS = {
    "bits": " bit",
    "volts": " V",
    "amperes": " A",
    "joules": " J",
    "grams": " g",
    "meters": " m",
    "watts": " W",
    "hertz": " Hz",
}
_MEASURED = frozenset({"seconds", "bytes", "ratio", "percent", "celsius"})
_SHARES = frozenset({"ratio", "percent"})
_MOST_DIGITS = 7
_LARGEST, _SMALLEST = 1e15, 1e-4  # plain numbers beyond these are written with an exponent
_UNIT_LENGTH = 24
_LEAST = 0.1  # of a unit: below that, the value is written in its own


def quantity(value: float, unit: str, locale: str, *, beside: float | None = None) -> str:
    """One value: `830 ms`, `99.95%`, `182,340`, `1.2 MiB/s`.

    It is written in the same unit as the value `beside` it, and with as many digits as it takes
    to tell the two apart.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("-∞" if value < 0 else "∞")
    base, per = _split(unit)
    scale = _MILLI if base == "milliseconds" else 1.0
    base = "seconds" if base == "milliseconds" else base
    other = None if beside is None or not math.isfinite(beside) else beside * scale
    return _written(value * scale, base, locale, other) + per


def decimal_sign(locale: str) -> str:
    """What stands before the decimals in this language: a point or a comma."""
    return str(get_decimal_symbol(babel_locale(locale)))


def _split(unit: str) -> tuple[str, str]:
    """The base unit, and `/s` for one per second."""
    plain = one_line(unit)
    if plain == _PER_SECOND or plain.endswith(f" {_PER_SECOND}"):
        return plain.removesuffix(_PER_SECOND).strip(), "/s"
    return plain, ""


def _written(value: float, base: str, locale: str, beside: float | None) -> str:
    used = _measure(value, base, beside)
    digits = 4 if base in _SHARES else 3
    while digits < _MOST_DIGITS and beside is not None and value != beside:
        if _rounded(value, used, digits) != _rounded(beside, used, digits):
            break
        digits += 1
    shown = _rounded(value, used, digits)
    if base in _MEASURED:
        return in_full(shown * used.factor, base, used, decimal_sign(locale))
    return _number(shown, value, locale) + _symbol(base)


def _measure(value: float, base: str, beside: float | None) -> Measure:
    """One for both, unless the smaller one would read badly in it."""
    if base not in _MEASURED:
        return Measure(1, "")
    sizes = [abs(each) for each in (value, beside) if each]
    used = measure(base, max(sizes, default=0.0))
    return used if min(sizes, default=0.0) >= _LEAST * used.factor else measure(base, value)


def _rounded(value: float, used: Measure, digits: int) -> float:
    return float(f"{value / used.factor:.{digits}g}")


def _number(shown: float, value: float, locale: str) -> str:
    """Whole numbers in full: 182,340 messages are not 182 thousand."""
    size = abs(value)
    if size >= _LARGEST or 0 < size < _SMALLEST:
        return f"{shown:g}".replace(".", decimal_sign(locale))
    if size >= 100 or value.is_integer():  # noqa: PLR2004 - decimals say nothing from there on
        return str(format_decimal(round(value), locale=babel_locale(locale)))
    return str(format_decimal(shown, format="#,##0.######", locale=babel_locale(locale)))


def _symbol(base: str) -> str:
    return _SYMBOLS.get(base, f" {cut(base, _UNIT_LENGTH)}" if base else "")
