"""Slash commands and shortcuts."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse, Response

from tests.neighbours.slack import Person, Workspace
from tests.slack.app import CHANNEL, App, Heard, Json, Stage, hang


async def test_a_command_is_a_signed_form(app: App, slack: Workspace, ana: Person) -> None:
    await ana.command("/plantao note 17 a < b & #fraude-plantao @bruno")
    (heard,) = app.heard
    assert heard.is_signed
    assert heard.path == "/slack/commands"
    form = heard.payload
    assert form.pop("trigger_id")
    assert form.pop("response_url").startswith(f"{slack.hooks.base}/commands/T0PLANTAO/")
    assert form.pop("token")
    assert form == {
        "team_id": "T0PLANTAO",
        "team_domain": "example",
        "channel_id": CHANNEL,
        "channel_name": "fraude-plantao",
        "user_id": "U0ANA",
        "user_name": "ana",
        "command": "/plantao",
        "text": "note 17 a &lt; b &amp; #fraude-plantao @bruno",
        "api_app_id": "A0PLANTAO",
        "is_enterprise_install": "false",
    }


async def test_a_command_that_escapes_names_people_by_id(
    app: App, slack: Workspace, ana: Person
) -> None:
    url = slack.app.commands["/plantao"].url
    slack.app.add_command("/escala", url, escapes=True)
    await ana.command("/escala who @bruno #fraude-plantao @nobody")
    assert app.last["text"] == "who <@U0BRUNO|bruno> <#C0FRAUDE|fraude-plantao> @nobody"


async def test_a_command_without_words(app: App, ana: Person) -> None:
    await ana.command("/plantao")
    assert app.last["text"] == ""


async def test_the_body_of_the_answer_is_shown(
    app: App, slack: Workspace, ana: Person, bruno: Person
) -> None:
    answers: list[Response | Json] = [
        PlainTextResponse("3 open incidents"),
        {"text": "just for you"},
        {"response_type": "in_channel", "text": "for all"},
    ]

    async def answer(_: Heard) -> Response | Json:
        return answers.pop(0)

    app.answer = answer
    await ana.command("/plantao list")
    await ana.expect_ephemeral_soon("3 open incidents")
    await ana.command("/plantao list")
    await ana.expect_ephemeral_soon("just for you")
    await bruno.command("/plantao list")
    assert [m.text for m in slack.roots()] == ["for all"]


async def test_a_command_may_answer_later(app: App, ana: Person) -> None:
    await ana.command("/plantao who")
    assert await app.respond(text="nobody yet") == (200, "ok")
    await ana.expect_ephemeral_soon("nobody yet")
    status, body = await app.respond(text="x", replace_original=True)
    assert (status, "message_not_found" in body) == (400, True)


async def test_commands_that_fail_say_so(play: Stage, ana: Person) -> None:
    codes = {400: "http_client_error", 503: "http_service_error"}
    for status, code in codes.items():
        play.app.answer = _answering(Response(status_code=status))
        warning = await ana.command("/plantao list").warning()
        assert warning == f'/plantao failed with the error "{code}"'
    play.app.answer = hang
    late = ana.command("/plantao list")
    await play.clock.advance(seconds=3)
    assert await late.warning() == '/plantao failed with the error "operation_timeout"'
    play.app.answer = _answering({"blocks": [{"type": "poem"}]})
    assert "invalid_command_response" in await ana.command("/plantao list").warning()
    play.slack.app.is_at("http://127.0.0.1:1")
    assert "dispatch_failed" in await ana.command("/plantao list").warning()


def _answering(back: Response | Json):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def answer(_: Heard) -> Response | Json:
        return back

    return answer


async def test_a_command_nobody_made(slack: Workspace, ana: Person) -> None:
    with pytest.raises(AssertionError, match="/plantaoo is not a valid"):
        ana.command("/plantaoo list")
    slack.set_scopes("chat:write")
    with pytest.raises(AssertionError, match="not granted commands"):
        ana.command("/plantao list")


async def test_a_shortcut_on_a_message(app: App, slack: Workspace, ana: Person) -> None:
    slack.app.add_shortcut("timeline.add", "Add to timeline")
    root = slack.say("root")
    reply = slack.say("it was the deploy", user="U0BRUNO", thread_of=root)
    await ana.shortcut("Add to timeline", reply)
    payload = app.last
    assert (payload["type"], payload["callback_id"]) == ("message_action", "timeline.add")
    assert payload["message_ts"] == reply.ts
    assert payload["message"]["user"] == "U0BRUNO"
    assert payload["message"]["thread_ts"] == root.ts
    assert payload["channel"]["id"] == CHANNEL
    assert payload["trigger_id"]
    assert await app.respond(text="kept") == (200, "ok")
    await ana.expect_ephemeral_soon("kept")


async def test_a_global_shortcut(app: App, slack: Workspace, ana: Person) -> None:
    slack.app.add_shortcut("incident.new", "New incident", kind="global")
    await ana.shortcut("incident.new")
    assert (app.last["type"], app.last["callback_id"]) == ("shortcut", "incident.new")
    assert not {"channel", "message", "response_url"} & app.last.keys()
    with pytest.raises(AssertionError, match=r"no message shortcut .incident\.new."):
        ana.shortcut("incident.new", slack.say("x"))
