"""`/docs`: every address of the API, from `/openapi.json`. One page of ours, without a script:
FastAPI's own would load one from another host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from app.web.headers import page_policy
from app.web.pages import environment

router = APIRouter(include_in_schema=False)

Json = Mapping[str, Any]


@router.get("/docs")
async def shown(request: Request) -> Response:
    """The page."""
    document: dict[str, Any] = request.app.openapi()
    schemas = document["components"]["schemas"]
    html = (
        environment()
        .get_template("reference.html")
        .render(
            about=document["info"],
            operations=list(_operations(document, schemas)),
            style=_style(),
        )
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": page_policy(styles=[_style()])})


@cache
def _style() -> str:
    return (files("app.web") / "templates" / "reference.css").read_text(encoding="utf-8")


def _operations(document: Json, schemas: Json) -> Iterator[Json]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield {
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": operation.get("description", ""),
                "token": bool(operation.get("security")),
                "parameters": [_parameter(each) for each in operation.get("parameters", [])],
                "body": list(_body(operation.get("requestBody", {}), schemas)),
                "answers": _answers(operation),
            }


def _parameter(parameter: Json) -> Json:
    schema = parameter["schema"]
    told = parameter.get("description") or schema.get("description", "")
    place = parameter["in"] + (", required" if parameter.get("required") else "")
    return {"name": parameter["name"], "kind": _kind(schema), "place": place, "told": told}


def _body(body: Json, schemas: Json) -> Iterator[Json]:
    """The fields of a JSON body."""
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    whole = schemas.get(_named(schema), schema)
    for name, field in whole.get("properties", {}).items():
        place = "body, required" if name in whole.get("required", ()) else "body"
        told = field.get("description", "")
        yield {"name": name, "kind": _kind(field), "place": place, "told": told}


def _kind(schema: Json) -> str:
    """What a value is, in a few words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"{_kind(schema['items'])}, repeatable"
    return str(schema.get("format") or schema.get("type") or _named(schema) or "anything")


def _named(schema: Json) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _answers(operation: Json) -> list[tuple[str, str]]:
    answers = operation["responses"].items()
    return [(status, answer.get("description", "")) for status, answer in answers]
