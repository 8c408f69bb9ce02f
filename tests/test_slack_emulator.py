"""The Slack emulator behaves as Slack does: driven by slack_sdk and httpx over loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.neighbours.slack import (
    ALL_SCOPES,
    BOT_TOKEN,
    Call,
    Fault,
    SlackProcess,
    SlackServer,
    Workspace,
    read_journal,
)

CHANNEL = "C0FRAUDE"
Json = dict[str, Any]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[SlackServer]:
    with SlackServer(Workspace(clock=clock, rate_limits=False)) as server:
        yield server


@pytest.fixture
def workspace(server: SlackServer) -> Workspace:
    return server.workspace


@pytest.fixture
def slack(server: SlackServer) -> AsyncWebClient:
    return AsyncWebClient(BOT_TOKEN, base_url=server.api_url, retry_handlers=[], timeout=20)


@pytest.fixture
async def http(server: SlackServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    async with httpx.AsyncClient(
        base_url=server.api_url, headers=headers, trust_env=False, timeout=20
    ) as client:
        yield client


async def refused(slack: AsyncWebClient, method: str, **arguments: object) -> Json:
    with pytest.raises(SlackApiError) as caught:
        await slack.api_call(method, json=arguments)
    answer: Json = caught.value.response.data
    assert answer["ok"] is False
    return answer


async def error_of(slack: AsyncWebClient, method: str, **arguments: object) -> str:
    return str((await refused(slack, method, **arguments))["error"])


def section(text: str, **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(**more: object) -> Json:
    label = {"type": "plain_text", "text": "Ack"}
    return {"type": "button", "text": label, "action_id": "incident.acknowledge", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def metadata(**payload: object) -> Json:
    return {"event_type": "plantao_incident", "event_payload": payload}


# -- posting, editing, reading


async def test_a_post_answers_with_the_message_as_stored(
    slack: AsyncWebClient, workspace: Workspace
) -> None:
    answer = await slack.chat_postMessage(
        channel="#fraude-plantao", text="lag > 10 & rising", blocks=[section("*hi*")]
    )
    message = answer["message"]
    assert answer["channel"] == CHANNEL
    assert message["text"] == "lag &gt; 10 &amp; rising"
    assert message["bot_id"] == "B0PLANTAO"
    assert message["blocks"][0]["block_id"]
    assert message["blocks"][0]["text"]["verbatim"] is False
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    assert [m.visible_text for m in workspace.roots()] == ["hi"]


async def test_ts_are_unique_and_rise_even_when_the_clock_stands_still(
    slack: AsyncWebClient,
) -> None:
    stamps = [(await slack.chat_postMessage(channel=CHANNEL, text=f"{n}"))["ts"] for n in range(5)]
    assert stamps == sorted(set(stamps))
    assert stamps[0] == "1700000000.000000"


async def test_a_thread_is_counted_on_its_root_and_kept_out_of_history(
    slack: AsyncWebClient,
) -> None:
    root = (await slack.chat_postMessage(channel=CHANNEL, text="root"))["ts"]
    reply = await slack.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=root)
    assert reply["message"]["thread_ts"] == root
    messages = (await slack.conversations_history(channel=CHANNEL))["messages"]
    assert [m["text"] for m in messages] == ["root"]
    assert messages[0]["reply_count"] == 1
    assert messages[0]["latest_reply"] == reply["ts"]
    thread = (await slack.conversations_replies(channel=CHANNEL, ts=root))["messages"]
    assert [m["text"] for m in thread] == ["root", "reply"]


async def test_an_edit_replaces_what_it_names(slack: AsyncWebClient, workspace: Workspace) -> None:
    ts = (
        await slack.chat_postMessage(
            channel=CHANNEL,
            text="red",
            blocks=[section("red")],
            attachments=[{"color": "#d00000", "fallback": "x", "blocks": [section("bar")]}],
            metadata=metadata(incident=1),
        )
    )["ts"]
    message = workspace.roots()[0]
    assert message.colors == ["d00000"]
    # Text without blocks removes the blocks; attachments and metadata stay unless given.
    await slack.chat_update(channel=CHANNEL, ts=ts, text="green")
    assert (message.blocks, message.colors) == ([], ["d00000"])
    assert message.metadata == metadata(incident=1)
    assert message.edited_ts
    await slack.chat_update(channel=CHANNEL, ts=ts, text="green", attachments=[], metadata={})
    assert not message.attachments
    assert not message.metadata
    assert message.edits == 2


async def test_metadata_is_only_shown_to_who_asks(slack: AsyncWebClient) -> None:
    given = metadata(incident=17, posting=3, tags=["a", {"b": True}])
    ts = (await slack.chat_postMessage(channel=CHANNEL, text="x", metadata=given))["ts"]
    plain = await slack.conversations_history(channel=CHANNEL)
    assert "metadata" not in plain["messages"][0]
    history = await slack.conversations_history(channel=CHANNEL, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == given
    thread = await slack.conversations_replies(channel=CHANNEL, ts=ts, include_all_metadata=True)
    assert thread["messages"][0]["metadata"] == given


async def test_history_pages_newest_first(slack: AsyncWebClient, workspace: Workspace) -> None:
    for number in range(7):
        await slack.chat_postMessage(channel=CHANNEL, text=f"m{number}")
    seen: list[str] = []
    async for page in await slack.conversations_history(channel=CHANNEL, limit=3):
        workspace.say("meanwhile")  # what comes in between does not shift the pages
        seen += [m["text"] for m in page["messages"]]
    assert seen == ["m6", "m5", "m4", "m3", "m2", "m1", "m0"]


async def test_history_between_two_moments(slack: AsyncWebClient, workspace: Workspace) -> None:
    stamps = [workspace.say(f"m{n}").ts for n in range(5)]

    async def texts(**window: Any) -> list[str]:
        answer = await slack.conversations_history(channel=CHANNEL, **window)
        return [m["text"] for m in answer["messages"]]

    assert await texts(oldest=stamps[1], latest=stamps[3]) == ["m2"]
    assert await texts(oldest=stamps[1], latest=stamps[3], inclusive=True) == ["m3", "m2", "m1"]
    assert await texts(oldest="0", limit=2) == ["m1", "m0"]  # oldest alone: from the oldest end
    assert await error_of(slack, "conversations.history", channel=CHANNEL, oldest="soon") == (
        "invalid_ts_oldest"
    )
    assert await error_of(slack, "conversations.history", channel=CHANNEL, cursor="?") == (
        "invalid_cursor"
    )
    assert await error_of(slack, "conversations.history", channel=CHANNEL, limit=1000) == (
        "invalid_limit"
    )


async def test_replies_page_oldest_first(slack: AsyncWebClient, workspace: Workspace) -> None:
    root = workspace.say("root")
    for number in range(4):
        workspace.say(f"r{number}", thread_of=root)
    seen: list[str] = []
    async for page in await slack.conversations_replies(channel=CHANNEL, ts=root.ts, limit=2):
        seen += [m["text"] for m in page["messages"]]
    assert seen == ["root", "r0", "r1", "r2", "r3"]


# -- refusals


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive"])
async def test_a_refused_token(slack: AsyncWebClient, workspace: Workspace, code: str) -> None:
    workspace.refuse_token(code)
    assert await error_of(slack, "auth.test") == code
    workspace.refuse_token(None)
    assert (await slack.auth_test())["bot_id"] == "B0PLANTAO"


async def test_missing_and_unknown_tokens(server: SlackServer, http: httpx.AsyncClient) -> None:
    async def ask(token: str) -> str:
        answer = await http.post("auth.test", headers={"Authorization": token})
        return str(answer.json()["error"])

    assert await ask("") == "not_authed"
    assert await ask("Bearer xoxb-nobody") == "invalid_auth"
    form = await http.post("auth.test", headers={"Authorization": ""}, data={"token": BOT_TOKEN})
    assert form.json()["ok"]
    as_json = await http.post("auth.test", headers={"Authorization": ""}, json={"token": BOT_TOKEN})
    assert as_json.json()["error"] == "not_authed"


async def test_a_missing_scope_is_named(slack: AsyncWebClient, workspace: Workspace) -> None:
    workspace.set_scopes("commands")
    answer = await refused(slack, "chat.postMessage", channel=CHANNEL, text="x")
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write",
        "commands",
    )
    assert await error_of(slack, "conversations.history", channel=CHANNEL) == "missing_scope"


async def test_an_unknown_method(slack: AsyncWebClient) -> None:
    assert await error_of(slack, "chat.shout", text="x") == "unknown_method"


async def test_channels_are_named_only_when_posting(
    slack: AsyncWebClient, workspace: Workspace
) -> None:
    ts = (await slack.chat_postMessage(channel="fraude-plantao", text="x"))["ts"]
    name = "#fraude-plantao"
    assert await error_of(slack, "chat.update", channel=name, ts=ts, text="y") == (
        "channel_not_found"
    )
    assert await error_of(slack, "conversations.history", channel=name) == "channel_not_found"
    assert await error_of(slack, "chat.postMessage", channel="#nowhere", text="x") == (
        "channel_not_found"
    )


async def test_rooms_the_bot_may_not_write_to(slack: AsyncWebClient, workspace: Workspace) -> None:
    workspace.add_channel("fora", id="C0FORA", member=False)
    workspace.add_channel("segredo", id="C0SEGREDO", member=False, private=True)
    workspace.add_channel("avisos", id="C0AVISOS", read_only=True)
    workspace.add_channel("velho", id="C0VELHO", archived=True)
    expected = {
        "C0FORA": "not_in_channel",
        "C0SEGREDO": "channel_not_found",
        "C0AVISOS": "restricted_action",
        "C0VELHO": "is_archived",
    }
    for channel, code in expected.items():
        assert await error_of(slack, "chat.postMessage", channel=channel, text="x") == code
    assert await error_of(slack, "conversations.history", channel="C0FORA") == "not_in_channel"
    workspace.set_scopes(*ALL_SCOPES, "chat:write.public")
    await slack.chat_postMessage(channel="C0FORA", text="x")
    joined = await slack.conversations_join(channel="C0FORA")
    assert joined["channel"]["is_member"]


async def test_edits_that_slack_refuses(
    slack: AsyncWebClient, workspace: Workspace, clock: Clock
) -> None:
    theirs = workspace.say("mine")
    assert await error_of(slack, "chat.update", channel=CHANNEL, ts=theirs.ts, text="x") == (
        "cant_update_message"
    )
    assert await error_of(slack, "chat.delete", channel=CHANNEL, ts=theirs.ts) == (
        "cant_delete_message"
    )
    assert await error_of(slack, "chat.update", channel=CHANNEL, ts="1.000000", text="x") == (
        "message_not_found"
    )
    ts = (await slack.chat_postMessage(channel=CHANNEL, text="x"))["ts"]
    assert await error_of(slack, "chat.update", channel=CHANNEL, ts=ts) == "no_text"
    assert await error_of(slack, "chat.update", channel=CHANNEL, ts=ts, text="x" * 4001) == (
        "msg_too_long"
    )
    workspace.edit_window = 60
    clock.advance(61)
    assert await error_of(slack, "chat.update", channel=CHANNEL, ts=ts, text="y") == (
        "edit_window_closed"
    )


async def test_a_message_a_person_deleted_cannot_be_edited(
    slack: AsyncWebClient, workspace: Workspace
) -> None:
    await slack.chat_postMessage(channel=CHANNEL, text="lone")
    await slack.chat_postMessage(channel=CHANNEL, text="with a thread")
    lone, threaded = workspace.roots()
    workspace.say("seen", thread_of=threaded)
    workspace.remove(lone)
    workspace.remove(threaded)
    for message in (lone, threaded):
        assert await error_of(slack, "chat.update", channel=CHANNEL, ts=message.ts, text="y") == (
            "message_not_found"
        )
    history = (await slack.conversations_history(channel=CHANNEL))["messages"]
    assert [m["subtype"] for m in history] == ["tombstone"]


async def test_a_thread_needs_its_root(slack: AsyncWebClient, workspace: Workspace) -> None:
    workspace.add_channel("outro", id="C0OUTRO")
    root = workspace.say("root")
    reply = workspace.say("reply", thread_of=root)
    elsewhere = workspace.say("root", channel="C0OUTRO")
    for ts in ("1.000000", reply.ts, elsewhere.ts):
        assert await error_of(
            slack, "chat.postMessage", channel=CHANNEL, text="x", thread_ts=ts
        ) == ("thread_not_found")
    assert await error_of(slack, "conversations.replies", channel=CHANNEL, ts="1.0") == (
        "thread_not_found"
    )
    workspace.missing_thread = "unthread"
    answer = await slack.chat_postMessage(channel=CHANNEL, text="x", thread_ts="1.000000")
    assert "thread_ts" not in answer["message"]


# -- limits


async def problems_of(slack: AsyncWebClient, *blocks: object) -> list[str]:
    answer = await refused(slack, "chat.postMessage", channel=CHANNEL, text="x", blocks=blocks)
    assert answer["error"] == "invalid_blocks"
    errors: list[str] = answer["errors"]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {e}" for e in errors]
    return errors


PLAIN = {"type": "plain_text", "text": "x"}
OPTION = {"text": PLAIN, "value": "v"}
BAD_BLOCKS: dict[str, tuple[Json, str]] = {
    "section text": (
        section("x" * 3001),
        "less than 3001 characters [json-pointer:/blocks/0/",
    ),
    "empty text": (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text"),
    "nothing": ({"type": "section"}, "missing required field: text or fields"),
    "fields": ({"type": "section", "fields": [PLAIN] * 11}, "no more than 10 items"),
    "field": (
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]},
        "less than 2001 characters",
    ),
    "header": (
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        "less than 151 characters",
    ),
    "header kind": (
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "button text": (
        actions(button(text={"type": "plain_text", "text": "x" * 76})),
        "less than 76 characters",
    ),
    "button kind": (
        actions(button(text={"type": "mrkdwn", "text": "x"})),
        "unsupported type: mrkdwn",
    ),
    "button value": (actions(button(value="x" * 2001)), "less than 2001 characters"),
    "button number": (actions(button(value=17)), "must be a string"),
    "button url": (actions(button(url="https://e.example/" + "x" * 3000)), "less than 3001"),
    "button scheme": (actions(button(url="javascript:alert(1)")), "must be a valid URL"),
    "button style": (actions(button(style="warning")), "must be a valid enum value"),
    "action_id": (actions(button(action_id="x" * 256)), "less than 256 characters"),
    "same action_id": (actions(button(), button()), "`action_id` already exists"),
    "many elements": (
        actions(*(button(action_id=f"a{n}") for n in range(26))),
        "no more than 25 items",
    ),
    "no elements": (actions(), "no fewer than 1 items"),
    "overflow": (
        actions({"type": "overflow", "action_id": "o", "options": [OPTION] * 6}),
        "no more than 5 items",
    ),
    "select": (
        actions({"type": "static_select", "action_id": "s"}),
        "must provide options or option_groups",
    ),
    "context": ({"type": "context", "elements": [PLAIN] * 11}, "no more than 10 items"),
    "alt text": (
        {"type": "image", "image_url": "https://e.example/a.png"},
        "missing required field: alt_text",
    ),
    "private image": (
        {"type": "image", "image_url": "http://127.0.0.1/a.png", "alt_text": "a"},
        "downloading image failed",
    ),
    "svg": (
        {"type": "image", "image_url": "https://e.example/a.svg", "alt_text": "a"},
        "downloading image failed",
    ),
    "block_id": (section("x", block_id="x" * 256), "less than 256 characters"),
    "unknown type": ({"type": "poem"}, "unsupported type: poem [json-pointer:/blocks/0/type]"),
    "no type": ({"text": PLAIN}, "missing required field: type"),
    "unknown property": (section("x", colour="red"), "invalid additional property: colour"),
    "null": (section("x", accessory=None), "must not be null"),
    "not an object": ({"type": "section", "text": "x"}, "must provide an object"),
}


@pytest.mark.parametrize("case", BAD_BLOCKS)
async def test_blocks_slack_refuses(slack: AsyncWebClient, case: str) -> None:
    block, problem = BAD_BLOCKS[case]
    assert any(problem in said for said in await problems_of(slack, block)), case


async def test_block_lists_slack_refuses(slack: AsyncWebClient) -> None:
    assert await problems_of(slack, *[{"type": "divider"}] * 51) == [
        "no more than 50 items allowed [json-pointer:/blocks]"
    ]
    twins = [{"type": "divider", "block_id": "same"}] * 2
    assert "`block_id` already exists" in (await problems_of(slack, *twins))[0]


async def test_the_largest_message_slack_takes(slack: AsyncWebClient) -> None:
    full = [section("x" * 3000), {"type": "section", "fields": [PLAIN] * 10}]
    many = [actions(*(button(action_id=f"a{n}", value="v") for n in range(25)))]
    image = {"type": "image", "image_url": "https://e.example/a.png", "alt_text": "a"}
    blocks = [*full, *many, image, {"type": "header", "text": PLAIN}]
    blocks += [{"type": "divider"}] * (50 - len(blocks))
    assert (await slack.chat_postMessage(channel=CHANNEL, text="x", blocks=blocks))["ok"]


async def test_blocks_have_a_total(slack: AsyncWebClient) -> None:
    send = {"channel": CHANNEL, "text": "x"}
    text = [section("x" * 2900) for _ in range(4)]
    assert await error_of(slack, "chat.postMessage", **send, blocks=text) == "msg_blocks_too_long"
    split = {"blocks": text[:2], "attachments": [{"blocks": text[2:]}]}
    assert await error_of(slack, "chat.postMessage", **send, **split) == "msg_blocks_too_long"


async def test_blocks_that_are_no_list(slack: AsyncWebClient) -> None:
    for blocks in ("{", "{}", {"type": "divider"}):
        assert await error_of(
            slack, "chat.postMessage", channel=CHANNEL, text="x", blocks=blocks
        ) == ("invalid_blocks_format")


async def test_text(slack: AsyncWebClient) -> None:
    assert await error_of(slack, "chat.postMessage", channel=CHANNEL) == "no_text"
    assert await error_of(slack, "chat.postMessage", channel=CHANNEL, text=" ") == "no_text"
    answer = await slack.chat_postMessage(channel=CHANNEL, text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000
    assert answer["warning"] == "message_truncated"


async def test_attachments(slack: AsyncWebClient) -> None:
    async def error(*attachments: Json) -> str:
        return await error_of(
            slack, "chat.postMessage", channel=CHANNEL, text="x", attachments=attachments
        )

    assert await error(*[{"text": "x"}] * 101) == "too_many_attachments"
    assert await error({"text": "x", "color": "reddish"}) == "invalid_attachments"
    assert await error({"text": "x", "shade": "red"}) == "invalid_attachments"
    assert await error({"color": "#ff0000"}) == "invalid_attachments"
    assert await error({"color": "#ff0000", "blocks": [section("")]}) == "invalid_blocks"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "with.dot", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": []}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {}, "more": 1}, "invalid_metadata_format"),
        (metadata(a=None), "invalid_metadata_format"),
        (metadata(a={"b": {"c": 1}}), "invalid_metadata_format"),
        ("{", "invalid_metadata_format"),
        (metadata(a="x" * 8000), "metadata_too_large"),
    ],
)
async def test_metadata_slack_refuses(slack: AsyncWebClient, given: object, code: str) -> None:
    assert (
        await error_of(slack, "chat.postMessage", channel=CHANNEL, text="x", metadata=given) == code
    )


# -- how a request may be written


async def test_forms_carry_json_and_flags_as_text(http: httpx.AsyncClient) -> None:
    form = {
        "channel": CHANNEL,
        "text": "x",
        "blocks": json.dumps([section("form")]),
        "metadata": json.dumps(metadata(a=1)),
    }
    posted = (await http.post("chat.postMessage", data=form)).json()
    assert posted["ok"]
    history = (
        await http.get(
            "conversations.history", params={"channel": CHANNEL, "include_all_metadata": "1"}
        )
    ).json()
    assert history["messages"][0]["metadata"] == metadata(a=1)
    parts = {name: (None, value) for name, value in form.items()}
    assert (await http.post("chat.postMessage", files=parts)).json()["ok"]


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json; charset=utf-8", b"{", "invalid_json"),
        ("application/json; charset=utf-8", b"[]", "json_not_object"),
        ("application/json; charset=utf-8", b'{"text": "\xff"}', "invalid_json"),
        ("application/json; charset=ebcdic", b"{}", "invalid_charset"),
        ("application/x-www-form-urlencoded", b"text=%ff", "invalid_form_data"),
        ("multipart/form-data; boundary=b", b"nothing", "invalid_form_data"),
        ("text/plain", b"x", "invalid_post_type"),
        ("", b"x", "missing_post_type"),
    ],
)
async def test_bodies_slack_cannot_read(
    http: httpx.AsyncClient, content_type: str, body: bytes, code: str
) -> None:
    answer = await http.post(
        "chat.postMessage", content=body, headers={"content-type": content_type}
    )
    assert (answer.status_code, answer.json()["error"]) == (200, code)


async def test_json_without_a_charset_is_warned_about(http: httpx.AsyncClient) -> None:
    answer = (await http.post("auth.test", json={})).json()
    assert answer["ok"]
    assert answer["response_metadata"]["warnings"] == ["missing_charset"]
    wrong = (await http.post("chat.postMessage", json={"channel": CHANNEL, "text": ["x"]})).json()
    assert wrong["error"] == "invalid_arguments"


# -- rate limits


async def test_a_channel_takes_a_message_a_second(
    slack: AsyncWebClient, workspace: Workspace, clock: Clock
) -> None:
    workspace.add_channel("outro", id="C0OUTRO")
    workspace.limits.enabled = True
    for _ in range(4):
        await slack.chat_postMessage(channel="#fraude-plantao", text="x")
    with pytest.raises(SlackApiError) as caught:
        await slack.chat_postMessage(channel=CHANNEL, text="x")
    response: Any = caught.value.response
    assert (response.status_code, response["error"]) == (429, "ratelimited")
    assert response.headers["Retry-After"] == "1"
    await slack.chat_postMessage(channel="C0OUTRO", text="x")
    clock.advance(1)
    await slack.chat_postMessage(channel=CHANNEL, text="x")
    assert len(workspace.messages()) == 5


async def test_each_method_has_its_tier(
    slack: AsyncWebClient, workspace: Workspace, clock: Clock
) -> None:
    workspace.limits.enabled = True
    workspace.limits.tiers["conversations.history"] = 2
    for _ in range(2):
        await slack.conversations_history(channel=CHANNEL)
    with pytest.raises(SlackApiError) as caught:
        await slack.conversations_history(channel=CHANNEL)
    response: Any = caught.value.response
    assert response.headers["Retry-After"] == "30"
    clock.advance(30)
    assert (await slack.conversations_history(channel=CHANNEL))["ok"]


# -- faults


@pytest.mark.parametrize(
    ("kind", "recorded"),
    [
        ("drop", 0),
        ("record_then_drop", 1),
        ("reset", 0),
        ("record_then_reset", 1),
        ("truncated", 1),
    ],
)
async def test_connections_that_break(
    slack: AsyncWebClient, workspace: Workspace, kind: str, recorded: int
) -> None:
    workspace.faults.add(Fault(kind))
    with pytest.raises(aiohttp.ClientError):
        await slack.chat_postMessage(channel=CHANNEL, text="x")
    assert len(workspace.messages()) == recorded
    await slack.chat_postMessage(channel=CHANNEL, text="y")  # one shot only


async def test_the_default_retries_of_slack_sdk_post_twice(
    server: SlackServer, workspace: Workspace
) -> None:
    workspace.faults.add(Fault("record_then_drop"))
    await AsyncWebClient(BOT_TOKEN, base_url=server.api_url).chat_postMessage(
        channel=CHANNEL, text="x"
    )
    assert [m.text for m in workspace.messages()] == ["x", "x"]


@pytest.mark.parametrize("kind", ["hang", "record_then_hang"])
async def test_answers_that_do_not_come(
    server: SlackServer, workspace: Workspace, kind: str
) -> None:
    impatient = AsyncWebClient(BOT_TOKEN, base_url=server.api_url, retry_handlers=[], timeout=1)
    workspace.faults.add(Fault(kind, seconds=60))
    with pytest.raises(TimeoutError):
        await impatient.chat_postMessage(channel=CHANNEL, text="x")
    assert len(workspace.messages()) == (1 if kind == "record_then_hang" else 0)


async def test_a_hang_that_ends_is_answered(slack: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(Fault("hang", seconds=0.01))
    assert (await slack.chat_postMessage(channel=CHANNEL, text="x"))["ok"]


async def test_a_server_that_ends_drops_its_callers() -> None:
    with SlackServer(Workspace(rate_limits=False)) as server:
        slack = AsyncWebClient(BOT_TOKEN, base_url=server.api_url, retry_handlers=[])
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def arrive(_: Call) -> bool:
            loop.call_soon_threadsafe(arrived.set)
            return True

        server.workspace.faults.add(Fault("hang", when=arrive))
        call = asyncio.create_task(slack.auth_test())
        await arrived.wait()
    with pytest.raises(aiohttp.ClientError):
        await call


async def test_answers_that_are_spoiled(http: httpx.AsyncClient, workspace: Workspace) -> None:
    async def post() -> httpx.Response:
        return await http.post("chat.postMessage", data={"channel": CHANNEL, "text": "x"})

    workspace.faults.add(Fault("http_error", status=502))
    outage = await post()
    assert (outage.status_code, outage.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert not workspace.messages()
    workspace.faults.add(Fault("cut_json"))
    with pytest.raises(ValueError, match=r"Unterminated|delimiter|Expecting"):
        (await post()).json()
    assert len(workspace.messages()) == 1
    workspace.faults.add(Fault("ratelimited", retry_after=7))
    limited = await post()
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    workspace.faults.add(Fault("error", error="fatal_error", record=True))
    assert (await post()).json() == {"ok": False, "error": "fatal_error"}
    assert len(workspace.messages()) == 2


async def test_faults_that_change_the_workspace(
    slack: AsyncWebClient, workspace: Workspace
) -> None:
    post = {"channel": CHANNEL, "text": "x"}
    workspace.faults.add(Fault("channel_archived"))
    assert await error_of(slack, "chat.postMessage", **post) == "is_archived"
    assert await error_of(slack, "chat.postMessage", **post) == "is_archived"
    workspace.archive(CHANNEL, archived=False)
    workspace.faults.add(Fault("removed_from_channel"))
    assert await error_of(slack, "chat.postMessage", **post) == "not_in_channel"
    workspace.set_member(CHANNEL, member=True)
    workspace.faults.add(Fault("token_revoked"))
    assert await error_of(slack, "chat.postMessage", **post) == "token_revoked"
    assert await error_of(slack, "auth.test") == "token_revoked"


async def test_faults_strike_what_they_match(slack: AsyncWebClient, workspace: Workspace) -> None:
    root = workspace.say("root")
    workspace.faults.add(Fault("error", method="chat.postMessage", only="reply", times=None))
    workspace.faults.add(Fault("error", containing="poison", error="fatal_error"))
    workspace.faults.add(Fault("error", skip=1, when=lambda call: call.channel == CHANNEL))
    assert (await slack.auth_test())["ok"]
    await slack.chat_postMessage(channel="#fraude-plantao", text="skipped")
    for _ in range(2):
        assert await error_of(
            slack, "chat.postMessage", channel=CHANNEL, text="x", thread_ts=root.ts
        ) == ("internal_error")
    assert await error_of(slack, "chat.postMessage", channel=CHANNEL, text="poison") == (
        "fatal_error"
    )
    assert await error_of(slack, "chat.postMessage", channel=CHANNEL, text="x") == "internal_error"
    assert (await slack.chat_postMessage(channel=CHANNEL, text="x"))["ok"]


async def test_chance_is_repeatable(http: httpx.AsyncClient, workspace: Workspace) -> None:
    workspace.faults.add(Fault("error", probability=0.5, times=None, method="api.test"))

    async def run() -> list[bool]:
        workspace.faults.reseed(7)
        return [(await http.get("api.test")).json()["ok"] for _ in range(20)]

    first = await run()
    assert first == await run()
    assert 0 < sum(first) < 20


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault 'explode'"):
        Fault("explode")


# -- what a reader gets


async def posted(slack: AsyncWebClient, workspace: Workspace, **message: Any) -> Any:
    ts = (await slack.chat_postMessage(channel=CHANNEL, **message))["ts"]
    return workspace.find(CHANNEL, ts)


async def test_mentions_that_notify(slack: AsyncWebClient, workspace: Workspace) -> None:
    async def mentions(**message: Any) -> list[str]:
        found: list[str] = (await posted(slack, workspace, **message)).mentions
        return found

    assert await mentions(text="<!channel> <!here|here> <@U0ANA> <@U0NOBODY>") == [
        "@U0ANA",
        "@channel",
        "@here",
    ]
    assert await mentions(text="&lt;!channel&gt; @here @ana <! here>") == []
    assert await mentions(text="@here @ana", link_names=True) == ["@U0ANA", "@here"]
    assert await mentions(text="@everyone", parse="full") == ["@everyone"]
    assert await mentions(text="x", blocks=[section("<!subteam^S1|@oncall> `<!here>`")]) == [
        "@S1",
        "@here",
    ]
    header = {"type": "header", "text": {"type": "plain_text", "text": "<!channel> <@U0ANA>"}}
    assert await mentions(text="x", blocks=[header]) == []
    assert await mentions(text="<!here>", blocks=[header]) == ["@here"]
    assert await mentions(text="x", attachments=[{"blocks": [section("<!here>")]}]) == ["@here"]


async def test_an_edit_notifies_nobody(slack: AsyncWebClient, workspace: Workspace) -> None:
    message = await posted(slack, workspace, text="calm")
    await slack.chat_update(channel=CHANNEL, ts=message.ts, text="<!here>")
    assert (message.mentions, message.notified) == (["@here"], [])


async def test_visible_text_links_and_buttons(slack: AsyncWebClient, workspace: Workspace) -> None:
    message = await posted(
        slack,
        workspace,
        text="for notifications",
        blocks=[
            {"type": "header", "text": {"type": "plain_text", "text": ":red_circle: a < b & *c*"}},
            section("*bold* a_b_c `x &lt; y` <https://e.example/?a=1&amp;b=2|Runbook> <@U0ANA>"),
            actions(button(value="17", url="https://e.example/ack")),
        ],
        attachments=[{"color": "good", "text": "http://bare.example/x."}],
    )
    assert message.visible_text == (
        ":red_circle: a < b & *c*\nbold a_b_c x < y Runbook @ana\nAck\nhttp://bare.example/x."
    )
    assert message.links == [
        ("https://e.example/?a=1&b=2", "Runbook"),
        ("https://e.example/ack", "Ack"),
        ("http://bare.example/x", "http://bare.example/x"),
    ]
    assert message.button("incident.acknowledge")["value"] == "17"
    with pytest.raises(AssertionError, match="no button"):
        message.button("incident.explode")


async def test_the_look_alike_escapes_everything(
    slack: AsyncWebClient, server: SlackServer, http: httpx.AsyncClient
) -> None:
    evil = '<script>alert(1)</script> "quoted" <https://e.example/"onclick=x|"l> `<b>` :bell:'
    blocks = [section(evil), actions(button(text={"type": "plain_text", "text": "<i>"}))]
    attachment = {"color": "#d00000", "title": "<u>", "title_link": 'https://e.example/"><b>'}
    await slack.chat_postMessage(channel=CHANNEL, text=evil)
    root = await slack.chat_postMessage(
        channel=CHANNEL, text=evil, blocks=blocks, attachments=[attachment]
    )
    await slack.chat_postMessage(channel=CHANNEL, text=evil, thread_ts=root["ts"])
    for path in ("fraude-plantao", f"fraude-plantao/{root['ts']}"):
        answer = await http.get(f"{server.url}/_look/{path}")
        assert answer.status_code == 200
        page = answer.text.split("</header>")[1]
        for markup in ("<script", "<i>", "<u>", '"onclick', "><b>&", "<b>`"):
            assert markup not in page
        assert "&lt;script&gt;" in page
        assert "background:#d00000" in page
    assert (await http.get(f"{server.url}/_look/nowhere")).status_code == 404


# -- the rest of the API


async def test_people_and_channels(slack: AsyncWebClient, workspace: Workspace) -> None:
    ana = await slack.users_lookupByEmail(email="ANA@example.com")
    assert ana["user"]["id"] == "U0ANA"
    assert (await slack.users_info(user="U0ANA"))["user"]["profile"]["email"] == "ana@example.com"
    assert await error_of(slack, "users.info", user="U0") == "user_not_found"
    assert await error_of(slack, "users.lookupByEmail", email="x@y.z") == "users_not_found"
    for number in range(5):
        workspace.add_channel(f"extra-{number}", archived=number == 0)
    names: list[str] = []
    async for page in await slack.conversations_list(limit=2, exclude_archived=True):
        names += [room["name"] for room in page["channels"]]
    assert names == ["fraude-plantao", "extra-1", "extra-2", "extra-3", "extra-4"]
    assert (await slack.conversations_info(channel=CHANNEL))["channel"]["is_member"]
    assert (await slack.api_test(foo="bar"))["args"] == {"foo": "bar"}
    assert await error_of(slack, "conversations.info") == "invalid_arguments"


async def test_a_file_is_uploaded_in_three_steps(
    slack: AsyncWebClient, server: SlackServer, workspace: Workspace, http: httpx.AsyncClient
) -> None:
    root = workspace.say("root")
    await slack.files_upload_v2(
        channel=CHANNEL, thread_ts=root.ts, content="numbers", filename="a.txt", title="Numbers"
    )
    (reply,) = workspace.replies(root)
    file = workspace.files[reply.files[0]["id"]]
    assert (file.title, file.data) == ("Numbers", b"numbers")
    missing = await error_of(slack, "files.completeUploadExternal", files=[{"id": "F0"}])
    assert missing == "file_not_found"
    unknown = {"type": "image", "alt_text": "a", "slack_file": {"id": "F0"}}
    assert await problems_of(slack, unknown) == ["invalid slack file"]
    known = unknown | {"slack_file": {"id": file.id}}
    assert (await slack.chat_postMessage(channel=CHANNEL, text="x", blocks=[known]))["ok"]
    assert f"/_file/{file.id}" in (await http.get(f"{server.url}/_look/fraude-plantao")).text
    assert (await http.get(f"{server.url}/_file/{file.id}")).content == b"numbers"


# -- stories and the journal


async def test_a_story(slack: AsyncWebClient, workspace: Workspace) -> None:
    ts = (await slack.chat_postMessage(channel=CHANNEL, text="Kafka lag"))["ts"]
    await slack.chat_postMessage(channel=CHANNEL, text="Kafka calm", thread_ts=ts)
    root = workspace.expect_message(channel="#fraude-plantao", containing="Kafka", within=0)
    assert [m.text for m in workspace.unexpected()] == ["Kafka calm"]
    with pytest.raises(AssertionError, match="Kafka calm"):
        workspace.assert_nothing_unexpected()
    with pytest.raises(AssertionError, match="expected a message"):
        workspace.expect_message(containing="Kafka", within=0)
    await workspace.expect_message_soon(thread_of=root, containing=["Kafka", "calm"], within=0)
    workspace.assert_nothing_unexpected()
    await slack.chat_update(channel=CHANNEL, ts=ts, text="Resolved")
    workspace.expect_shown(root, "Resolved", without="lag", within=0)
    with pytest.raises(AssertionError, match="to show"):
        await workspace.expect_shown_soon(root, "lag", within=0)
    workspace.allow(containing="noise")
    await slack.chat_postMessage(channel=CHANNEL, text="noise")
    workspace.assert_nothing_unexpected()


async def test_the_journal_holds_every_request(slack: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(Fault("ratelimited"))
    for code in ("ratelimited", "no_text"):
        workspace.set_scopes(*ALL_SCOPES)
        assert await error_of(slack, "chat.postMessage", channel=CHANNEL, text="") == code
    await slack.chat_postMessage(channel=CHANNEL, text="x", blocks=[section("y")])
    struck, refused_entry, fine = workspace.calls("chat.postMessage")
    assert (struck.fault, struck.took_effect, struck.answer) == ("ratelimited", False, None)
    assert (refused_entry.fault, refused_entry.ok) == (None, False)
    assert (fine.ok, fine.took_effect, fine.arguments["text"]) == (True, True, "x")
    assert "token" not in fine.arguments


async def test_as_a_process(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with SlackProcess(journal=journal, limits=False) as process:
        slack = AsyncWebClient(BOT_TOKEN, base_url=process.api_url, retry_handlers=[])
        process.control("channel", name="outro", id="C0OUTRO")
        process.fault("record_then_drop", method="chat.postMessage", channel="#outro")
        with pytest.raises(aiohttp.ClientError):
            await slack.chat_postMessage(channel="C0OUTRO", text="<!here> *x*")
        (message,) = process.get("messages", channel="outro")
        assert (message["visible_text"], message["mentions"]) == ("@here x", ["@here"])
        assert process.get("counts") == {"messages": 1, "roots": 1, "calls": 1}
        assert process.get("faults")[0]["struck"] == 1
        process.control("clear_faults", seed=3)
        process.control("archive", channel="outro")
        refusal = await error_of(slack, "chat.postMessage", channel="C0OUTRO", text="x")
        assert refusal == "is_archived"
        process.control("archive", channel="outro", archived=False)
        process.control("remove", channel="outro", ts=message["ts"])
        process.control("member", channel="outro", member=False)
        process.control("token", error="token_revoked")
        assert await error_of(slack, "auth.test") == "token_revoked"
        process.control("token", error=None, scopes=["chat:write"])
        assert process.control("limits", enabled=True, post_burst=1)["post_burst"] == 1
        assert process.control("say", text="oi")["user"] == "U0ANA"
        assert process.control("user", name="caio")["name"] == "caio"
        assert len(process.get("journal", since=1)) == 2
        with pytest.raises(AssertionError, match="no fault 'explode'"):
            process.fault("explode")
    entries = read_journal(journal)
    assert [e.method for e in entries] == ["chat.postMessage", "chat.postMessage", "auth.test"]
    assert entries[0].fault == "record_then_drop"
    assert entries[0].took_effect
