"""Structured logs and Prometheus metrics. Nothing secret or personal goes into either.

Log lines carry numbers and outcomes, never labels, annotations or bodies.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

RECEIPTS = Counter("plantao_receipts", "Webhook bodies stored, by state on arrival.", ["state"])
RECEIPTS_REFUSED = Counter(
    "plantao_receipts_refused", "Webhook requests not stored, by reason.", ["reason"]
)
INGEST_LAG = Gauge(
    "plantao_ingest_lag_seconds", "Age of the oldest receipt when it was last applied."
)
INGESTED_ALERTS = Counter("plantao_ingested_alerts", "Alerts applied to incidents.")
FIRST_MESSAGE = Histogram(
    "plantao_first_message_seconds",
    "From an incident's opening to its first message, by transport.",
    ["transport"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200),
)
POSTINGS = Gauge("plantao_postings", "Postings by transport and state.", ["transport", "state"])
NEIGHBOUR_CALLS = Counter(
    "plantao_neighbour_calls", "Calls to neighbours by outcome.", ["neighbour", "outcome"]
)
SOURCE_CALLS = Counter(
    "plantao_source_calls",
    "Times a source of context was asked, by outcome.",
    ["source", "outcome"],
)
SOURCE_RESTING = Gauge(
    "plantao_source_resting", "1 while a source of context is not asked: it was down.", ["source"]
)
SLACK_REQUESTS = Counter(
    "plantao_slack_requests", "Requests from Slack, by kind and outcome.", ["kind", "outcome"]
)
SLACK_CONNECTIONS = Counter(
    "plantao_slack_connections", "Connections made for Socket Mode; many are a bad network."
)
SLACK_ERRANDS = Gauge("plantao_slack_errands", "What was asked for in Slack and is being done.")
SLACK_FAILURES = Counter(
    "plantao_slack_failures", "What was asked for in Slack and not done, by reason.", ["reason"]
)
MASKED = Counter(
    "plantao_masked", "Personal data and secrets masked, each time they were shown.", ["kind"]
)
INCIDENTS = Gauge(
    "plantao_incidents", "Open incidents by status and severity.", ["status", "severity"]
)
INCIDENTS_OPENED = Gauge(
    "plantao_incidents_opened", "Incidents opened in the last seven days.", ["severity"]
)
TIME_TO_ACKNOWLEDGE = Gauge(
    "plantao_time_to_acknowledge_seconds",
    "From opening to the first acknowledgement, of incidents opened in the last seven days.",
    ["severity", "quantile"],
)
TIME_TO_RESOLVE = Gauge(
    "plantao_time_to_resolve_seconds",
    "From opening to the last end, of incidents opened in the last seven days.",
    ["severity", "quantile"],
)
NOISE = Gauge(
    "plantao_noise", "Noise of the incidents opened in the last seven days, by kind.", ["kind"]
)
LOOP_FAILURES = Counter("plantao_loop_failures", "Unexpected failures of a loop.", ["loop"])

for _state in ("accepted", "quarantined"):
    RECEIPTS.labels(_state)
for _reason in ("busy", "timeout", "error"):
    SLACK_FAILURES.labels(_reason)
for _reason in ("unauthorized", "too_large", "too_slow", "broken_off", "unavailable"):
    RECEIPTS_REFUSED.labels(_reason)


def set_up_logging(form: str, hide: Callable[[str], str]) -> None:
    """Logs on standard error: `json`, or `console` with colours on a terminal.

    `hide` makes of a text what may be logged: a neighbour's words, or a traceback's, may hold
    anything.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        # The plain form: others print the values of variables, which may be secret.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _no_newlines,
        structlog.processors.format_exc_info,
        _hiding(hide),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # What the libraries have to say, uvicorn about a request that failed among them.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Hiding(hide))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class _Hiding(logging.Formatter):
    """The standard library's lines, tracebacks included."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        return self._hide(super().format(record))


def _hiding(hide: Callable[[str], str]) -> structlog.typing.Processor:
    def hidden(
        _logger: object, _name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {
            key: value if isinstance(value, int | float | None) else hide(str(value))
            for key, value in event.items()
        }

    return hidden


def _no_newlines(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """One event, one line, whatever a neighbour's error text holds."""
    return {
        key: value.replace("\n", "\\n").replace("\r", "\\r") if isinstance(value, str) else value
        for key, value in event.items()
    }
