"""Slack's Web API: one call, one answer, and errors that carry the next move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from app.errors import TryLater
from app.notifiers.slack_errors import from_answer, from_transport

SLACK_API = "https://slack.com/api"

_CONNECT = 5.0  # seconds; a call that fails this early was surely not made
_IDLE = 5.0  # seconds; a connection Slack closes while we send leaves us in doubt
_BROKEN = (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError)


class SlackApi:
    """Calls with one token. `deadline` is in seconds, for one call as a whole.

    Every call raises DeliveryFailed and nothing else. Not safe for several event loops.
    """

    def __init__(self, token: str, *, api_url: str = SLACK_API, deadline: float = 10.0) -> None:
        # slack-sdk's own retries post twice when the peer drops the connection.
        self._client = AsyncWebClient(token, base_url=api_url.rstrip("/") + "/", retry_handlers=[])
        # Its reading of proxy variables ignores NO_PROXY; aiohttp's does not.
        self._client.proxy = None
        self._deadline = deadline

    async def call(
        self, method: str, body: Mapping[str, Any], *, repeatable: bool = True
    ) -> AsyncSlackResponse:
        """A call with a JSON body. `repeatable` says that doing it twice does no harm."""
        return await self.ask(method, repeatable=repeatable, json=dict(body))

    async def look(self, method: str, asked: Mapping[str, Any]) -> AsyncSlackResponse:
        """A call that only reads: some of those take no JSON."""
        return await self.ask(method, http_verb="GET", params=dict(asked))

    async def pages(
        self, method: str, asked: Mapping[str, Any]
    ) -> AsyncIterator[AsyncSlackResponse]:
        """Every page of a long answer."""
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await self.look(method, {**asked, **more})
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def ask(self, method: str, *, repeatable: bool = True, **how: Any) -> AsyncSlackResponse:
        """A call as slack-sdk makes it: `json`, `data` or `params`."""
        self.connect()
        try:
            return await self._client.api_call(method, **how)
        except SlackApiError as error:
            raise from_answer(error, repeatable=repeatable) from None
        except _BROKEN as error:
            raise from_transport(error, repeatable=repeatable) from None

    async def send(self, address: str, **what: Any) -> None:
        """Post to an address that Slack named; it knows whose it is, and gets no token of ours."""
        try:
            async with self.connect().post(address, **what) as answer:
                status = answer.status
        except _BROKEN as error:
            raise from_transport(error, repeatable=True) from None
        if status != HTTPStatus.OK:
            raise TryLater(f"Slack did not take it (HTTP {status}).", code=f"http_{status}")

    def connect(self) -> aiohttp.ClientSession:
        """The connections, made anew where they were closed."""
        if self._client.session is None or self._client.session.closed:
            self._client.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE),
                timeout=aiohttp.ClientTimeout(total=self._deadline, connect=_CONNECT),
                trust_env=True,
            )
        return self._client.session

    async def close(self) -> None:
        """Give back connections."""
        if self._client.session is not None:
            await self._client.session.close()
            self._client.session = None
