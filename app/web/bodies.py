"""Request bodies, read within bounds of size and time."""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import Receive

_SECONDS = 30.0


class TooSlow(HTTPException):
    """The body did not come in time. Alertmanager sends again after a 5xx; a 408 it takes for
    final, and is not heard until its next `group_interval`."""

    def __init__(self, seconds: float) -> None:
        detail = f"The body did not arrive within {seconds:.0f} s: send it again."
        super().__init__(503, detail, {"Retry-After": "5"})


async def read_body(
    receive: Receive, headers: Mapping[bytes, bytes], *, limit: int, seconds: float = _SECONDS
) -> bytes:
    """The body, unpacked if it is gzip. Raises 413 over `limit` bytes (before or after
    unpacking), TooSlow, or 400 for a sender that hangs up.

    A body that claims to be gzip and is not is returned as it came.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = await _in_time(receive, limit, seconds)
    if headers.get(b"content-encoding", b"").lower() == b"gzip":
        return await asyncio.to_thread(_unpack, body, limit)
    return body


async def _in_time(receive: Receive, limit: int, seconds: float) -> bytes:
    """The body as it came. Raises TooSlow after that many seconds.

    `asyncio.timeout` is the same and costs five times as much: a twentieth of all the time that
    a webhook takes, for a clock that hardly ever rings.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (for the type checker)
    before = task.cancelling()
    late = False

    def ring() -> None:
        nonlocal late
        late = True
        task.cancel()

    clock = asyncio.get_running_loop().call_later(seconds, ring)
    try:
        return await _collect(receive, limit)
    except asyncio.CancelledError:
        if late and task.uncancel() <= before:
            raise TooSlow(seconds) from None
        raise  # somebody else ends the request
    finally:
        clock.cancel()


async def _collect(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "The sender hung up before the body was whole.")
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _unpack(body: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            unpacked = file.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        return body
    if len(unpacked) > limit:
        raise _too_large(limit)
    return unpacked


def _too_large(limit: int) -> HTTPException:
    return HTTPException(
        413,
        f"The body is larger than {limit} bytes: raise PLANTAO_MAX_BODY_BYTES (and the limit of "
        "any proxy in between), or set max_alerts in Alertmanager.",
    )
