"""What the console's pages load: our style, our scripts and htmx, from here and nowhere else.

Each address holds a digest of the content, so that it can be kept for ever and is never stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "txt": "text/plain"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that is served. `digest` is of its content."""

    kind: str
    content: bytes
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file of `app/web/static`, by its name; read once."""
    found = {}
    for file in (files("app.web") / "static").iterdir():
        content = file.read_bytes()
        kind = _KINDS[file.name.rpartition(".")[2]]
        found[file.name] = Asset(kind, content, sha256(content).hexdigest()[:12])
    return found


def address(name: str) -> str:
    """Where a file is served, relative to the service's root."""
    return f"console/static/{assets()[name].digest}/{name}"


@router.get("/console/static/{digest}/{name}")
async def served(digest: str, name: str) -> Response:
    """To anybody: there is nothing secret in it, and the sign-in page needs it."""
    asset = assets().get(name)
    if asset is None:
        raise HTTPException(404, "There is no such file: reload the page.")
    headers = {
        "Cache-Control": _FOR_EVER if digest == asset.digest else "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(asset.content, headers=headers, media_type=asset.kind)
