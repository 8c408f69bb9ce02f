"""What every answer says to browsers about itself, and the policies of our pages."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256

from starlette.responses import HTMLResponse
from starlette.types import Message, Send

_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

#: Said by every answer that says nothing else under that name.
DEFAULTS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with that, browsers hide the origin of our own forms from us.
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", _NOTHING.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


def secured(send: Send) -> Send:
    """Send with the defaults where an answer does not say otherwise."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            said = {name.lower() for name, _ in given}
            more = [(name, value) for name, value in DEFAULTS if name not in said]
            message = {**message, "headers": [*given, *more]}
        await send(message)

    return sending


def page_policy(*, ancestors: Sequence[str] = (), styles: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page: scripts, styles, pictures and data from ourselves
    only, none of them written into the page; but for `styles`, given as their text.

    `ancestors` may show the page in a frame (`Settings.frame_ancestors`).
    """
    framed = " ".join(ancestors) or "'none'"
    own = " ".join(["'self'", *(f"'sha256-{_hash(style)}'" for style in styles)])
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src {own}",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {framed}",
        ]
    )


def page(html: str, status: int = 200, *, ancestors: Sequence[str] = ()) -> HTMLResponse:
    """A page of the console, with its policy; it is kept by no cache between us and its reader."""
    headers = {
        "Content-Security-Policy": page_policy(ancestors=ancestors),
        "Cache-Control": "private, no-cache",
        "X-Robots-Tag": "noindex, nofollow",
    }
    if not ancestors:
        headers["X-Frame-Options"] = "DENY"
    return HTMLResponse(html, status, headers=headers)


def as_sent(header: str) -> str:
    """HTTP reads headers as Latin-1; who sends other letters writes UTF-8."""
    return header.encode("latin-1", "replace").decode("utf-8", "replace")


def _hash(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()
