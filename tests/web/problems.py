"""What every error of the API must look like."""

from __future__ import annotations

import httpx


def assert_problem(answer: httpx.Response, status: int, *words: str) -> None:
    """A problem document (RFC 9457) with a sentence for whoever reads it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith((".", "…"))
    assert all(word in body["detail"] for word in words), body["detail"]
