"""The OpenAPI document, completed: what each address answers, and which problems it has.

FastAPI knows what is asked. What is answered is made by hand (`views.py`), so it is told here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic.json_schema import models_json_schema

from app.web import shapes

_Operation: TypeAlias = dict[str, Any]

_REF = "#/components/schemas/{model}"
_INCIDENT = shapes.Incident
_SVG, _HTML, _EVENTS = "image/svg+xml", "text/html; charset=utf-8", "text/event-stream"

#: What each address answers where all is well: a shape of JSON, or another kind of content.
_ANSWERS: dict[str, dict[str, Any]] = {
    "GET /incidents": {"200": shapes.Page},
    "GET /incidents/stream": {"200": _EVENTS},
    "GET /incidents/{number}": {"200": _INCIDENT},
    "GET /incidents/{number}/timeline": {"200": shapes.Timeline},
    "GET /incidents/{number}/chart.svg": {"200": _SVG},
    "GET /incidents/{number}/silence": {"200": shapes.Proposal},
    "POST /incidents/{number}/silence": {
        "200": shapes.Silence,
        "201": shapes.Silence,
        "202": shapes.Silence,
    },
    "POST /incidents/{number}/silences/{silence}/end": {"200": shapes.Silence},
    "GET /receipts": {"200": shapes.Receipts},
    "GET /receipts/{number}": {"200": shapes.Receipt},
    "POST /receipts/{number}/replay": {"202": shapes.Taken},
    "GET /incidents/{number}/postmortem": {"200": "text/markdown; charset=utf-8"},
    "GET /changes": {"200": shapes.Changes},
    "POST /changes": {"200": shapes.KnownChange, "201": shapes.Change},
    "GET /runbooks/{alertname}": {"200": _HTML},
    "GET /healthz": {"200": shapes.State},
    "GET /readyz": {"200": shapes.State, "503": shapes.State},
    "GET /metrics": {"200": CONTENT_TYPE_LATEST},
    "POST /-/reload": {"200": shapes.State},
}
_ACTION = "/incidents/{number}/"
_SAID = {
    "200": "As asked for.",
    "201": "Made.",
    "202": "Accepted: it will be done.",
    "304": "Nothing has changed since the answer with this `ETag`.",
}
_PROBLEMS = {
    "400": "The request makes no sense: `detail` says what was expected.",
    "401": "No credentials that are known here.",
    "403": "These credentials do not give this right.",
    "404": "There is no such thing under this number or name.",
    "409": "It does not fit the incident's present state, or somebody was faster.",
    "413": "The body is over the size limit.",
    "422": "A parameter or a part of the body cannot be used: `detail` names it.",
    "429": "Too many wrong tokens came from there: wait as long as `Retry-After` says.",
    "502": "Alertmanager gave no usable answer.",
    "503": "The database, or Alertmanager, does not answer: try again.",
}
_OPEN = ("GET /healthz", "GET /readyz", "GET /metrics", "GET /runbooks/{alertname}")
_HOOKS = ("/webhooks/", "/slack/")


def install(app: FastAPI) -> None:
    """Let `/openapi.json` and `/docs` tell all that there is to know."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(plain())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    known = [each for each in vars(shapes).values() if _is_shape(each)]
    _, made = models_json_schema([(each, "serialization") for each in known], ref_template=_REF)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(made["$defs"])
    for name, operation in _operations(document):
        _complete(name, operation)
    return document


def _is_shape(each: object) -> bool:
    return isinstance(each, type) and issubclass(each, shapes.Shape) and each is not shapes.Shape


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, _Operation]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _complete(name: str, operation: _Operation) -> None:
    answers = operation["responses"]
    told = _ANSWERS.get(name)
    if told is None and name.split(" ", 1)[1].startswith(_ACTION) and "silence" not in name:
        told = {"200": _INCIDENT}
    for status, what in (told or {}).items():
        answers[status] = _answer(status, what)
    if name == "GET /incidents":
        _also(answers)
    for status in _problems(name, operation):
        if status not in (told or {}):
            answers[status] = _problem(status)
    operation["responses"] = dict(sorted(answers.items()))


def _answer(status: str, what: Any) -> dict[str, Any]:
    if isinstance(what, str):
        content: dict[str, Any] = {what: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": {"$ref": _REF.format(model=what.__name__)}}}
    return {"description": _SAID.get(status, _PROBLEMS.get(status, "")), "content": content}


def _also(answers: dict[str, Any]) -> None:
    """The log's other forms, and that nothing has changed."""
    for form in ("text/csv; charset=utf-8", "application/x-ndjson"):
        answers["200"]["content"][form] = {"schema": {"type": "string"}}
    text = {"schema": {"type": "string"}}
    answers["200"]["headers"] = {
        "ETag": {"description": "For `If-None-Match`.", **text},
        "Link": {"description": 'To the next page: `<…>; rel="next"`.', **text},
    }
    answers["304"] = {"description": _SAID["304"]}


def _problem(status: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}
    return {"description": _PROBLEMS[status], "content": content}


def _problems(name: str, operation: _Operation) -> list[str]:
    method, path = name.split(" ", 1)
    found = [status for status in operation["responses"] if status in _PROBLEMS]
    if path.startswith(_HOOKS):
        return [*found, *(["400", "401", "413", "503"] if "mlflow" in path else [])]
    if name not in _OPEN:
        found += ["401", "403", "429", "503"]
    if "{" in path:
        found.append("404")
    if "requestBody" in operation or path in {"/incidents", "/incidents/stream"}:
        found.append("400")
    if path.startswith(_ACTION) and method != "GET":
        found += ["400", "409", "422"]
    if "silence" in path:
        found += ["400", "502", "503"]
    if path == "/-/reload":
        found.append("422")
    return found
