"""Modals: opened by a trigger, filled in, submitted, refused, stacked, closed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from starlette.responses import PlainTextResponse

from tests.neighbours.slack import Modal, Person, Workspace
from tests.slack.app import App, Heard, Json, Stage, actions, button, hang, options

PLAIN: Json = {"type": "plain_text", "text": "x"}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def field(name: str, element: str, **more: Any) -> Json:
    block: Json = {k: more.pop(k) for k in ("optional", "dispatch_action", "block_id") if k in more}
    inner = {"type": element, "action_id": name, **more}
    label = plain(name.title())
    return {"type": "input", "block_id": name, "label": label, "element": inner, **block}


def modal(*blocks: Json, **more: object) -> Json:
    shown = {"type": "modal", "title": plain("Silence"), "blocks": list(blocks)}
    return shown | {"submit": plain("Save"), "close": plain("Cancel"), **more}


WHY = field("why", "plain_text_input", multiline=True)


async def opened(app: App, ana: Person, *blocks: Json, **more: object) -> Modal:
    await ana.command("/plantao silence")
    view = modal(*(blocks or (WHY,)), **more)
    await app.web.views_open(trigger_id=app.last["trigger_id"], view=view)
    return await ana.expect_modal_soon("Silence")


async def refused(app: App, method: str, **arguments: object) -> Json:
    with pytest.raises(SlackApiError) as caught:
        await app.web.api_call(method, json=arguments)
    data: Json = caught.value.response.data
    return data


def answering(app: App, back: object) -> None:
    async def answer(_: Heard) -> Any:
        return back

    app.answer = answer


# -- triggers


async def test_a_trigger_opens_one_modal(app: App, slack: Workspace, ana: Person) -> None:
    await ana.command("/plantao silence")
    trigger = app.last["trigger_id"]
    answer = await app.web.views_open(trigger_id=trigger, view=modal(WHY))
    view = answer["view"]
    assert view["root_view_id"] == view["id"]
    assert view["previous_view_id"] is None
    assert view["hash"]
    assert (view["app_id"], view["bot_id"]) == ("A0PLANTAO", "B0PLANTAO")
    again = await refused(app, "views.open", trigger_id=trigger, view=modal(WHY))
    assert again["error"] == "exchanged_trigger_id"
    for made_up in ("12345.98765.abcd", "x"):
        unknown = await refused(app, "views.open", trigger_id=made_up, view=modal(WHY))
        assert unknown["error"] == "invalid_trigger_id"
    with pytest.raises(AssertionError, match="U0ANA gets a modal: 'Silence"):
        slack.assert_nothing_unexpected()
    await ana.expect_modal_soon("Silence")


async def test_a_trigger_dies_after_three_seconds(play: Stage, ana: Person) -> None:
    await ana.command("/plantao silence")
    await play.clock.advance(seconds=3)
    trigger = play.app.last["trigger_id"]
    late = await refused(play.app, "views.open", trigger_id=trigger, view=modal(WHY))
    assert late["error"] == "expired_trigger_id"


# -- what a view may hold


BAD: dict[str, tuple[Json, str]] = {
    "title": (modal(title=plain("x" * 25)), "less than 25 characters [json-pointer:/view/title/"),
    "submit": (modal(submit=plain("x" * 25)), "less than 25 characters"),
    "close": (modal(close=plain("x" * 25)), "less than 25 characters"),
    "blocks": (modal(*[{"type": "divider"}] * 101), "no more than 100 items"),
    "metadata": (modal(private_metadata="x" * 3001), "less than 3001 characters"),
    "callback": (modal(callback_id="x" * 256), "less than 256 characters"),
    "twins": (modal(WHY, WHY), "`block_id` already exists: why"),
    "unknown": (modal(colour="red"), "invalid additional property: colour"),
    "home": ({"type": "home", "blocks": []}, "unsupported type: home"),
    "no title": ({"type": "modal", "blocks": []}, "missing required field: title"),
    "no submit": (
        {"type": "modal", "title": PLAIN, "blocks": [WHY]},
        "must define `submit` to use an `input` block in modals",
    ),
    "label": (
        modal({**WHY, "label": plain("x" * 2001)}),
        "less than 2001 characters [json-pointer:/view/blocks/0/label/text]",
    ),
    "element": (modal(field("b", "button", text=PLAIN)), "unsupported type: button"),
    "number": (modal(field("n", "number_input")), "missing required field: is_decimal_allowed"),
    "initial": (
        modal(field("s", "static_select", options=options("a"), initial_option=options("b")[0])),
        "initial option was not found in options",
    ),
    "mrkdwn option": (
        modal(
            field(
                "s",
                "static_select",
                options=[{"text": {"type": "mrkdwn", "text": "*a*"}, "value": "a"}],
            )
        ),
        "unsupported type: mrkdwn",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_views_slack_refuses(app: App, ana: Person, case: str) -> None:
    view, problem = BAD[case]
    await ana.command("/plantao silence")
    answer = await refused(app, "views.open", trigger_id=app.last["trigger_id"], view=view)
    assert answer["error"] == "invalid_arguments"
    assert any(problem in said for said in answer["response_metadata"]["messages"]), answer


async def test_a_view_that_is_too_large(app: App, ana: Person) -> None:
    many = [
        field(f"f{n}", "checkboxes", options=[
            {"text": plain("é" * 75), "description": plain("é" * 75), "value": f"{n}-{m}"}
            for m in range(10)
        ])
        for n in range(90)
    ]  # fmt: skip
    await ana.command("/plantao silence")
    trigger = app.last["trigger_id"]
    answer = await refused(app, "views.open", trigger_id=trigger, view=modal(*many))
    assert answer["error"] == "view_too_large"


# -- filling in and submitting


EVERY = [
    field("why", "plain_text_input", max_length=20),
    field("hours", "number_input", is_decimal_allowed=False, min_value="1", max_value="48"),
    field("what", "static_select", options=options("all", "chosen")),
    field("who", "users_select"),
    field("which", "checkboxes", options=options("one", "two")),
    field("how", "radio_buttons", options=options("now", "later")),
    field("until", "datetimepicker"),
    field("tags", "multi_static_select", options=options("kafka", "delta"), optional=True),
]


async def test_a_submission_says_what_was_entered(app: App, ana: Person) -> None:
    silence = await opened(
        app, ana, *EVERY, callback_id="silence", private_metadata='{"incident": 17}'
    )
    silence.fill("Why", "deploy")
    silence.fill("hours", 2)
    silence.fill("what", "All")
    silence.fill("who", "U0BRUNO")
    silence.fill("which", ["one", "Two"])
    silence.fill("how", "later")
    silence.fill("until", datetime(2026, 11, 23, 8, tzinfo=UTC))
    assert silence.value("what") == "all"
    assert silence.value("which") == ["one", "two"]
    await silence.submit()
    payload = app.last
    assert payload["type"] == "view_submission"
    assert payload["user"]["id"] == "U0ANA"
    assert payload["view"]["callback_id"] == "silence"
    assert json.loads(payload["view"]["private_metadata"]) == {"incident": 17}
    values = {name: held[name] for name, held in payload["view"]["state"]["values"].items()}
    assert values["why"] == {"type": "plain_text_input", "value": "deploy"}
    assert values["hours"] == {"type": "number_input", "value": "2"}
    assert values["what"]["selected_option"]["value"] == "all"
    assert values["who"] == {"type": "users_select", "selected_user": "U0BRUNO"}
    assert [o["value"] for o in values["which"]["selected_options"]] == ["one", "two"]
    assert values["how"]["selected_option"]["value"] == "later"
    assert values["until"] == {"type": "datetimepicker", "selected_date_time": 1795420800}
    assert values["tags"] == {"type": "multi_static_select", "selected_options": []}
    assert not silence.is_open
    with pytest.raises(AssertionError, match="is closed"):
        silence.submit()


async def test_what_the_client_does_not_let_pass(app: App, ana: Person) -> None:
    silence = await opened(app, ana, *EVERY)
    with pytest.raises(AssertionError, match="please complete this field: 'Why'"):
        silence.submit()
    with pytest.raises(AssertionError, match="takes no more"):
        silence.fill("why", "x" * 21)
    with pytest.raises(AssertionError, match="no decimals"):
        silence.fill("hours", 1.5)
    with pytest.raises(AssertionError, match="too large"):
        silence.fill("hours", 49)
    with pytest.raises(AssertionError, match="too small"):
        silence.fill("hours", 0)
    with pytest.raises(AssertionError, match="no option 'some'"):
        silence.fill("what", "some")
    with pytest.raises(AssertionError, match="nothing called 'colour' here"):
        silence.fill("colour", "red")
    assert [heard.path for heard in app.heard] == ["/slack/commands"]


async def test_initial_values_are_submitted(app: App, ana: Person) -> None:
    blocks = [
        field("why", "plain_text_input", initial_value="deploy"),
        field("what", "static_select", options=options("a", "b"), initial_option=options("b")[0]),
    ]
    silence = await opened(app, ana, *blocks)
    await silence.submit()
    values = app.last["view"]["state"]["values"]
    assert values["why"]["why"]["value"] == "deploy"
    assert values["what"]["what"]["selected_option"]["value"] == "b"


async def test_errors_are_shown_beside_their_fields(app: App, ana: Person) -> None:
    silence = await opened(app, ana)
    silence.fill("why", "because")
    answering(app, {"response_action": "errors", "errors": {"why": "Say more"}})
    await silence.submit()
    assert silence.is_open
    assert silence.errors == {"why": "Say more"}
    assert "Say more" in silence
    answering(app, None)
    await silence.submit()
    assert not silence.is_open


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "explode"},
        {"response_action": "update"},
        {"response_action": "update", "view": {"type": "modal"}},
        {"text": "thanks"},
        PlainTextResponse("ok"),
    ],
)
async def test_answers_slack_cannot_read(app: App, ana: Person, answer: object) -> None:
    silence = await opened(app, ana)
    silence.fill("why", "because")
    answering(app, answer)
    trouble = "We had some trouble connecting. Try again?"
    assert await silence.submit().warning() == trouble
    assert silence.is_open
    assert trouble in silence


async def test_a_late_answer_leaves_the_modal_open(play: Stage, ana: Person) -> None:
    silence = await opened(play.app, ana)
    silence.fill("why", "because")
    play.app.answer = hang
    submission = silence.submit()
    await play.clock.advance(seconds=3)
    assert "trouble connecting" in await submission.warning()
    assert silence.is_open


async def test_an_answer_may_show_another_view(app: App, ana: Person) -> None:
    silence = await opened(app, ana)
    silence.fill("why", "because")
    sure = modal({"type": "section", "text": plain("Really?")}, title=plain("Sure?"))
    answering(app, {"response_action": "update", "view": sure})
    await silence.submit()
    assert silence.title == "Sure?"
    answering(app, {"response_action": "push", "view": modal(WHY, title=plain("Why"))})
    await silence.submit()
    why = await ana.expect_modal_soon("Why")
    assert why.view.previous == silence.view.id
    with pytest.raises(AssertionError, match="'Why' lies over 'Sure\\?'"):
        silence.submit()
    why.fill("why", "because")
    answering(app, {"response_action": "clear"})
    await why.submit()
    assert not why.is_open
    assert not silence.is_open


# -- stacks, updates, closing


async def test_a_stack_is_three_deep(app: App, ana: Person) -> None:
    more = actions(button("more"))
    top = await opened(app, ana, more)
    for depth in (2, 3, 4):
        await top.click("more")
        assert app.last["container"] == {"type": "view", "view_id": top.view.id}
        trigger = app.last["trigger_id"]
        view = modal(more, title=plain(f"Depth {depth}"))
        if depth == 4:
            refusal = await refused(app, "views.push", trigger_id=trigger, view=view)
            assert refusal["error"] == "push_limit_reached"
        else:
            await app.web.views_push(trigger_id=trigger, view=view)
            top = await ana.expect_modal_soon(f"Depth {depth}")
    await top.close()
    assert (await ana.expect_modal_soon()).title == "Depth 2"


async def test_a_push_comes_from_within(app: App, ana: Person) -> None:
    await ana.command("/plantao silence")
    trigger = app.last["trigger_id"]
    assert (await refused(app, "views.push", trigger_id=trigger, view=modal()))["error"] == (
        "not_found"
    )


async def test_an_update_keeps_what_was_entered(app: App, ana: Person) -> None:
    what = field("what", "static_select", options=options("all", "chosen"), dispatch_action=True)
    silence = await opened(app, ana, WHY, what, external_id="silence-17")
    silence.fill("why", "because")
    await silence.fill("what", "chosen")
    payload = app.last
    assert payload["actions"][0]["selected_option"]["value"] == "chosen"
    assert payload["view"]["state"]["values"]["why"]["why"]["value"] == "because"
    which = field("which", "checkboxes", options=options("one"))
    wider = modal(WHY, what, which, external_id="silence-17")
    old = payload["view"]["hash"]
    answer = await app.web.views_update(view_id=silence.view.id, view=wider, hash=old)
    assert answer["view"]["hash"] != old
    assert silence.value("why") == "because"
    assert silence.value("which") == []
    race = await refused(app, "views.update", view_id=silence.view.id, view=wider, hash=old)
    assert race["error"] == "hash_conflict"
    await app.web.views_update(external_id="silence-17", view=modal(WHY))
    lost = await refused(app, "views.update", view_id="V0", view=wider)
    assert lost["error"] == "not_found"
    neither = await refused(app, "views.update", view=wider)
    assert neither["error"] == "invalid_arguments"


async def test_external_ids_are_unique(app: App, slack: Workspace, ana: Person) -> None:
    await opened(app, ana, external_id="one")
    bruno = slack.person("bruno")
    await bruno.command("/plantao silence")
    twin = modal(external_id="one")
    answer = await refused(app, "views.open", trigger_id=app.last["trigger_id"], view=twin)
    assert answer["error"] == "duplicate_external_id"


async def test_closing_is_told_to_who_asked(app: App, ana: Person) -> None:
    quiet = await opened(app, ana)
    await quiet.close()
    assert "view" not in app.last
    asked = await opened(app, ana, notify_on_close=True)
    await asked.close()
    assert (app.last["type"], app.last["is_cleared"]) == ("view_closed", False)
    assert app.last["view"]["id"] == asked.view.id
    crossed = await opened(app, ana, notify_on_close=True)
    await crossed.dismiss()
    assert (app.last["type"], app.last["is_cleared"]) == ("view_closed", True)
    gone = await refused(app, "views.update", view_id=crossed.view.id, view=modal(WHY))
    assert gone["error"] == "not_found"
