"""Clicks on messages: what the app is sent, and what the person sees of its answer."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import Response

from tests.neighbours.slack import Hitch, Message, Person, Workspace
from tests.slack.app import CHANNEL, App, Heard, Json, Stage, actions, button, hang, options

MENU: Json = {"type": "overflow", "action_id": "more", "options": options("mute", "postmortem")}


async def posted(app: App, slack: Workspace, *elements: Json) -> Message:
    await app.post(blocks=[actions(*(elements or (button(),)), block_id="b")])
    return slack.roots()[-1]


async def test_a_click_is_signed_and_says_what_was_clicked_and_where(
    app: App, slack: Workspace, ana: Person
) -> None:
    root = await posted(app, slack)
    await ana.click(root, "incident.acknowledge")
    (heard,) = app.heard
    assert heard.path == "/slack/interactions"
    assert heard.is_signed
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert heard.body.startswith(b"payload=%7B%22type%22%3A%22block_actions")
    payload = heard.payload
    assert payload["user"]["id"] == "U0ANA"
    assert payload["user"]["name"] == "ana"
    assert payload["api_app_id"] == "A0PLANTAO"
    assert payload["team"] == {"id": "T0PLANTAO", "domain": "example"}
    assert payload["channel"] == {"id": CHANNEL, "name": "fraude-plantao"}
    assert payload["container"] == {
        "type": "message",
        "message_ts": root.ts,
        "channel_id": CHANNEL,
        "is_ephemeral": False,
    }
    assert payload["message"]["ts"] == root.ts
    assert payload["message"]["blocks"] == root.blocks
    assert payload["state"] == {"values": {}}
    (action,) = payload["actions"]
    assert action.pop("action_ts")
    assert action == {
        "type": "button",
        "action_id": "incident.acknowledge",
        "block_id": "b",
        "value": "17",
        "text": {"type": "plain_text", "text": "Acknowledge", "emoji": True},
    }


async def test_only_what_is_there_can_be_clicked(
    app: App, slack: Workspace, ana: Person, bruno: Person
) -> None:
    root = await posted(app, slack)
    with pytest.raises(AssertionError, match=r"nothing called 'incident.resolve'"):
        ana.click(root, "incident.resolve")
    await app.web.chat_update(channel=CHANNEL, ts=root.ts, text="green", blocks=[])
    with pytest.raises(AssertionError, match="there is: none"):
        ana.click(root, "incident.acknowledge")
    slack.set_member("fraude-plantao", member=False, user="bruno")
    with pytest.raises(AssertionError, match="bruno is not in #fraude-plantao"):
        bruno.click(root, "incident.acknowledge")
    slack.remove(root)
    with pytest.raises(AssertionError, match="the message is gone"):
        ana.click(root, "incident.acknowledge")
    slack.deactivate("ana")
    with pytest.raises(AssertionError, match="deactivated"):
        ana.click(root, "incident.acknowledge")
    assert not app.heard


async def test_buttons_of_one_name_are_told_apart_by_value(
    app: App, slack: Workspace, ana: Person
) -> None:
    blocks = [actions(button(value=value), block_id=value) for value in ("1", "2")]
    await app.post(blocks=blocks)
    with pytest.raises(AssertionError, match="2 are called"):
        ana.click(slack.roots()[0], "incident.acknowledge")
    await ana.click(slack.roots()[0], "incident.acknowledge", value="2")
    assert app.last["actions"][0]["block_id"] == "2"


async def test_buttons_in_attachments(app: App, slack: Workspace, ana: Person) -> None:
    await app.post(attachments=[{"color": "#d00000", "blocks": [actions(button())]}])
    await ana.click(slack.roots()[0], "Acknowledge")  # as a person knows it
    container = app.last["container"]
    assert (container["type"], container["attachment_id"]) == ("message_attachment", 1)


async def test_a_reply_says_which_thread_it_is_in(app: App, slack: Workspace, ana: Person) -> None:
    root = await posted(app, slack)
    await app.post(thread_ts=root.ts, blocks=[actions(button("undo"))])
    await ana.click(slack.replies(root)[0], "undo")
    assert app.last["container"]["thread_ts"] == root.ts
    assert app.last["message"]["thread_ts"] == root.ts


async def test_menus(app: App, slack: Workspace, ana: Person) -> None:
    select: Json = {
        "type": "static_select",
        "action_id": "severity",
        "options": options("low", "high"),
    }
    people: Json = {"type": "users_select", "action_id": "assign", "initial_user": "U0BRUNO"}
    root = await posted(app, slack, MENU, select, people)
    await ana.choose(root, "more", "mute")
    (action,) = app.last["actions"]
    assert (action["type"], action["selected_option"]["value"]) == ("overflow", "mute")
    assert app.last["state"]["values"]["b"] == {
        "severity": {"type": "static_select", "selected_option": None},
        "assign": {"type": "users_select", "selected_user": "U0BRUNO"},
    }
    await ana.choose(root, "severity", "High")
    assert app.last["actions"][0]["selected_option"]["value"] == "high"
    await ana.choose(root, "assign", "U0ANA")
    held = app.last["state"]["values"]["b"]
    assert held["severity"]["selected_option"]["value"] == "high"
    assert held["assign"]["selected_user"] == "U0ANA"
    with pytest.raises(AssertionError, match="no option 'explode'; offered are 'Mute'"):
        ana.choose(root, "more", "explode")


async def test_an_app_that_fails_is_seen_to_fail(app: App, slack: Workspace, ana: Person) -> None:
    async def answer(heard: Heard) -> Response:
        return Response("Traceback", status_code=500)

    app.answer = answer
    root = await posted(app, slack)
    with pytest.raises(AssertionError, match=r"dispatch_failed.*500 Traceback"):
        await ana.click(root, "incident.acknowledge")
    with pytest.raises(AssertionError, match="dispatch_failed"):
        slack.assert_nothing_unexpected()
    slack.warnings.clear()
    assert await ana.click(root, "incident.acknowledge").warning() == "dispatch_failed"
    slack.assert_nothing_unexpected()


async def test_an_app_that_is_late(play: Stage, ana: Person) -> None:
    play.app.answer = hang
    root = await posted(play.app, play.slack)
    click = ana.click(root, "incident.acknowledge")
    await play.clock.advance(seconds=2.9)
    assert not click.is_done
    await play.clock.advance(seconds=0.2)
    assert await click.warning() == "operation_timeout"


async def test_an_app_that_is_not_there(app: App, slack: Workspace, ana: Person) -> None:
    root = await posted(app, slack)
    slack.app.interactivity_url = "http://127.0.0.1:1/slack/interactions"
    assert await ana.click(root, "incident.acknowledge").warning() == "dispatch_failed"
    slack.app.interactivity_url = None
    assert await ana.click(root, "incident.acknowledge").warning() == "dispatch_failed"
    slack.app.interactivity_url = f"{slack.hooks.base}/api/api.test"
    click = ana.click(root, "incident.acknowledge")
    with pytest.raises(AssertionError, match="no warning after"):
        await click.warning()


async def test_without_an_event_loop(play: Stage, ana: Person) -> None:
    root = await posted(play.app, play.slack)
    play.slack.app.interactivity_url = f"{play.slack.hooks.base}/api/api.test"  # another thread's
    assert ana.click(root, "incident.acknowledge").wait().reply.status == 200
    play.slack.app.interactivity_url = None
    warning = ana.click(root, "incident.acknowledge").wait_for_warning()
    assert warning == "dispatch_failed"


async def test_what_can_happen_on_the_way(app: App, slack: Workspace, ana: Person) -> None:
    root = await posted(app, slack)
    slack.hitches.add(Hitch("lost", to="interactive"))
    assert await ana.click(root, "incident.acknowledge").warning() == "dispatch_failed"
    assert not app.heard
    slack.hitches.add(Hitch("answer_lost", to="interactive"))
    assert await ana.click(root, "incident.acknowledge").warning() == "operation_timeout"
    assert len(app.heard) == 1
    slack.hitches.add(Hitch("twice", to="interactive"))
    await ana.click(root, "incident.acknowledge")
    assert len(app.heard) == 3
    assert app.heard[1] == app.heard[2]
    slack.hitches.add(Hitch("stale", to="interactive"))
    await ana.click(root, "incident.acknowledge")
    age = slack.clock() - int(app.heard[-1].headers["x-slack-request-timestamp"])
    assert age >= 600
    assert app.heard[-1].is_signed
    with pytest.raises(ValueError, match="no hitch 'eaten'"):
        Hitch("eaten")  # type: ignore[arg-type]


async def test_a_click_can_be_replayed_byte_for_byte(
    app: App, slack: Workspace, ana: Person
) -> None:
    click = await ana.click(await posted(app, slack), "incident.acknowledge")
    request = click.requests[0]
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(request.url, content=request.body, headers=request.headers)
    assert app.heard[0].body == app.heard[1].body
    assert app.heard[1].is_signed
    assert b"%5C%2F" in request.body  # slashes are escaped, as Slack does


# -- response_url


async def test_a_response_url_answers_who_clicked(
    app: App, slack: Workspace, ana: Person, bruno: Person
) -> None:
    root = await posted(app, slack)
    await ana.click(root, "incident.acknowledge")
    assert await app.respond(text="already resolved") == (200, "ok")
    told = await ana.expect_ephemeral_soon("already resolved")
    assert told.visible_to == "U0ANA"
    assert not slack.ephemeral(bruno.id)
    assert len(slack.messages()) == 1
    assert await app.respond(text="seen by all", response_type="in_channel") == (200, "ok")
    assert [m.text for m in slack.roots()] == ["Kafka lag", "seen by all"]
    assert await app.respond(text="done", replace_original=True) == (200, "ok")
    assert (root.text, root.blocks) == ("done", [])
    assert await app.respond(delete_original=True) == (200, "ok")
    assert root not in slack.messages()
    assert (await app.respond(delete_original=True))[0] == 400


async def test_a_response_url_has_five_uses(app: App, slack: Workspace, ana: Person) -> None:
    await ana.click(await posted(app, slack), "incident.acknowledge")
    for number in range(5):
        assert await app.respond(text=str(number)) == (200, "ok")
    status, body = await app.respond(text="once more")
    assert (status, "used_url" in body) == (404, True)
    for number in range(5):
        await ana.expect_ephemeral_soon(str(number))


async def test_a_response_url_lives_thirty_minutes(play: Stage, ana: Person) -> None:
    await ana.click(await posted(play.app, play.slack), "incident.acknowledge")
    await play.clock.advance(minutes=29)
    assert await play.app.respond(text="in time") == (200, "ok")
    await play.clock.advance(minutes=1)
    status, body = await play.app.respond(text="late")
    assert (status, "expired_url" in body) == (404, True)
    await ana.expect_ephemeral_soon("in time")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"text": ""}, "no_text"),
        ({"blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ({"text": "x", "response_type": "loud"}, "invalid_response_type"),
        ({"text": "x", "colour": "red"}, "invalid_payload"),
    ],
)
async def test_answers_slack_refuses(
    app: App, slack: Workspace, ana: Person, answer: Json, code: str
) -> None:
    await ana.click(await posted(app, slack), "incident.acknowledge")
    status, body = await app.respond(**answer)
    assert (status, code in body) == (400, True)


# -- ephemeral messages


async def test_an_ephemeral_message_is_in_no_history(
    app: App, slack: Workspace, ana: Person, bruno: Person
) -> None:
    root = await posted(app, slack)
    answer = await app.web.chat_postEphemeral(
        channel=CHANNEL, user="U0ANA", text="only you", blocks=[actions(button("undo"))]
    )
    told = await ana.expect_ephemeral_soon()
    assert told.ts == answer["message_ts"]
    history = await app.web.conversations_history(channel=CHANNEL)
    assert [m["ts"] for m in history["messages"]] == [root.ts]
    with pytest.raises(AssertionError, match="only U0ANA sees"):
        bruno.click(told, "undo")
    await ana.click(told, "undo")
    assert app.last["container"]["is_ephemeral"] is True
    assert "message" not in app.last
    await app.respond(delete_original=True)
    assert not slack.ephemeral(ana.id)


async def test_an_ephemeral_message_needs_a_reader(app: App, slack: Workspace) -> None:
    slack.set_member("fraude-plantao", member=False, user="ana")
    for user in ("U0ANA", "U0NOBODY"):
        with pytest.raises(Exception, match="user_not_in_channel"):
            await app.web.chat_postEphemeral(channel=CHANNEL, user=user, text="x")


async def test_nobody_is_told_what_nobody_expected(app: App, slack: Workspace, ana: Person) -> None:
    await app.web.chat_postEphemeral(channel=CHANNEL, user="U0ANA", text="psst")
    with pytest.raises(AssertionError, match="U0ANA is told: 'psst'"):
        slack.assert_nothing_unexpected()
    await ana.expect_ephemeral_soon("psst")
