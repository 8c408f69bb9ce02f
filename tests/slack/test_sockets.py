"""Socket Mode: slack_sdk's own client, and bare websockets, against the emulator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.neighbours.slack import APP_TOKEN, Person, Workspace
from tests.slack.app import App, Json, Stage, actions, button
from tests.slack.test_modals import WHY, modal
from tests.waiting import soon


@dataclass
class Link:
    """One websocket of an app that answers when told."""

    socket: aiohttp.ClientWebSocketResponse
    heard: list[Json] = field(default_factory=list)
    answers: bool = True
    payload: Json | None = None

    @property
    def envelopes(self) -> list[Json]:
        return [each for each in self.heard if "envelope_id" in each]

    async def listen(self) -> None:
        async for message in self.socket:
            said = json.loads(message.data)
            self.heard.append(said)
            if "envelope_id" in said and self.answers:
                await self.acknowledge(said)

    async def acknowledge(self, envelope: Json) -> None:
        answer: Json = {"envelope_id": envelope["envelope_id"]}
        answer |= {"payload": self.payload} if self.payload is not None else {}
        await self.socket.send_json(answer)

    async def hears(self, count: int) -> list[Json]:
        async def look() -> list[Json] | None:
            return self.envelopes if len(self.envelopes) >= count else None

        return await soon(look, what=f"{count} envelopes")

    async def ends(self) -> str:
        """The reason it was told to go for, empty when there was none."""

        async def look() -> bool:
            return self.socket.closed

        await soon(look, what="the end of the connection")
        reasons = [each["reason"] for each in self.heard if each["type"] == "disconnect"]
        return reasons[-1] if reasons else ""


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def in_socket_mode(slack: Workspace) -> Workspace:
    slack.app.socket_mode = True
    slack.app.bot_events = frozenset({"reaction_added"})
    return slack


async def address(play: Stage) -> str:
    web = AsyncWebClient(APP_TOKEN, base_url=play.server.api_url, retry_handlers=[])
    return str((await web.apps_connections_open(app_token=APP_TOKEN))["url"])


@asynccontextmanager
async def linked(play: Stage, session: aiohttp.ClientSession) -> AsyncIterator[Link]:
    link = Link(await session.ws_connect(await address(play)))
    listening = asyncio.create_task(link.listen())

    async def greeted() -> bool:
        return bool(link.heard)

    await soon(greeted, what="hello")
    try:
        yield link
    finally:
        await link.socket.close()
        await listening


async def test_a_connection_is_greeted(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace
) -> None:
    async with linked(play, session) as first, linked(play, session) as second:
        hello = first.heard[0]
        assert hello["type"] == "hello"
        assert hello["num_connections"] == 1
        assert hello["debug_info"]["approximate_connection_time"] == 18060
        assert hello["connection_info"] == {"app_id": "A0PLANTAO"}
        assert second.heard[0]["num_connections"] == 2


async def test_who_may_connect(play: Stage, session: aiohttp.ClientSession) -> None:
    async def error(token: str) -> str:
        web = AsyncWebClient(token, base_url=play.server.api_url, retry_handlers=[])
        with pytest.raises(SlackApiError) as caught:
            await web.api_call("apps.connections.open")
        return str(caught.value.response["error"])

    assert await error("xoxb-plantao") == "not_allowed_token_type"
    assert await error("xapp-nobody") == "invalid_auth"
    play.slack.set_scopes("authorizations:read", token=APP_TOKEN)
    assert await error(APP_TOKEN) == "missing_scope"
    web = AsyncWebClient(APP_TOKEN, base_url=play.server.api_url, retry_handlers=[])
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await web.chat_postMessage(channel="C0FRAUDE", text="x")


async def test_an_address_is_for_one_connection(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace
) -> None:
    url = await address(play)
    async with session.ws_connect(url):
        pass
    for dead in (url, url.replace("ticket=", "ticket=0")):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(dead)
    late = await address(play)
    await play.clock.advance(seconds=30)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(late)


async def test_a_click_comes_through_the_socket(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace, ana: Person
) -> None:
    async with linked(play, session) as link:
        await play.app.post(blocks=[actions(button())])
        await ana.click(play.slack.roots()[0], "incident.acknowledge")
        (envelope,) = link.envelopes
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", True)
        assert envelope["payload"]["type"] == "block_actions"
        assert "retry_attempt" not in envelope
        assert not play.app.heard


async def test_answers_travel_in_acknowledgements(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace, ana: Person
) -> None:
    async with linked(play, session) as link:
        link.payload = {"text": "3 open incidents"}
        await ana.command("/plantao list")
        await ana.expect_ephemeral_soon("3 open incidents")
        assert link.envelopes[0]["type"] == "slash_commands"
        trigger = link.envelopes[0]["payload"]["trigger_id"]
        await play.app.web.views_open(trigger_id=trigger, view=modal(WHY))
        silence = await ana.expect_modal_soon("Silence")
        silence.fill("why", "because")
        link.payload = {"response_action": "errors", "errors": {"why": "Say more"}}
        await silence.submit()
        assert silence.errors == {"why": "Say more"}


async def test_without_an_acknowledgement_a_person_is_warned(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace, ana: Person
) -> None:
    assert "dispatch_failed" in await ana.command("/plantao list").warning()
    async with linked(play, session) as link:
        link.answers = False
        command = ana.command("/plantao list")
        await link.hears(1)
        await link.socket.send_str("not json")
        await link.socket.send_json({"envelope_id": "another"})
        await play.clock.advance(seconds=3)
        assert "operation_timeout" in await command.warning()


async def test_an_event_is_sent_again_by_the_next_connection(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace, ana: Person
) -> None:
    async with linked(play, session) as first:
        first.answers = False
        reaction = ana.react(ana.say("x"), "pushpin")
        (sent,) = await first.hears(1)
        assert sent["retry_attempt"] == 0
        play.slack.sockets.cut()
        assert await first.ends() == ""
        async with linked(play, session) as second:
            await play.clock.advance(seconds=3)
            await reaction
            (again,) = await second.hears(1)
    assert again["payload"] == sent["payload"]
    assert again["envelope_id"] != sent["envelope_id"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "http_timeout")


async def test_each_payload_goes_to_one_connection(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace, ana: Person
) -> None:
    async with linked(play, session) as first, linked(play, session) as second:
        note = ana.say("x")
        for number in range(20):
            await ana.react(note, f"e{number}")
        assert len(first.envelopes) + len(second.envelopes) == 20
        assert first.envelopes
        assert second.envelopes


async def test_there_are_no_more_than_ten(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace
) -> None:
    links = [await session.ws_connect(await address(play)) for _ in range(11)]
    for link in links[:10]:
        assert (await link.receive_json())["type"] == "hello"
    assert (await links[10].receive_json())["reason"] == "too_many_websockets"
    for link in links:
        await link.close()


async def test_connections_are_refreshed(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace
) -> None:
    play.slack.sockets.lifetime = 60
    async with linked(play, session) as link:
        await play.clock.advance(seconds=51)

        async def warned() -> bool:
            return link.heard[-1].get("reason") == "warning"

        await soon(warned, what="a warning")
        assert not link.socket.closed
        await play.clock.advance(seconds=9)
        assert await link.ends() == "refresh_requested"
    async with linked(play, session) as link:
        play.slack.sockets.warn()
        play.slack.sockets.refresh()
        assert await link.ends() == "refresh_requested"
    assert play.slack.sockets.count == 0


async def test_socket_mode_can_be_turned_off(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace
) -> None:
    async with linked(play, session) as link:
        play.slack.sockets.disable()
        assert await link.ends() == "link_disabled"
    refused = await session.ws_connect(await address(play))
    assert (await refused.receive_json())["reason"] == "link_disabled"
    await refused.close()


async def test_connections_are_cut_again_and_again(
    play: Stage, session: aiohttp.ClientSession, in_socket_mode: Workspace
) -> None:
    play.slack.sockets.cut_every(5)
    for _ in range(2):
        async with linked(play, session) as link:
            await play.clock.advance(seconds=5)
            assert await link.ends() == ""
    play.slack.sockets.cut_every(None)
    async with linked(play, session) as link:
        await play.clock.advance(seconds=20)
        assert not link.socket.closed


async def test_slack_sdks_client(play: Stage, in_socket_mode: Workspace, ana: Person) -> None:
    from slack_sdk.socket_mode.aiohttp import SocketModeClient  # noqa: PLC0415
    from slack_sdk.socket_mode.response import SocketModeResponse  # noqa: PLC0415

    web = AsyncWebClient("xoxb-plantao", base_url=play.server.api_url, retry_handlers=[])
    client = SocketModeClient(APP_TOKEN, web_client=web)
    heard: list[str] = []

    async def hear(_: Any, request: Any) -> None:
        heard.append(request.type)
        answer = SocketModeResponse(request.envelope_id, payload={"text": "heard"})
        await client.send_socket_mode_response(answer)

    client.socket_mode_request_listeners.append(hear)
    await client.connect()  # type: ignore[no-untyped-call]

    async def connected() -> bool:
        return play.slack.sockets.count == 1

    await soon(connected)
    await ana.command("/plantao list")
    await ana.expect_ephemeral_soon("heard")
    assert heard == ["slash_commands"]
    await client.close()  # type: ignore[no-untyped-call]


def test_a_workspace_without_connections_closes() -> None:
    Workspace().close()


async def test_nothing_is_sent_before_the_app_listens(app: App, slack: Workspace) -> None:
    slack.app.events_url = None
    await app.post("x")
    assert not app.events
