"""Request bodies, read within bounds of size and time."""

from __future__ import annotations

import asyncio
import zlib

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

_SECONDS = 30.0
_GZIP = 16 + zlib.MAX_WBITS  # zlib's own way to say: with a gzip header


async def read_body(request: Request, *, limit: int, seconds: float = _SECONDS) -> bytes:
    """The body, unpacked if it is gzip. Raises 413 over `limit` bytes (before or after
    unpacking), 408 for a sender that is too slow, 400 for one that hangs up.

    A body that claims to be gzip and is not is returned as it came.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            body = await _collect(request, limit)
    except TimeoutError:
        raise HTTPException(408, f"The body did not arrive within {seconds:.0f} s.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The sender hung up before the body was whole.") from None
    if request.headers.get("content-encoding", "").lower() == "gzip":
        return await asyncio.to_thread(_unpack, body, limit)
    return body


async def _collect(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _unpack(body: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error:
        return body
    if len(unpacked) > limit:
        raise _too_large(limit)
    return unpacked if unpacker.eof else body


def _too_large(limit: int) -> HTTPException:
    return HTTPException(
        413,
        f"The body is larger than {limit} bytes: raise PLANTAO_MAX_BODY_BYTES (and the limit of "
        "any proxy in between), or set max_alerts in Alertmanager.",
    )
