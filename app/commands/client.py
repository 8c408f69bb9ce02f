"""The HTTP API of a running service; every call has a deadline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from app.commands.options import service_address
from app.errors import PlantaoError

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings

_SECONDS = 15.0
_PROBLEM = "application/problem+json"

Query = Mapping[str, str | int | Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Service:
    """A service at `url`. Calls raise PlantaoError, with the service's own words if it has any."""

    url: str
    token: str | None = None

    def get(self, path: str, query: Query | None = None, *, holding: str) -> dict[str, Any]:
        """The JSON object at this path, which has the key `holding`."""
        given = {name: value for name, value in (query or {}).items() if value not in (None, [])}
        return self._ask("GET", path, holding, params=given)

    def post(self, path: str, body: object = None, *, holding: str) -> dict[str, Any]:
        """The JSON object that answers a post of `body` to this path; it has the key `holding`."""
        return self._ask("POST", path, holding, json={} if body is None else body)

    def patch(self, path: str, body: object, *, holding: str) -> dict[str, Any]:
        """As `post`, to change what is at this path."""
        return self._ask("PATCH", path, holding, json=body)

    def delete(self, path: str, query: Query, *, holding: str) -> dict[str, Any]:
        """The JSON object that answers the removal of what is at this path."""
        return self._ask("DELETE", path, holding, params=query)

    def _ask(self, method: str, path: str, holding: str, **request: Any) -> dict[str, Any]:
        response = self._send(method, path, **request)
        if not response.is_success:
            raise PlantaoError(_told(response) or self._stranger(response))
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or holding not in answer:
            raise PlantaoError(self._stranger(response))
        return answer

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        import httpx  # noqa: PLC0415

        headers = {"User-Agent": "plantao"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        here = shown(self.url)
        try:
            # A proxy for the world outside knows nothing of this machine's own addresses.
            with httpx.Client(timeout=_SECONDS, trust_env=not _is_loopback(self.url)) as client:
                return client.request(method, self.url + path, headers=headers, **request)
        except httpx.ConnectError as error:
            why = "" if "refused" in str(error) else f" ({error})"
            raise PlantaoError(
                f"nothing answers at {here}{why}: is the service running? (plantao serve)"
            ) from None
        except httpx.TimeoutException:
            raise PlantaoError(f"{here} did not answer within {_SECONDS:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlantaoError(f"{here} gave no usable answer ({type(error).__name__})") from None

    def _stranger(self, response: httpx.Response) -> str:
        return (
            f"{shown(self.url)} does not answer as Plantão does (HTTP {response.status_code}): "
            "is the address right?"
        )


def api(settings: Settings, url: str | None, token: str | None) -> Service:
    """The API at `url` with `token`, or where and with what the settings say."""
    known = [*([settings.api_token] if settings.api_token else []), *settings.api_tokens]
    if token is None and known:
        token = known[0].get_secret_value()
    return Service(url or service_address(settings), token)


def shown(url: str) -> str:
    """An address as it may be printed: without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _told(response: httpx.Response) -> str:
    """What a problem document says; nothing if this is none."""
    if response.headers.get("content-type", "").partition(";")[0] != _PROBLEM:
        return ""
    try:
        detail = response.json()["detail"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return ""
    return str(detail)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
