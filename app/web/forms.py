"""Forms as browsers send them, read within bounds."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request
from starlette.exceptions import HTTPException

from app.web.bodies import read_body

_BYTES = 256 * 1024
_FIELDS = 50
_KIND = "application/x-www-form-urlencoded"


async def read_form(request: Request, *, most: int = _FIELDS) -> dict[str, str]:
    """The form's fields, read once for a request; of a field that comes twice, the last.

    Raises HTTPException 415 for what is no form, 400 for what cannot be read, 413 for too much.
    """
    known: dict[str, str] | None = getattr(request.state, "form", None)
    if known is not None:
        return known
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(415, f"Send a form: `Content-Type: {_KIND}`.")
    body = await read_body(request.receive, dict(request.headers.raw), limit=_BYTES)
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most))
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None
    request.state.form = form
    return form
