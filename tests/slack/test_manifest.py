"""Manifests: what they ask for is granted, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.neighbours.slack import (
    APP_TOKEN,
    InvalidManifest,
    Manifest,
    Person,
    SlackProcess,
    Workspace,
)
from tests.slack.app import CHANNEL, App, Json

HTTP = """
display_information: {name: Plantão}
features:
  app_home: {home_tab_enabled: true}
  bot_user: {display_name: plantao, always_online: true}
  shortcuts:
    - {name: Add to timeline, type: message, callback_id: timeline.add, description: Keep it}
  slash_commands:
    - {command: /plantao, url: "https://plantao.example.com/slack/commands", description: On call,
       usage_hint: list, should_escape: true}
oauth_config:
  scopes: {bot: [chat:write, commands, reactions:read]}
settings:
  event_subscriptions:
    request_url: https://plantao.example.com/slack/events
    bot_events: [app_home_opened, reaction_added]
  interactivity: {is_enabled: true, request_url: "https://plantao.example.com/slack/interactions"}
  socket_mode_enabled: false
"""
SOCKET = """
display_information: {name: Plantão}
features:
  bot_user: {display_name: plantao}
  slash_commands: [{command: /plantao, description: On call}]
oauth_config: {scopes: {bot: [chat:write, commands]}}
settings:
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
"""


def test_installing_grants_what_it_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(HTTP)
    workspace = Workspace()
    Manifest.read(path).install(workspace, "http://127.0.0.1:8080/")
    app = workspace.app
    assert app.interactivity_url == "http://127.0.0.1:8080/slack/interactions"
    assert app.events_url == "http://127.0.0.1:8080/slack/events"
    assert app.commands["/plantao"].url == "http://127.0.0.1:8080/slack/commands"
    assert app.commands["/plantao"].escapes
    assert app.shortcuts["timeline.add"].name == "Add to timeline"
    assert app.bot_events == {"app_home_opened", "reaction_added"}
    assert app.home_tab
    assert not app.socket_mode
    assert workspace.bot.scopes == {"chat:write", "commands", "reactions:read"}


async def test_what_it_forgets_is_missing(app: App, slack: Workspace, ana: Person) -> None:
    base = str(slack.app.events_url).removesuffix("/slack/events")
    Manifest.parsed(HTTP).install(slack, base)
    note = ana.say("said, but not heard")
    await ana.react(note, "pushpin")
    await ana.unreact(note, "pushpin")
    assert [h.payload["event"]["type"] for h in app.events] == ["reaction_added"]
    with pytest.raises(SlackApiError, match="missing_scope") as caught:
        await app.web.conversations_history(channel=CHANNEL)
    assert caught.value.response["needed"] == "channels:history"
    assert caught.value.response.headers["x-oauth-scopes"] == "chat:write,commands,reactions:read"


async def test_a_process_is_configured_by_its_command(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(SOCKET)
    with SlackProcess("--manifest", str(path), "--app", "http://127.0.0.1:1") as process:
        web = AsyncWebClient(APP_TOKEN, base_url=process.api_url, retry_handlers=[])
        url = str((await web.apps_connections_open(app_token=APP_TOKEN))["url"])
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as link:
            assert (await link.receive_json())["type"] == "hello"
            assert process.get("sockets") == {"count": 1, "opened": 1}
            url = f"{process.url}/_control/command"
            sent = asyncio.create_task(_told(session, url, line="/plantao list"))
            envelope = await link.receive_json()
            assert envelope["payload"]["text"] == "list"
            answer = {"text": "nothing is open"}
            await link.send_json({"envelope_id": envelope["envelope_id"], "payload": answer})
            assert (await sent)["warning"] is None
        (shown,) = process.get("ephemeral", user="U0ANA")
        assert shown["visible_text"] == "nothing is open"


async def _told(session: aiohttp.ClientSession, url: str, **arguments: object) -> Json:
    async with session.post(url, json=arguments) as answer:
        found: Json = await answer.json()
        return found


def test_socket_mode_needs_no_addresses() -> None:
    workspace = Workspace()
    Manifest.parsed(SOCKET).install(workspace)
    assert workspace.app.socket_mode
    assert workspace.app.commands["/plantao"].url is None
    assert not workspace.app.home_tab
    assert not workspace.app.bot_events


def test_without_interactivity_nothing_can_be_clicked() -> None:
    source = SOCKET.replace("  interactivity: {is_enabled: true}\n", "")
    workspace = Workspace()
    Manifest.parsed(source).install(workspace)
    workspace.app.add_shortcut("new", "New", kind="global")
    with pytest.raises(AssertionError, match="interactivity is switched off"):
        workspace.person("ana").shortcut("new")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("chat:write,", "chat:wriet,", "must be a valid enum value"),
        ("bot_events: [", "bot_events: [message.channels, ", "needs the scope channels:history"),
        ("reactions:read]", "users:read.email]", "needs the scope users:read"),
        ("commands, ", "", "slash_commands and shortcuts needs the scope commands"),
        ("Add to timeline", "Add this to the incident's timeline", "less than 25 characters"),
        ("    request_url: https://plantao.example.com/slack/events\n", "", "request_url"),
        ('url: "https://plantao.example.com/slack/commands", ', "", "missing required field: url"),
        ("command: /plantao", "command: plantao", "starts with /"),
        ("home_tab_enabled", "home_tab", "invalid additional property: home_tab"),
        ("{name: Plantão}", "{}", "missing required field: name"),
    ],
)
def test_manifests_slack_refuses(old: str, new: str, problem: str) -> None:
    assert old in HTTP
    with pytest.raises(InvalidManifest) as caught:
        Manifest.parsed(HTTP.replace(old, new))
    assert problem in str(caught.value)
