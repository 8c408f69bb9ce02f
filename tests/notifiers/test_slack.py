from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.events import NoteAdded
from app.core.person import Person
from app.errors import (
    Ambiguous,
    ContentRefused,
    DeliveryFailed,
    DestinationDead,
    ReferenceLost,
    TryLater,
)
from app.notifiers.notifier import DETAILS, ROOT, Mark, Message, Shown, Sought
from app.notifiers.slack import SlackNotifier
from app.notifiers.slack_errors import from_code
from tests.neighbours.slack import BOT_TOKEN, Fault, SlackServer, Workspace
from tests.notifiers.samples import ZONE, alert, notice, reported

CHANNEL = "#fraude-plantao"
TOKEN = "a1b2c3"
SHOWN = notice(reported(alert()), NoteAdded(Person("Ana"), "looking"))


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer(Workspace(rate_limits=False)) as server:
        yield server


@pytest.fixture
def workspace(server: SlackServer) -> Workspace:
    return server.workspace


@pytest.fixture
async def slack(server: SlackServer) -> AsyncIterator[SlackNotifier]:
    notifier = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url)
    yield notifier
    await notifier.close()


def root_of(slack: SlackNotifier, *, plain: bool = False) -> Message:
    return slack.root(SHOWN, locale="en", plain=plain)


def mark(entry: int = ROOT, token: str = TOKEN) -> Mark:
    return Mark(12, token, entry)


async def post_thread(slack: SlackNotifier, address: str = CHANNEL) -> tuple[str, str]:
    """A root, its details and a reply, as the deliverer posts them."""
    root = await slack.post(address, root_of(slack), mark())
    details = slack.details(SHOWN, locale="en", plain=False)
    assert details is not None
    below = await slack.post(address, details, mark(DETAILS), root=root)
    reply = slack.reply(SHOWN, SHOWN.entries, locale="en", plain=False)
    await slack.post(address, reply, mark(2), root=root)
    return root, below


async def look(
    slack: SlackNotifier, *, root: str | None = None, address: str = CHANNEL
) -> Shown | None:
    return await slack.survey(Sought(address, TOKEN, since=datetime.now(UTC), root=root))


# What is shown


async def test_a_thread(slack: SlackNotifier, workspace: Workspace) -> None:
    root, details = await post_thread(slack)
    (message,) = workspace.roots()
    assert root == f"C0FRAUDE:{message.ts}"
    below, reply = workspace.replies(message)
    assert details.endswith(below.ts)
    assert "HighErrorRate: checkout is failing" in message
    assert "alertname=HighErrorRate" in below
    assert "Note by Ana: looking" in reply
    assert message.content.metadata == {
        "event_type": "plantao_incident",
        "event_payload": {"incident": 12, "posting": TOKEN, "entry": 0},
    }


async def test_nothing_unfurls_and_nobody_is_linked(
    slack: SlackNotifier, workspace: Workspace
) -> None:
    await slack.post(CHANNEL, root_of(slack), mark())
    asked = workspace.journal[-1].arguments
    assert asked["unfurl_links"] is asked["unfurl_media"] is asked["link_names"] is False
    assert asked["parse"] == "none"


async def test_an_edit_replaces_everything_and_keeps_the_mark(
    slack: SlackNotifier, workspace: Workspace
) -> None:
    root = await slack.post(CHANNEL, root_of(slack), mark())
    await slack.edit(CHANNEL, root, root_of(slack, plain=True), mark())
    (message,) = workspace.roots()
    assert not message.blocks
    assert not message.attachments
    assert message.text.startswith("*🔴 CRITICAL")
    assert not message.edited_mark
    assert await look(slack) == Shown(root, None, 0)


# Finding again what was posted


async def test_a_survey_finds_the_whole_thread(server: SlackServer, slack: SlackNotifier) -> None:
    root, details = await post_thread(slack)
    assert await look(slack) == Shown(root, details, 2)
    assert await look(slack, root=root) == Shown(root, details, 2)
    stranger = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url)
    assert await look(stranger) == Shown(root, details, 2)
    assert await look(stranger, address="fraude-plantao") == Shown(root, details, 2)
    assert await look(stranger, address="C0FRAUDE") == Shown(root, details, 2)
    await stranger.close()


async def test_a_survey_knows_our_mark_from_others(
    slack: SlackNotifier, workspace: Workspace
) -> None:
    await slack.post(CHANNEL, root_of(slack), mark(token="another"))
    workspace.say("hello")
    assert await look(slack) == Shown(None, None, 0)


async def test_a_survey_turns_pages(slack: SlackNotifier, workspace: Workspace) -> None:
    root, details = await post_thread(slack)
    for number in range(450):
        workspace.say(f"noise {number}")
    (message,) = (m for m in workspace.roots() if m.content.metadata)
    for number in range(250):
        workspace.say(f"more {number}", thread_of=message)
    reply = slack.reply(SHOWN, SHOWN.entries, locale="en", plain=False)
    await slack.post(CHANNEL, reply, mark(9), root=root)
    assert await look(slack) == Shown(root, details, 9)


async def test_a_survey_looks_a_little_into_the_past(slack: SlackNotifier) -> None:
    root = await slack.post(CHANNEL, root_of(slack), mark())
    soon = datetime.now(UTC) + timedelta(minutes=4)
    assert await slack.survey(Sought(CHANNEL, TOKEN, since=soon)) == Shown(root, None, 0)
    late = datetime.now(UTC) + timedelta(minutes=9)
    assert await slack.survey(Sought(CHANNEL, TOKEN, since=late)) == Shown(None, None, 0)


@pytest.mark.parametrize("scopes", [["chat:write"], ["chat:write", "channels:read"]])
async def test_without_the_scopes_nobody_can_look(
    server: SlackServer, workspace: Workspace, scopes: list[str]
) -> None:
    workspace.set_scopes(*scopes)
    slack = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url)
    assert await look(slack) is None
    root = await slack.post(CHANNEL, root_of(slack), mark())
    assert await look(slack, root=root) is None
    await slack.close()


async def test_one_history_scope_is_enough_to_find_what_we_posted_ourselves(
    slack: SlackNotifier, workspace: Workspace
) -> None:
    workspace.set_scopes("chat:write", "channels:history")
    root, details = await post_thread(slack)
    assert await look(slack) == Shown(root, details, 2)


async def test_a_private_channel_is_found_by_name(
    slack: SlackNotifier, workspace: Workspace, server: SlackServer
) -> None:
    workspace.add_channel("segredo", private=True)
    root = await slack.post("#segredo", root_of(slack), mark())
    stranger = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url)
    assert await look(stranger, address="#segredo") == Shown(root, None, 0)
    await stranger.close()


# Failures


CODES = {
    DestinationDead: """
        channel_not_found not_in_channel is_archived token_revoked token_expired
        invalid_auth not_authed account_inactive missing_scope restricted_action
        no_permission ekm_access_denied
    """,
    ContentRefused: """
        invalid_blocks invalid_blocks_format invalid_attachments msg_too_long
        msg_blocks_too_long no_text too_many_attachments metadata_too_large
        metadata_something_new invalid_arguments
    """,
    ReferenceLost: """
        message_not_found cant_update_message edit_window_closed thread_not_found
    """,
    TryLater: """
        ratelimited rate_limited message_limit_exceeded request_timeout
        service_unavailable something_new
    """,
}


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, codes in CODES.items() for code in codes.split()]
)
def test_codes(code: str, kind: type[DeliveryFailed]) -> None:
    for repeatable in (True, False):
        error = from_code(code, repeatable=repeatable)
        assert type(error) is kind
        assert error.code == code


@pytest.mark.parametrize("code", ["internal_error", "fatal_error"])
def test_perhaps_done_in_part(code: str) -> None:
    assert type(from_code(code, repeatable=False)) is Ambiguous
    assert type(from_code(code, repeatable=True)) is TryLater


POST = "chat.postMessage"


@pytest.mark.parametrize(
    ("fault", "kind", "recorded"),
    [
        (Fault("drop", POST), Ambiguous, 0),
        (Fault("record_then_drop", POST), Ambiguous, 1),
        (Fault("reset", POST), Ambiguous, 0),
        (Fault("record_then_reset", POST), Ambiguous, 1),
        (Fault("http_error", POST, status=502), Ambiguous, 0),
        (Fault("record_then_http_error", POST, status=503), Ambiguous, 1),
        (Fault("truncated", POST), Ambiguous, 1),
        (Fault("cut_json", POST), Ambiguous, 1),
        (Fault("error", POST, error="internal_error"), Ambiguous, 0),
        (Fault("error", POST, error="service_unavailable"), TryLater, 0),
        (Fault("error", POST, error="invalid_blocks"), ContentRefused, 0),
        (Fault("ratelimited", POST, retry_after=7), TryLater, 0),
        (Fault("token_revoked", POST), DestinationDead, 0),
        (Fault("channel_archived", POST), DestinationDead, 0),
        (Fault("removed_from_channel", POST), DestinationDead, 0),
    ],
    ids=str,
)
async def test_a_post_that_goes_wrong(
    slack: SlackNotifier,
    workspace: Workspace,
    fault: Fault,
    kind: type[DeliveryFailed],
    recorded: int,
) -> None:
    workspace.faults.add(fault)
    error = await failure_of_post(slack)
    assert type(error) is kind
    assert len(workspace.roots()) == recorded
    assert fault.struck == 1  # nobody tried again behind our back


async def failure_of_post(slack: SlackNotifier, address: str = CHANNEL) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await slack.post(address, root_of(slack), mark())
    assert BOT_TOKEN not in f"{caught.value} {caught.value.code}"
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize("recorded", [False, True])
async def test_a_post_that_nobody_answers(
    server: SlackServer, workspace: Workspace, recorded: bool
) -> None:
    workspace.faults.add(Fault("hang", POST, record=recorded, seconds=60))
    slack = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url, deadline=0.3)
    error = await failure_of_post(slack)
    assert type(error) is Ambiguous
    assert error.code == "timeout"
    await slack.close()


async def test_slack_says_when_to_come_back(slack: SlackNotifier, workspace: Workspace) -> None:
    workspace.faults.add(Fault("ratelimited", POST, retry_after=7))
    error = await failure_of_post(slack)
    assert isinstance(error, TryLater)
    assert error.after == timedelta(seconds=7)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", "chat.update"),
        Fault("http_error", "chat.update", status=502),
        Fault("cut_json", "chat.update"),
        Fault("error", "chat.update", error="fatal_error"),
    ],
    ids=str,
)
async def test_an_edit_can_always_be_repeated(
    slack: SlackNotifier, workspace: Workspace, fault: Fault
) -> None:
    root = await slack.post(CHANNEL, root_of(slack), mark())
    workspace.faults.add(fault)
    with pytest.raises(TryLater):
        await slack.edit(CHANNEL, root, root_of(slack), mark())
    await slack.edit(CHANNEL, root, root_of(slack), mark())


async def test_a_message_somebody_deleted(slack: SlackNotifier, workspace: Workspace) -> None:
    root, _ = await post_thread(slack)
    workspace.remove(workspace.roots()[0])
    with pytest.raises(ReferenceLost):
        await slack.edit(CHANNEL, root, root_of(slack), mark())
    with pytest.raises(ReferenceLost):
        await look(slack, root=root)
    assert await look(slack) == Shown(None, None, 0)


@pytest.mark.parametrize("missing_thread", ["error", "unthread"])
async def test_a_reply_to_nothing_leaves_nothing(missing_thread: Any) -> None:
    with SlackServer(Workspace(rate_limits=False, missing_thread=missing_thread)) as server:
        slack = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url)
        root = await slack.post(CHANNEL, root_of(slack), mark())
        server.workspace.remove(server.workspace.roots()[0])
        reply = slack.reply(SHOWN, SHOWN.entries, locale="en", plain=False)
        with pytest.raises(ReferenceLost):
            await slack.post(CHANNEL, reply, mark(2), root=root)
        assert server.workspace.messages() == []
        await slack.close()


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    slack = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=f"http://127.0.0.1:{port}/api")
    assert type(await failure_of_post(slack)) is TryLater
    await slack.close()


async def test_a_name_that_does_not_resolve() -> None:
    slack = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url="http://slack.invalid/api")
    assert type(await failure_of_post(slack)) is TryLater
    await slack.close()


@pytest.mark.parametrize(
    ("head", "body", "kind"),
    [
        ("200 OK\r\nContent-Type: text/plain", "hello", Ambiguous),
        ("200 OK\r\nContent-Type: application/json", "[1]", Ambiguous),
        ("200 OK\r\nContent-Type: application/json", "null", Ambiguous),
        ("200 OK\r\nContent-Type: application/json", '{"ok": true}', Ambiguous),
        ("200 OK\r\nContent-Type: application/json", "\xff", Ambiguous),
        ("502 Bad Gateway\r\nContent-Type: text/plain", "upstream", Ambiguous),
        ("403 Forbidden\r\nContent-Type: text/html", "<p>no", TryLater),
        ("429 Slow\r\nRetry-After: 3\r\nContent-Type: text/html", "<p>no", TryLater),
        ("429 Slow\r\nRetry-After: soon\r\nContent-Type: text/plain", "no", TryLater),
    ],
)
async def test_what_is_not_slack(head: str, body: str, kind: type[DeliveryFailed]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        data = body.encode("latin-1")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    slack = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=f"http://127.0.0.1:{port}/api")
    assert type(await failure_of_post(slack)) is kind
    await slack.close()
    proxy.close()
    await proxy.wait_closed()


async def test_a_channel_that_does_not_exist(slack: SlackNotifier) -> None:
    error = await failure_of_post(slack, "#nowhere")
    assert error.code == "channel_not_found"
    assert "check its name" in str(error)


# plantao check


async def test_who_we_are(slack: SlackNotifier, workspace: Workspace) -> None:
    assert "Banco Exemplo" in await slack.auth_test()
    assert "missing" not in await slack.auth_test()
    workspace.set_scopes("commands")
    says = await slack.auth_test()
    assert says.endswith(
        "missing scopes: chat:write, channels:history or groups:history, files:write (for charts)"
    )
    workspace.refuse_token("token_revoked")
    with pytest.raises(DestinationDead):
        await slack.auth_test()
