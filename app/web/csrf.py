"""No other site acts with somebody's browser.

Whoever is known by something that a browser sends by itself (a cookie, a proxy's header, or
being on this machine) must show with everything but GET and HEAD that it came from our own page:
by what the browser says about its origin, and by a token that only our pages hold. Bearer tokens
need none of this: no browser sends them by itself.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from app.core.signing import mac

#: The name of the form's hidden field, and of the header for scripts.
FIELD, HEADER = "csrf", "X-CSRF-Token"
#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def token(tie: str, key: bytes) -> str:
    """What forms hold, and nobody else's forms can; `tie` is something about their viewer."""
    return mac(f"csrf {tie}", key).hex()


def fits(given: str, expected: str) -> bool:
    """Whether this is that viewer's token."""
    return hmac.compare_digest(given.encode(), expected.encode())


def comes_from_us(request: Request, public_url: str | None) -> bool:
    """Whether the browser says that our own page asks for it, or no page at all.

    Sec-Fetch-Site is sent by every browser since 2023, but only to https and this machine; else
    the Origin must be ours. What is no browser sends neither.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {request.headers.get("host", "").lower()}
    if public_url is not None:
        ours.add(urlsplit(public_url).netloc.lower())
    try:
        return urlsplit(origin).netloc.lower() in ours - {""}
    except ValueError:
        return False
