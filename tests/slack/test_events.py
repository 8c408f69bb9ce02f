"""The Events API: what happens in channels, told to the app until it has heard."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from tests.neighbours.slack import ALL_SCOPES, Hitch, Person, Workspace
from tests.slack.app import CHANNEL, App, Heard, Json, Stage, hang
from tests.waiting import soon


async def events(app: App, count: int) -> list[Json]:
    """So many events, as soon as they have come; those of the app's own messages among them."""

    async def look() -> list[Json] | None:
        return [h.payload["event"] for h in app.events] if len(app.events) >= count else None

    return await soon(look, what=f"{count} events")


async def test_a_reaction_comes_in_a_signed_envelope(
    app: App, slack: Workspace, ana: Person
) -> None:
    note = slack.say("it was the deploy", user="U0BRUNO")
    await events(app, 1)
    app.events.clear()
    await ana.react(note, ":pushpin:")
    (heard,) = app.events
    assert heard.is_signed
    assert heard.headers["content-type"] == "application/json"
    envelope = heard.payload
    assert envelope["type"] == "event_callback"
    assert envelope["event_id"].startswith("Ev")
    assert envelope["event_time"] == int(slack.clock())
    assert envelope["authorizations"][0]["user_id"] == "U0PLANTAO"
    assert envelope["api_app_id"] == "A0PLANTAO"
    event = envelope["event"]
    assert event.pop("event_ts")
    assert event == {
        "type": "reaction_added",
        "user": "U0ANA",
        "reaction": "pushpin",
        "item": {"type": "message", "channel": CHANNEL, "ts": note.ts},
        "item_user": "U0BRUNO",
    }
    await ana.unreact(note, "pushpin")
    assert app.events[-1].payload["event"]["type"] == "reaction_removed"
    assert app.events[-1].payload["event_id"] != envelope["event_id"]


async def test_what_is_said_edited_and_deleted(app: App, ana: Person) -> None:
    root = ana.say("root")
    reply = ana.say("teh deploy", thread_of=root)
    said = await events(app, 2)
    assert {e["ts"] for e in said} == {root.ts, reply.ts}
    (heard,) = [e for e in said if e["ts"] == reply.ts]
    assert (heard["user"], heard["text"], heard["thread_ts"]) == ("U0ANA", "teh deploy", root.ts)
    assert (heard["channel"], heard["channel_type"]) == (CHANNEL, "channel")
    assert heard["blocks"][0]["type"] == "rich_text"
    await ana.edit(reply, "the deploy")
    changed = app.events[-1].payload["event"]
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["text"] == "the deploy"
    assert changed["message"]["ts"] == reply.ts
    assert changed["previous_message"]["text"] == "teh deploy"
    assert changed["ts"] != reply.ts
    await ana.delete(reply)
    gone = app.events[-1].payload["event"]
    assert (gone["subtype"], gone["deleted_ts"]) == ("message_deleted", reply.ts)
    assert gone["previous_message"]["text"] == "the deploy"


async def test_a_root_with_replies_becomes_a_tombstone(app: App, ana: Person) -> None:
    root = ana.say("root")
    ana.say("reply", thread_of=root)
    await events(app, 2)
    await ana.delete(root)
    changed = app.events[-1].payload["event"]
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["subtype"] == "tombstone"


async def test_the_app_hears_itself(app: App) -> None:
    posted = await app.post("hello")
    (event,) = await events(app, 1)
    assert (event["bot_id"], event["ts"]) == ("B0PLANTAO", posted["ts"])
    await app.web.chat_update(channel=CHANNEL, ts=posted["ts"], text="hello again")
    assert (await events(app, 2))[-1]["subtype"] == "message_changed"


async def test_a_mention_comes_as_two_events(app: App, ana: Person) -> None:
    ana.say("<@U0PLANTAO> list")
    both = await events(app, 2)
    assert {e["type"] for e in both} == {"app_mention", "message"}
    assert len({e["ts"] for e in both}) == 1
    assert len({h.payload["event_id"] for h in app.events}) == 2


async def test_what_people_type_is_kept_as_slack_keeps_it(app: App, ana: Person) -> None:
    ana.say("@plantao lag > 10 & rising, ana@example.com")
    texts = {e["text"] for e in await events(app, 2)}
    assert texts == {"<@U0PLANTAO> lag &gt; 10 &amp; rising, ana@example.com"}


async def test_the_home_tab(app: App, slack: Workspace, ana: Person) -> None:
    with pytest.raises(AssertionError, match="nothing is published"):
        _ = ana.home
    await ana.open_home()
    event = app.events[-1].payload["event"]
    assert (event["type"], event["tab"], event["user"]) == ("app_home_opened", "home", "U0ANA")
    assert "view" not in event
    block = {"type": "actions", "elements": [{
        "type": "button", "action_id": "ack", "text": {"type": "plain_text", "text": "Ack"}}]
    }  # fmt: skip
    home = {"type": "home", "blocks": [block]}
    published = await app.web.views_publish(user_id="U0ANA", view=home)
    await ana.open_home()
    assert app.events[-1].payload["event"]["view"]["id"] == published["view"]["id"]
    await ana.click(ana.home, "ack")
    assert app.last["container"]["type"] == "view"
    assert app.last["view"]["type"] == "home"
    with pytest.raises(Exception, match="hash_conflict"):
        await app.web.views_publish(user_id="U0ANA", view=home, hash="1.0")
    await app.web.views_publish(user_id="U0ANA", view=home, hash=published["view"]["hash"])
    slack.app.home_tab = False
    with pytest.raises(Exception, match="not_enabled"):
        await app.web.views_publish(user_id="U0ANA", view=home)
    titled = {**home, "title": {"type": "plain_text", "text": "x"}}
    slack.app.home_tab = True
    with pytest.raises(Exception, match="invalid additional property: title"):
        await app.web.views_publish(user_id="U0ANA", view=titled)


# -- who hears what


async def test_only_what_was_subscribed_to_is_sent(app: App, slack: Workspace, ana: Person) -> None:
    slack.app.bot_events = frozenset({"reaction_added"})
    note = ana.say("unheard")
    await ana.react(note, "pushpin")
    await ana.unreact(note, "pushpin")
    assert [h.payload["event"]["type"] for h in app.events] == ["reaction_added"]


async def test_an_event_needs_its_scope(app: App, slack: Workspace, ana: Person) -> None:
    slack.set_scopes(*(ALL_SCOPES - {"reactions:read"}))
    slack.app.bot_events = frozenset({"reaction_added"})
    await ana.react(ana.say("x"), "pushpin")
    assert not app.events
    assert slack.withheld_events == [("reaction_added", "reactions:read")]


async def test_channels_the_app_is_not_in_are_silent(
    app: App, slack: Workspace, ana: Person
) -> None:
    slack.add_channel("fora", member=False)
    message = ana.say("<@U0PLANTAO> hi", channel="fora")
    await ana.react(message, "pushpin")
    assert not app.events


# -- retries


@pytest.fixture
async def quiet(play: Stage) -> AsyncIterator[Stage]:
    play.slack.app.bot_events = frozenset({"reaction_added"})
    yield play
    play.slack.lost_events.clear()


async def test_an_event_is_sent_four_times(quiet: Stage, ana: Person) -> None:
    async def answer(_: Heard) -> Response:
        return Response(status_code=503)

    app, clock = quiet.app, quiet.clock
    app.answer = answer
    await ana.react(ana.say("x"), "pushpin")
    await events(app, 2)  # the first retry comes at once
    await clock.advance(seconds=59)
    assert len(app.events) == 2
    await clock.advance(seconds=2)
    await events(app, 3)
    await clock.advance(minutes=4, seconds=50)
    assert len(app.events) == 3
    await clock.advance(seconds=15)
    await events(app, 4)
    assert len({h.payload["event_id"] for h in app.events}) == 1
    assert all(h.is_signed for h in app.events)
    numbers = [h.headers.get("x-slack-retry-num") for h in app.events]
    reasons = [h.headers.get("x-slack-retry-reason") for h in app.events]
    assert numbers == [None, "1", "2", "3"]
    assert reasons == [None, "http_error", "http_error", "http_error"]

    async def given_up() -> bool:
        return bool(quiet.slack.lost_events)

    await soon(given_up)
    with pytest.raises(AssertionError, match="event lost: reaction_added by U0ANA"):
        quiet.slack.assert_nothing_unexpected()


async def test_an_app_that_is_late_hears_it_again(quiet: Stage, ana: Person) -> None:
    quiet.app.answer = hang
    reaction = ana.react(ana.say("x"), "pushpin")
    await events(quiet.app, 1)
    quiet.app.answer = None
    await quiet.clock.advance(seconds=3)
    await reaction
    await events(quiet.app, 2)
    assert quiet.app.events[1].headers["x-slack-retry-reason"] == "http_timeout"


async def test_an_answer_that_is_lost_brings_it_again(quiet: Stage, ana: Person) -> None:
    quiet.slack.hitches.add(Hitch("answer_lost", to="events_api"))
    await ana.react(ana.say("x"), "pushpin")
    await events(quiet.app, 2)
    assert quiet.app.events[0].body == quiet.app.events[1].body


async def test_an_app_can_ask_for_no_retry(quiet: Stage, ana: Person) -> None:
    async def answer(_: Heard) -> Response:
        return Response(status_code=500, headers={"X-Slack-No-Retry": "1"})

    quiet.app.answer = answer
    await ana.react(ana.say("x"), "pushpin")
    await quiet.clock.advance(minutes=10)
    assert len(quiet.app.events) == 1


async def test_an_app_that_comes_back_hears_it(quiet: Stage, ana: Person) -> None:
    url = quiet.slack.app.events_url
    quiet.slack.app.events_url = "http://127.0.0.1:1/slack/events"
    await ana.react(ana.say("x"), "pushpin")
    await quiet.clock.advance(seconds=1)
    quiet.slack.app.events_url = url
    await quiet.clock.advance(seconds=60)
    await events(quiet.app, 1)
    assert quiet.app.events[0].headers["x-slack-retry-reason"] == "connection_failed"


# -- the address


async def test_the_address_of_events_is_verified(app: App, slack: Workspace) -> None:
    await slack.verify_events()
    assert app.events[-1].payload["type"] == "url_verification"

    slack.app.events_url = f"{slack.hooks.base}/api/api.test"
    assert "didn't respond with the challenge" in await slack.verify_events().warning()
