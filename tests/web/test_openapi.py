"""The OpenAPI document is complete, and the running service answers as it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.specs.openapi import checks

from tests.house import House, alert, listening, notification, serving
from tests.waiting import tell

_EXAMPLES = 4
_CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


async def _document(house: House) -> dict[str, Any]:
    document: dict[str, Any] = (await house.http.get("/openapi.json")).json()
    return document


async def test_every_operation_is_described(house: House) -> None:
    document = await _document(house)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method} {path}"
            assert operation.get("summary"), name
            for status, answer in operation["responses"].items():
                assert answer["description"], (name, status)
                if int(status) >= 400 and path != "/readyz" and not path.startswith("/slack"):
                    assert "application/problem+json" in answer["content"], (name, status)
    for parameter in document["paths"]["/incidents"]["get"]["parameters"]:
        known = parameter.get("description") or parameter["schema"].get("items", {}).get("enum")
        assert known, parameter["name"]


async def test_the_documents_page_is_there(house: House) -> None:
    answer = await house.http.get("/docs")
    assert answer.status_code == 200
    assert "/openapi.json" in answer.text


@pytest.mark.timeout(600)  # thirty addresses, on a machine that may do other things
async def test_whatever_is_asked_is_answered_as_documented(house: House) -> None:
    await tell(house, notification(alert(component="kafka"), alert(component="delta")))
    house.context.feed.close()  # a stream that never ended would be waited for
    async with listening(house.app) as url:
        schema = schemathesis.openapi.from_dict(await _document(house))
        schema.config.update(base_url=url)
        await asyncio.to_thread(_ask_everything, schema)


def _ask_everything(schema: Any) -> None:
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Case[Any]) -> None:
            answer = case.call(timeout=30)
            # There is no Alertmanager here to make silences.
            assert answer.status_code < 500 or "silence" in case.path, answer.text
            case.validate_response(answer, checks=_CHECKS)

        ask()
