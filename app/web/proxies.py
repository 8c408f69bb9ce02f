"""From where a request comes, and whom a trusted proxy says it comes from."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request

from app.settings import Settings
from app.web.headers import as_sent

_LONGEST = 200  # characters of a user's name


def proxy_user(request: Request, settings: Settings) -> str | None:
    """The user whom the proxy names, if it is one of PLANTAO_TRUSTED_PROXIES.

    None where the header came twice: a proxy that adds its own to the client's is set up wrongly.
    """
    header = settings.proxy_user_header
    if header is None or not _trusted(_peer(request), settings):
        return None
    given = [as_sent(value).strip() for value in request.headers.getlist(header)]
    return given[0][:_LONGEST] or None if len(given) == 1 else None


def source(request: Request, settings: Settings) -> str:
    """The address that a request comes from: the peer's, or what trusted proxies say it was.

    They append to X-Forwarded-For, so the last one there that is no proxy of ours is it.
    """
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    address = _peer(request)
    while _trusted(address, settings) and hops:
        address = hops.pop().strip() or address
    return address


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _trusted(address: str, settings: Settings) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in network for network in settings.trusted_proxies)
