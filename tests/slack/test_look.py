"""The pages that look like Slack: what each person sees, and that a browser can use them."""

from __future__ import annotations

import httpx
import pytest

from tests.neighbours.slack import Person, SlackProcess, Workspace
from tests.slack.app import CHANNEL, App, Json, Stage, actions, button, options
from tests.slack.driver import browsing
from tests.slack.test_modals import WHY, answering, field, modal, opened, plain
from tests.waiting import soon

EVIL = "<script>alert(1)</script>\"'<b>"
CHANNEL_PAGE = "/_look/fraude-plantao"


async def page(play: Stage, path: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(play.server.url + path)
    assert answer.status_code == 200
    return answer.text.split("</head>")[1]


async def test_each_sees_their_own(play: Stage, ana: Person) -> None:
    await play.app.post("for all")
    await play.app.web.chat_postEphemeral(channel=CHANNEL, user="U0ANA", text="for Ana")
    await ana.expect_ephemeral_soon("for Ana")
    await opened(play.app, ana)
    everybodys = await page(play, CHANNEL_PAGE)
    assert "for all" in everybodys
    assert "for Ana" not in everybodys
    assert "Silence" not in everybodys
    anas = await page(play, f"{CHANNEL_PAGE}?as=ana")
    assert "Only visible to you" in anas
    assert "Silence" in anas
    assert "for Ana" not in await page(play, f"{CHANNEL_PAGE}?as=bruno")


async def test_a_thread_and_its_reactions(play: Stage, ana: Person) -> None:
    root = ana.say("root")
    reply = ana.say("the deploy", thread_of=root)
    await ana.react(reply, "pushpin")
    thread = await page(play, f"{CHANNEL_PAGE}/{root.ts}?as=ana")
    assert 'data-react="pushpin" data-mine="1"' in thread
    assert 'data-mine="1"' not in await page(play, f"{CHANNEL_PAGE}/{root.ts}?as=bruno")


async def test_a_modal_shows_what_was_entered_and_refused(
    play: Stage, app: App, ana: Person
) -> None:
    which = field("which", "checkboxes", options=options("one", "two"))
    silence = await opened(app, ana, WHY, which)
    silence.fill("why", "the deploy")
    silence.fill("which", ["two"])
    answering(app, {"response_action": "errors", "errors": {"why": "Say more"}})
    await silence.submit()
    shown = await page(play, f"{CHANNEL_PAGE}?as=ana")
    assert "the deploy</textarea>" in shown
    assert 'value="two" checked' in shown
    assert '<div class="error">Say more</div>' in shown


async def test_everything_is_escaped(play: Stage, app: App, slack: Workspace, ana: Person) -> None:
    evil: list[Json] = [{"text": plain(EVIL), "value": EVIL}]
    select = {"type": "static_select", "action_id": EVIL + "s", "options": evil}
    menu = {"type": "overflow", "action_id": EVIL + "o", "options": evil}
    await app.post(blocks=[actions(button(EVIL, value=EVIL, text=plain(EVIL)), select, menu)])
    text = field("t", "plain_text_input", initial_value=EVIL, placeholder=plain(EVIL))
    ticks = field("c", "checkboxes", options=evil)
    view = modal(text, ticks, title=plain(EVIL[:24]), submit=plain("<i>"), close=plain("<i>"))
    await ana.command("/plantao silence")
    await app.web.views_open(trigger_id=app.last["trigger_id"], view=view)
    await ana.expect_modal_soon()
    home = {"type": "home", "blocks": [{"type": "section", "text": plain(EVIL)}]}
    await app.web.views_publish(user_id="U0ANA", view=home)
    slack.app.add_shortcut(EVIL, EVIL)
    for path in (f"{CHANNEL_PAGE}?as=ana", "/_home/ana"):
        shown = await page(play, path)
        assert "<script" not in shown
        assert "<i>" not in shown
        assert "&lt;script&gt;" in shown


@pytest.mark.neighbour
async def test_a_browser_can_use_it(play: Stage, app: App, ana: Person) -> None:
    menu = {"type": "overflow", "action_id": "more", "options": options("mute")}
    await app.post(blocks=[actions(button(), menu)])
    async with browsing(f"{play.server.url}{CHANNEL_PAGE}?as=ana") as browser:

        async def heard(count: int) -> Json:
            async def look() -> bool:
                return len(app.heard) >= count

            await soon(look, what=f"{count} interactions")
            return app.last

        await browser.shows("document.querySelector('button[data-action]') !== null")
        await browser.run("document.querySelector('button[data-action]').click()")
        assert (await heard(1))["actions"][0]["action_id"] == "incident.acknowledge"
        await app.respond(text="well done")
        await ana.expect_ephemeral_soon("well done")
        await browser.shows("document.body.innerText.includes('well done')")
        await browser.run("document.querySelector('[data-choice]').click()")
        assert (await heard(2))["actions"][0]["selected_option"]["value"] == "mute"
        await browser.run(
            "document.querySelector('#write input').value = '/plantao silence';"
            "document.querySelector('#write').requestSubmit()"
        )
        trigger = (await heard(3))["trigger_id"]
        await app.web.views_open(trigger_id=trigger, view=modal(WHY))
        await ana.expect_modal_soon("Silence")
        await browser.shows("document.querySelector('.modal textarea') !== null")
        await browser.run(
            "const why = document.querySelector('.modal textarea'); why.value = 'the deploy';"
            "why.dispatchEvent(new Event('change', {bubbles: true}));"
            "document.querySelector('.modal').requestSubmit()"
        )
        values = (await heard(4))["view"]["state"]["values"]
        assert values["why"]["why"]["value"] == "the deploy"
        await browser.shows("document.querySelector('.modal') === null")


async def test_as_a_process(play: Stage) -> None:
    app = play.app
    with SlackProcess(limits=False) as process:
        base = str(play.slack.app.events_url).removesuffix("/slack/events")
        configured = process.control("app", base=base, bot_events=["reaction_added"])
        assert configured["commands"] == ["/plantao"]
        web = type(app.web)(app.web.token, base_url=process.api_url, retry_handlers=[])
        posted = await web.chat_postMessage(channel=CHANNEL, text="x", blocks=[actions(button())])

        async def control(action: str, **arguments: object) -> Json:
            async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
                url = f"{process.url}/_control/{action}"
                answer: Json = (await http.post(url, json=arguments)).json()
            return answer

        clicked = await control("use", user="ana", ts=posted["ts"], name="incident.acknowledge")
        assert (clicked["status"], clicked["warning"]) == (200, None)
        assert app.last["user"]["id"] == "U0ANA"
        assert app.heard[0].is_signed
        reacted = await control("react", user="bruno", ts=posted["ts"], emoji="pushpin")
        assert reacted["sent"]
        await control("command", user="ana", line="/plantao silence 1")
        await web.views_open(trigger_id=app.last["trigger_id"], view=modal(WHY))
        (shown,) = process.get("modals")
        assert (shown["user"], shown["callback_id"]) == ("U0ANA", "")
        await control("submit", user="ana", values={"why": "deploy"})
        assert app.last["type"] == "view_submission"
        process.control("hitch", kind="lost")
        lost = await control("use", user="ana", ts=posted["ts"], name="incident.acknowledge")
        assert lost["warning"] == "dispatch_failed"
        assert process.get("warnings")[0]["user"] == "U0ANA"
        refusal = await control("use", user="ana", ts=posted["ts"], name="nothing")
        assert "nothing called 'nothing' here" in refusal["error"]
        assert process.control("sockets", cut_every=5)["count"] == 0
