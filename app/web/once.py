"""`Idempotency-Key`: a client that heard no answer may send the same request again."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic_core import to_json

from app.store.answers import Key

_Given = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Yours, and new for each action: a repeat within 24 h has no second effect.",
    ),
]


async def _key(request: Request, given: _Given = None) -> Key | None:
    if given is None:
        return None
    decided_on = request.headers.get("if-match", "")
    what = to_json([request.method, request.url.path, request.url.query, decided_on])
    return Key(given, sha256(what + b"\n" + await request.body()).hexdigest())


OnceKey = Annotated[Key | None, Depends(_key)]
