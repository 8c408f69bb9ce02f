"""The HTTP API of a running service; every call has a deadline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from app.certificates import trust
from app.commands.options import service_address
from app.commands.spared import spared
from app.errors import Misused, PlantaoError

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings

_SECONDS = 15.0
_PAGE = 500
_PROBLEM = "application/problem+json"
_MAKES_NO_SENSE = (400, 422)

Query = Mapping[str, str | int | Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Service:
    """A service at `url`. Calls raise PlantaoError, with the service's own words if it has any."""

    url: str
    token: str | None = None
    seconds: float = _SECONDS

    def get(self, path: str, query: Query | None = None, *, holding: str) -> dict[str, Any]:
        """The JSON object at this path, which has the key `holding`."""
        return self._ask("GET", path, holding, params=_given(query or {}))

    def pages(self, path: str, query: Query, *, limit: int | None) -> dict[str, Any]:
        """As `get` for a list, page after page, up to `limit` items; None: all there are."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            left = _PAGE if limit is None else min(_PAGE, limit - len(items))
            page = self.get(path, {**query, "limit": left, "cursor": cursor}, holding="items")
            items += page["items"]
            cursor = page.get("next")
            if not cursor or (limit is not None and len(items) >= limit):
                return {"items": items, "next": cursor}

    def text(self, path: str, query: Query) -> str:
        """The text at this path."""
        response = self._send("GET", path, params=_given(query))
        if not response.is_success:
            raise self._refusal(response)
        return response.text

    @contextmanager
    def lines(
        self, path: str, query: Query, *, last: str, seconds: float
    ) -> Iterator[Iterator[str]]:
        """The lines of an event stream, after the event `last`; none of them may take longer
        than so many seconds."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        with (
            self.connection(seconds) as client,
            client.stream("GET", self.url + path, params=_given(query), headers=headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise self._refusal(answer)
            yield lines_of(answer.iter_text())

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
            raise self._refusal(response)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or holding not in answer:
            raise PlantaoError(self._stranger(response))
        return answer

    def _refusal(self, response: httpx.Response) -> PlantaoError:
        told = _told(response)
        if told and response.status_code in _MAKES_NO_SENSE:
            return Misused(told)
        return PlantaoError(told or self._stranger(response))

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        with self.connection(self.seconds) as client:
            return client.request(method, self.url + path, **request)

    @contextmanager
    def connection(self, seconds: float) -> Iterator[httpx.Client]:
        """What calls are made with, each within so many seconds; what goes wrong with it is told
        as PlantaoError."""
        with spared():
            import httpx  # noqa: PLC0415

        headers = {"User-Agent": "plantao"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        here = shown(self.url)
        try:
            # A proxy for the world outside knows nothing of this machine's own addresses.
            with httpx.Client(
                timeout=seconds,
                trust_env=not _is_loopback(self.url),
                headers=headers,
                verify=trust(self.url),
            ) as client:
                yield client
        except httpx.ConnectError as error:
            why = "" if "refused" in str(error) else f" ({error})"
            raise PlantaoError(
                f"nothing answers at {here}{why}: is the service running? (plantao serve)"
            ) from None
        except httpx.TimeoutException:
            raise PlantaoError(f"{here} did not answer within {seconds:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlantaoError(f"{here} gave no usable answer ({type(error).__name__})") from None

    def _stranger(self, response: httpx.Response) -> str:
        return (
            f"{shown(self.url)} does not answer as Plantão does (HTTP {response.status_code}): "
            "is the address right?"
        )


def _given(query: Query) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, [])}


def api(
    settings: Settings, url: str | None, token: str | None, *, seconds: float = _SECONDS
) -> Service:
    """The API at `url` with `token`, or where and with what the settings say.

    Each call may take so many seconds.
    """
    known = [*([settings.api_token] if settings.api_token else []), *settings.api_tokens]
    if token is None and known:
        token = known[0].get_secret_value()
    return Service(url or service_address(settings), token, seconds)


def shown(url: str) -> str:
    """An address as it may be printed: without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def lines_of(parts: Iterable[str]) -> Iterator[str]:
    """The lines of an event stream that comes in parts. Only a line feed ends one, with or without
    a carriage return: what Unicode has besides, somebody may have written."""
    rest = ""
    for part in parts:
        *lines, rest = (rest + part).split("\n")
        for line in lines:
            yield line.removesuffix("\r")


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
