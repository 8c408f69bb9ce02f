"""PromQL taken apart: what an alerting rule compares with what, and which series it reads.

Sources: the operators' documentation of Prometheus (a comparison without `bool` is a filter
that keeps the left side's value; `and` and `unless` keep the left side's, `or` either's).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeGuard

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    Function,
    Matcher,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorSelector,
)

from app.core.facts import Threshold

LONGEST = 8_000
"""Characters. The parser needs time that grows with the square of what it reads."""
DEEPEST = 50
"""Brackets within brackets; at tens of thousands the parser overflows the process's stack."""
MOST_OPERATORS = 150
_MOST_ALTERNATIVES = 4


class Reason(StrEnum):
    """Why there is no single threshold, or what else must be said of it: a closed set."""

    UNREADABLE = "The rule's expression cannot be read."
    TOO_LONG = "The rule's expression is too long to be taken apart."
    NOT_COMPARED = "The rule compares with nothing."
    ABSENT = "The rule fires when the series is absent."
    UNLESS = "The rule fires unless another condition holds."
    QUERY = "The threshold is itself a query."
    VARIES = "The threshold differs from series to series."
    NOT_FINITE = "The threshold is not a finite number."
    FURTHER = "The rule has further conditions; this is the first."
    FIRST = "The rule has alternatives; this is the first."
    HELD = "The rule has alternatives; this is the one that held."


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a rule compares. `left` is PromQL and always gives a vector when it was readable.

    `operator` is PromQL's with the number on the right, "" where nothing is compared. With a
    `threshold`, `reason` is None or says that more than this comparison decides; without one it
    says why. `right` is the threshold as PromQL where it is itself a query. `alternatives` are
    the other sides of an `or`: whichever holds made the alert fire.
    """

    left: str
    threshold: Threshold | None
    reason: Reason | None = None
    operator: str = ""
    right: str = ""
    alternatives: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Series that an expression reads, without its offset. `metric` is "" where not given.

    `target_matchers` are those on `job` and `instance`, as PromQL; `names_job` says whether
    one of them is on `job`.
    """

    metric: str
    text: str
    target_matchers: tuple[str, ...]
    names_job: bool


_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_TRUE_WHEN = {("==", 1.0), (">", 0.0), (">=", 1.0), ("!=", 0.0)}
_ABSENT = frozenset({"absent", "absent_over_time"})
# What hands on its argument's values and changes labels, order or number of the series only.
_TRANSPARENT = frozenset(
    {"label_join", "label_replace", "sort", "sort_by_label", "sort_by_label_desc", "sort_desc"}
)
_TRANSPARENT_AGGREGATES = frozenset({"topk", "bottomk"})
_MATCH_SIGNS = (
    (MatchOp.Equal, "="),
    (MatchOp.NotEqual, "!="),
    (MatchOp.Re, "=~"),
    (MatchOp.NotRe, "!~"),
)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`', re.DOTALL)
_COMMENTS = re.compile(r"#[^\n]*")
_OPERATORS = re.compile(r"[-+*/%^]|[<>=!]=?|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)

# Prometheus 2's name of a function that Prometheus 3 calls double_exponential_smoothing.
promql_parser.register_extra_functions(
    [
        Function(
            "holt_winters",
            [ValueType.Matrix, ValueType.Scalar, ValueType.Scalar],
            ValueType.Vector,
        )
    ]
)


def split(expression: str) -> Comparison:
    """What `expression`, an alerting rule's, compares with what. Raises nothing."""
    tree = read(expression)
    if isinstance(tree, Reason):
        return Comparison(expression, None, tree)
    first, *others = _comparisons(tree)
    if not others:
        return first
    first, *others = (
        replace(each, reason=each.reason or Reason.FIRST)
        for each in (first, *others[: _MOST_ALTERNATIVES - 1])
    )
    return replace(first, alternatives=tuple(others))


def selectors(expression: str) -> tuple[Selector, ...]:
    """The series that `expression` reads, each once, in order; none where it is unreadable."""
    tree = read(expression)
    if isinstance(tree, Reason):
        return ()
    found: dict[str, Selector] = {}

    def visit(node: Expr) -> None:
        if isinstance(node, VectorSelector):
            selector = _selector(node)
            found.setdefault(selector.text, selector)

    promql_parser.walk(tree, visit)
    return tuple(found.values())


def read(expression: str) -> Expr | Reason:
    """The expression's tree, or why there is none. Raises nothing."""
    expression = _STRINGS.sub(_double_quoted, expression)
    if _too_much(expression):
        return Reason.TOO_LONG
    try:
        return promql_parser.parse(expression)
    except ValueError:
        return Reason.UNREADABLE


def quoted(text: str) -> str:
    """A string as PromQL has it; its escapes are Go's, of which JSON's are a part."""
    return json.dumps(text, ensure_ascii=False)


def label(name: str) -> str:
    """A label's name as PromQL has it: since Prometheus 3 any text, then in quotes."""
    return name if re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) else quoted(name)


def bare(tree: Expr) -> Expr:
    """The expression without the brackets around it."""
    while isinstance(tree, ParenExpr):
        tree = tree.expr
    return tree


def number(tree: Expr) -> float | None:
    """The value of a constant, which may be NaN or infinite; None for what must be queried."""
    match bare(tree):
        case NumberLiteral() as literal:
            return literal.val
        case UnaryExpr() as unary:
            value = number(unary.expr)
            return None if value is None else -value
        case Call() as call if call.func.name in {"vector", "scalar"}:
            return number(call.args[0])
        case Call() as call if call.func.name == "pi":
            return math.pi
        case BinaryExpr() as binary if str(binary.op) in _ARITHMETIC:
            return _calculated(number(binary.lhs), str(binary.op), number(binary.rhs))
        case _:
            return None


def _comparisons(tree: Expr) -> list[Comparison]:
    """One for each alternative of the expression."""
    match bare(tree):
        case BinaryExpr() as binary if str(binary.op) in _FLIPPED:
            return [_compared(binary)]
        case BinaryExpr() as binary if str(binary.op) == "or":
            return [*_comparisons(binary.lhs), *_comparisons(binary.rhs)]
        case BinaryExpr() as binary if str(binary.op) == "and":
            return _with_further_conditions(binary)
        case BinaryExpr() as binary if str(binary.op) == "unless":
            return [_unless(each) for each in _comparisons(binary.lhs)]
        case BinaryExpr() as binary if str(binary.op) == "*" and _is_info(binary.rhs):
            return _comparisons(binary.lhs)
        case BinaryExpr() as binary if str(binary.op) == "*" and _is_info(binary.lhs):
            return _comparisons(binary.rhs)
        case Call() as call if call.func.name in _ABSENT:
            return [Comparison(_absent_series(call), None, Reason.ABSENT)]
        case Call() as call if call.func.name in _TRANSPARENT:
            return [_within(call, call.args[0])]
        case AggregateExpr() as aggregate if str(aggregate.op) in _TRANSPARENT_AGGREGATES:
            return [_within(aggregate, aggregate.expr)]
        case other:
            return [Comparison(_vector_text(other), None, Reason.NOT_COMPARED)]


def _compared(tree: BinaryExpr) -> Comparison:
    left, operator, right = bare(tree.lhs), str(tree.op), bare(tree.rhs)
    if number(left) is not None and number(right) is None:
        left, operator, right = right, _FLIPPED[operator], left
    value = number(right)
    if (operator, value) in _TRUE_WHEN and _is_comparison(left, truth=True):
        return _compared(left)
    carrier = _carrier(left)
    shown = Comparison(_vector_text(carrier), None, operator=operator)
    if value is None:
        return replace(shown, reason=Reason.QUERY, right=_vector_text(right))
    if not math.isfinite(value):
        return replace(shown, reason=Reason.NOT_FINITE)
    further = None if carrier is left else Reason.FURTHER
    return replace(shown, threshold=Threshold(operator, value), reason=further)


def _carrier(tree: Expr) -> Expr:
    """What gives the value where comparisons are chained, as `a` in `0 < a < 5`."""
    while _is_comparison(tree, truth=False):
        constant_first = number(tree.lhs) is not None
        tree = bare(tree.rhs if constant_first else tree.lhs)
    return tree


def _with_further_conditions(tree: BinaryExpr) -> list[Comparison]:
    """`and` keeps the left side's value; the right side's is told where only that is compared."""
    found = _comparisons(tree.lhs)
    if all(each.reason is Reason.NOT_COMPARED for each in found):
        others = _comparisons(tree.rhs)
        found = others if any(each.operator for each in others) else found
    return [replace(each, reason=each.reason or Reason.FURTHER) for each in found]


def _unless(kept: Comparison) -> Comparison:
    plain = kept.reason in {None, Reason.NOT_COMPARED}
    return replace(kept, reason=Reason.UNLESS) if plain else kept


def _within(wrapper: Expr, argument: Expr) -> Comparison:
    """The comparison inside of `topk(5, a > 1)`: `topk(5, a)` with 1."""
    inner, *others = _comparisons(argument)
    if others or not inner.operator:
        return Comparison(_text(wrapper), None, Reason.NOT_COMPARED)
    left = _text(wrapper).replace(_text(argument), inner.left, 1)
    return replace(inner, left=left)


def _is_info(tree: Expr) -> bool:
    """Whether it is 1 wherever it is anything: multiplying by it adds labels only.

    Source: https://prometheus.io/docs/instrumenting/writing_exporters/ ("info" metrics).
    """
    tree = bare(tree)
    return isinstance(tree, VectorSelector) and (tree.name or "").endswith("_info")


def _absent_series(call: Call) -> str:
    argument = call.args[0]
    if isinstance(argument, MatrixSelector):
        return _text(argument.vector_selector)
    return _vector_text(argument.expr if isinstance(argument, SubqueryExpr) else argument)


def _is_comparison(tree: Expr, *, truth: bool) -> TypeGuard[BinaryExpr]:
    """`truth` for one that gives 0 or 1 (`bool`), else for one that filters."""
    if not isinstance(tree, BinaryExpr) or str(tree.op) not in _FLIPPED:
        return False
    return bool(tree.modifier and tree.modifier.return_bool) is truth


def _is_scalar(tree: Expr) -> bool:
    match bare(tree):
        case NumberLiteral():
            return True
        case Call() as call:
            return bool(call.func.return_type == ValueType.Scalar)
        case UnaryExpr() as unary:
            return _is_scalar(unary.expr)
        case BinaryExpr() as binary:
            return _is_scalar(binary.lhs) and _is_scalar(binary.rhs)
        case _:
            return False


def _vector_text(tree: Expr) -> str:
    text = _text(bare(tree))
    return f"vector({text})" if _is_scalar(tree) else text


def _text(tree: Expr) -> str:
    """PromQL in one line. The printer breaks long lines, and never inside of a string."""
    text = re.sub(r"\(\s*\n\s*", "(", tree.prettify())
    text = re.sub(r"\n\s*\)", ")", text)
    return re.sub(r"\n\s*", " ", text)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": math.pow,
    "atan2": math.atan2,
}


def _calculated(left: float | None, operator: str, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return _ARITHMETIC[operator](left, right)
    except (ArithmeticError, ValueError):
        return math.nan


def _selector(node: VectorSelector) -> Selector:
    matchers = [(each.name, _matcher(each)) for each in node.matchers.matchers]
    on_target = [text for name, text in matchers if name in {"job", "instance"}]
    braces = ",".join(text for _, text in matchers)
    return Selector(
        metric=node.name or "",
        text=(node.name or "") + (f"{{{braces}}}" if braces else ""),
        target_matchers=tuple(on_target),
        names_job=any(name == "job" for name, _ in matchers),
    )


def _matcher(matcher: Matcher) -> str:
    for operator, sign in _MATCH_SIGNS:
        if matcher.op == operator:
            return f"{label(matcher.name)}{sign}{quoted(matcher.value)}"
    raise AssertionError(matcher.op)


def _double_quoted(found: re.Match[str]) -> str:
    """A raw string as an ordinary one: the parser reads escapes in raw strings too."""
    string = found[0]
    if not string.startswith("`"):
        return string
    inside = string[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inside}"'


def _too_much(expression: str) -> bool:
    if len(expression) > LONGEST:
        return True
    code = _COMMENTS.sub("", _STRINGS.sub("", expression))
    depth = deepest = 0
    for character in code:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest > DEEPEST or len(_OPERATORS.findall(code)) > MOST_OPERATORS
