"""Prometheus, asked back. Source: https://prometheus.io/docs/prometheus/latest/querying/api/"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NotRequired, TypeAlias, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypedDict  # pydantic reads no older Python's own

from app.core.alerts import Labels
from app.core.facts import Rule, Sample, SeriesValue
from app.errors import NeighbourFailed, Unanswerable
from app.telemetry import NEIGHBOUR_CALLS

_TIMEOUT = httpx.Timeout(5.0)
_LARGEST_ANSWER = 16 * 1024 * 1024
_LONGEST_WORDS = 200
# Bad parameters, and an expression that cannot be executed; a timeout is a 503.
_OF_THE_QUERY = frozenset({400, 422})
MOST_POINTS = 240
"""In a range; Prometheus itself refuses more than 11,000 for each series."""

_LAST_MOMENT = datetime.max.replace(tzinfo=UTC).timestamp() // 1

_Number: TypeAlias = tuple[Annotated[float, Field(ge=0, lt=_LAST_MOMENT)], float]
"""Seconds since 1970 and the value then."""


class _Error(BaseModel):
    error: str = ""


class _Scalar(BaseModel):
    result_type: Literal["scalar"] = Field(alias="resultType")
    result: _Number


class _VectorSeries(TypedDict):
    """A third of a model's cost, where there are thousands."""

    metric: dict[str, str]
    value: NotRequired[_Number]  # a native histogram has none


class _Vector(BaseModel):
    result_type: Literal["vector"] = Field(alias="resultType")
    result: list[_VectorSeries]


class _MatrixSeries(TypedDict):
    metric: dict[str, str]
    values: NotRequired[list[_Number]]


class _Matrix(BaseModel):
    result_type: Literal["matrix"] = Field(alias="resultType")
    result: list[_MatrixSeries]


class _Instant(BaseModel):
    data: _Vector | _Scalar = Field(discriminator="result_type")


class _Range(BaseModel):
    data: _Matrix


class _Rule(BaseModel):
    name: str
    query: str = ""
    duration: float = 0.0
    labels: dict[str, str] = Field(default_factory=dict)
    type: str = "alerting"


class _RuleGroup(BaseModel):
    name: str
    rules: list[_Rule] = Field(default_factory=list)


class _RuleGroups(BaseModel):
    groups: list[_RuleGroup]


class _Rules(BaseModel):
    data: _RuleGroups


_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """A rule as Prometheus has it. `labels` are those the rule adds; their values may be
    templates."""

    rule: Rule
    labels: Labels


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """One series over a range, in order of time."""

    labels: Labels
    samples: Sequence[Sample] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The configured Prometheus. Calls raise NeighbourFailed when there is no usable answer.

    Where calls take `within`, it is in seconds and is both our deadline and Prometheus' own.
    Values that are no finite numbers (NaN, infinity) are left out of every answer.
    """

    url: str
    client: httpx.AsyncClient

    @property
    def public_url(self) -> str:
        """The address without credentials."""
        return str(httpx.URL(self.url).copy_with(userinfo=b"")).rstrip("/")

    async def check_alive(self) -> None:
        """Return if it evaluates queries; a stalled one does not answer in time."""
        try:
            response = await self.client.get(
                self.url.rstrip("/") + "/api/v1/query",
                params={"query": "vector(1)", "timeout": "4s"},
                timeout=_TIMEOUT,
            )
            response.raise_for_status()
            if response.json().get("status") != "success":
                raise NeighbourFailed("Prometheus did not answer a query.")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            NEIGHBOUR_CALLS.labels("prometheus", "failed").inc()
            raise NeighbourFailed(f"Prometheus did not answer: {error!r}.") from error
        NEIGHBOUR_CALLS.labels("prometheus", "ok").inc()

    async def query(self, expression: str, *, at: datetime, within: float) -> list[SeriesValue]:
        """The value of each series at a moment."""
        form = {"query": expression, "time": _moment(at), "timeout": _milliseconds(within)}
        answer = await self._ask(_Instant, "POST", "query", form, within)
        if isinstance(answer.data, _Scalar):
            return _finite({}, answer.data.result)
        return [
            value
            for each in answer.data.result
            for value in _finite(each["metric"], each.get("value"))
        ]

    async def query_range(
        self,
        expression: str,
        *,
        start: datetime,
        end: datetime,
        within: float,
        step: timedelta | None = None,
    ) -> list[SeriesLine]:
        """Each series from `start` to `end`, which has a point; each `step`, or else in at most
        MOST_POINTS points."""
        step = step or step_of(end - start)
        first = end - ((end - start) // step) * step
        form = {
            "query": expression,
            "start": _moment(first),
            "end": _moment(end),
            "step": f"{step.total_seconds():g}",
            "timeout": _milliseconds(within),
        }
        answer = await self._ask(_Range, "POST", "query_range", form, within)
        return [
            SeriesLine(each["metric"], _samples(each.get("values", ())))
            for each in answer.data.result
        ]

    async def alerting_rules(self, *, within: float) -> list[AlertingRule]:
        """Every alerting rule. From 2.53 without their alerts, which can be thousands."""
        parameters = {"type": "alert", "exclude_alerts": "true"}
        answer = await self._ask(_Rules, "GET", "rules", parameters, within)
        return [
            _alerting_rule(group, rule)
            for group in answer.data.groups
            for rule in group.rules
            if rule.type == "alerting"
        ]

    async def _ask(
        self,
        form: type[_Answer],
        method: Literal["GET", "POST"],
        path: str,
        parameters: Mapping[str, str],
        within: float,
    ) -> _Answer:
        try:
            async with asyncio.timeout(within):
                answer = form.model_validate_json(await self._body(method, path, parameters))
        except NeighbourFailed:
            NEIGHBOUR_CALLS.labels("prometheus", "failed").inc()
            raise
        except (TimeoutError, httpx.HTTPError, ValidationError) as error:
            NEIGHBOUR_CALLS.labels("prometheus", "failed").inc()
            raise NeighbourFailed(_reason(error, within)) from None
        NEIGHBOUR_CALLS.labels("prometheus", "ok").inc()
        return answer

    async def _body(
        self, method: Literal["GET", "POST"], path: str, parameters: Mapping[str, str]
    ) -> bytes:
        """POST where the parameters may be longer than a proxy lets an address be."""
        async with self.client.stream(
            method,
            f"{self.url.rstrip('/')}/api/v1/{path}",
            params=parameters if method == "GET" else None,
            data=parameters if method == "POST" else None,
            timeout=None,  # the caller's deadline is around it
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise NeighbourFailed("Prometheus answered with more than 16 MB.")
        if not response.is_success:
            raise _refusal(response.status_code, bytes(body))
        return bytes(body)


def step_of(span: timedelta) -> timedelta:
    """Whole seconds between points so that `span` has no more than MOST_POINTS of them."""
    return timedelta(seconds=max(1, math.ceil(span.total_seconds() / (MOST_POINTS - 1))))


def too_late(seconds: float) -> str:
    """What is said of a Prometheus that did not answer within so many seconds."""
    return f"Prometheus did not answer within {max(round(seconds, 1), 0.1):g} s."


def _reason(error: Exception, within: float) -> str:
    match error:
        case TimeoutError() | httpx.TimeoutException():
            return too_late(within)
        case httpx.ConnectError():
            return "Prometheus cannot be reached."
        case httpx.HTTPError():
            return "Prometheus broke the connection off."
        case _:
            return "Prometheus answered in a form nobody knows."


def _refusal(status: int, body: bytes) -> NeighbourFailed:
    try:
        words = " ".join(_Error.model_validate_json(body).error.split())[:_LONGEST_WORDS]
    except ValidationError:
        words = ""
    told = f"Prometheus answered {status}: {words}." if words else f"Prometheus answered {status}."
    return Unanswerable(told) if status in _OF_THE_QUERY else NeighbourFailed(told)


def _alerting_rule(group: _RuleGroup, rule: _Rule) -> AlertingRule:
    duration = timedelta(seconds=rule.duration)
    return AlertingRule(Rule(rule.name, group.name, rule.query, duration), rule.labels)


def _finite(labels: Labels, number: _Number | None) -> list[SeriesValue]:
    if number is None or not math.isfinite(number[1]):
        return []
    return [SeriesValue(labels, number[1])]


def _samples(values: Sequence[_Number]) -> tuple[Sample, ...]:
    return tuple(
        Sample(datetime.fromtimestamp(at, UTC), value)
        for at, value in values
        if math.isfinite(value)
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _milliseconds(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds * 1000))}ms"
