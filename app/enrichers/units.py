"""The unit of an expression's value, as far as Prometheus' naming rules tell it.

Source: https://prometheus.io/docs/practices/naming/ (the base unit is the name's suffix, before
`_total`; a histogram's `_bucket`, `_sum` and `_count` follow the unit) and, for recorded series,
`level:metric:operations` of https://prometheus.io/docs/practices/rules/.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

from app.core.facts import Threshold
from app.enrichers.promql import Reason, bare, number, read

_BASES = frozenset(
    {"seconds", "milliseconds", "bytes", "bits", "ratio", "percent", "celsius", "volts"}
    | {"amperes", "joules", "grams", "meters", "watts", "hertz"}
)
_RATES = frozenset({"rate", "irate", "deriv"})
_COUNTING = frozenset({"count", "count_values", "group"})
# Functions whose value has the unit of their argument, and which argument that is.
_KEEPING = dict.fromkeys(
    [
        "abs",
        "avg_over_time",
        "ceil",
        "clamp",
        "clamp_max",
        "clamp_min",
        "delta",
        "double_exponential_smoothing",
        "floor",
        "holt_winters",
        "idelta",
        "increase",
        "label_join",
        "label_replace",
        "last_over_time",
        "max_over_time",
        "min_over_time",
        "predict_linear",
        "round",
        "scalar",
        "sort",
        "sort_desc",
        "stddev_over_time",
        "sum_over_time",
        "vector",
    ],
    0,
) | {"histogram_quantile": 1, "quantile_over_time": 1}
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """`base` is "" for plain numbers. `metric` is the counter or gauge it came from."""

    base: str = ""
    per_second: bool = False
    metric: str = ""
    counter: bool = False


def unit(expression: str, threshold: Threshold | None = None) -> str:
    """ "seconds", "bytes", "ratio", "per second", "bytes per second" …; "" where names say nothing.

    A quotient of two counters is a ratio only where `threshold` is one too: at most 1.
    """
    tree = read(expression)
    if isinstance(tree, Reason):
        return ""
    at_most_one = threshold is not None and abs(threshold.value) <= 1
    return _words(_unit(tree, at_most_one=at_most_one))


def _words(found: _Unit | None) -> str:
    if found is None or found.base == "timestamp":
        return ""
    if not found.per_second:
        return found.base
    # Seconds per second are a share of time, of as many processors as were summed.
    return "" if found.base == "seconds" else f"{found.base} per second".strip()


def _unit(tree: Expr, *, at_most_one: bool) -> _Unit | None:
    """None where nothing can be said."""
    match bare(tree):
        case VectorSelector() as selector:
            return _of_name(selector.name or "")
        case MatrixSelector() as matrix:
            return _of_name(matrix.vector_selector.name or "")
        case SubqueryExpr() | UnaryExpr() as inner:
            return _unit(inner.expr, at_most_one=at_most_one)
        case AggregateExpr() as aggregate if str(aggregate.op) not in _COUNTING:
            return _unit(aggregate.expr, at_most_one=at_most_one)
        case Call() as call:
            return _of_call(call, at_most_one=at_most_one)
        case BinaryExpr() as binary:
            return _of_binary(binary, at_most_one=at_most_one)
        case _:
            return None


def _of_name(name: str) -> _Unit:
    if name.count(":") > 1:
        name = name.split(":")[1]
    counter = name.endswith(("_total", "_count", "_sum", "_bucket"))
    stem = name
    for suffix in ("_total", "_sum", "_bucket"):
        stem = stem.removesuffix(suffix)
    if stem.endswith(("timestamp_seconds", "time_seconds")) and not counter:
        return _Unit("timestamp", metric=stem)
    last = stem.rpartition("_")[2]
    return _Unit(last if last in _BASES else "", metric=stem, counter=counter)


def _of_call(call: Call, *, at_most_one: bool) -> _Unit | None:
    name = call.func.name
    if name in {"time", "timestamp"}:
        return _Unit("timestamp")
    if name in _RATES:
        inner = _unit(call.args[0], at_most_one=at_most_one)
        return None if inner is None or inner.per_second else replace(inner, per_second=True)
    if name == "histogram_quantile":
        inner = _unit(call.args[1], at_most_one=at_most_one)
        return None if inner is None else _Unit(inner.base)
    if name in _KEEPING:
        return _unit(call.args[_KEEPING[name]], at_most_one=at_most_one)
    return None


def _of_binary(tree: BinaryExpr, *, at_most_one: bool) -> _Unit | None:
    left = _unit(tree.lhs, at_most_one=at_most_one)
    right = _unit(tree.rhs, at_most_one=at_most_one)
    constants = (number(tree.lhs), number(tree.rhs))
    match str(tree.op):
        case "/" if constants == (None, None):
            return _quotient(left, right, at_most_one=at_most_one)
        case "*" if _PERCENT in constants:
            of = right if constants[0] is not None else left
            return _Unit("percent") if of and of.base == "ratio" else None
        case "+" | "-" as operator:
            return _sum(operator, left, right, constants)
        case "and" | "unless" | "or" | ">" | "<" | ">=" | "<=" | "==" | "!=":
            return left
        case _:
            return None


def _quotient(left: _Unit | None, right: _Unit | None, *, at_most_one: bool) -> _Unit | None:
    if left is None or right is None:
        return None
    if left.per_second is right.per_second:
        alike = left.base == right.base
        same = alike and bool(left.base or left.metric == right.metric)
        if same or (alike and left.counter and right.counter and at_most_one):
            return _Unit("ratio")
        return _Unit(left.base) if left.base and not right.base else None
    # What is left, divided by how much of it passes in a second.
    return _Unit("seconds") if right.per_second and left.base == right.base else None


def _sum(
    operator: str,
    left: _Unit | None,
    right: _Unit | None,
    constants: tuple[float | None, float | None],
) -> _Unit | None:
    if constants[0] is not None:
        return right
    if constants[1] is not None or left is None or right is None:
        return left if constants[1] is not None else None
    if left.base != right.base or left.per_second is not right.per_second:
        return None
    return _Unit("seconds") if operator == "-" and left.base == "timestamp" else left
