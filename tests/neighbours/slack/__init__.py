"""A Slack that is as strict and as unkind as the real one, for tests and the demo.

In a test::

    with SlackServer(Workspace(clock=clock.time, rate_limits=False)) as server:
        slack = server.workspace
        slack.app.is_at("http://127.0.0.1:8080")  # where the service listens; or a Manifest
        ...  # PLANTAO_SLACK_API_URL=server.api_url, SLACK_BOT_TOKEN=BOT_TOKEN,
        ...  # SLACK_SIGNING_SECRET=SIGNING_SECRET
        ana, bruno = slack.person("ana"), slack.person("bruno")
        root = await slack.expect_message_soon(containing="Kafka lag")
        await ana.click(root, "incident.acknowledge")
        await bruno.click(root, "incident.acknowledge")
        await bruno.expect_ephemeral_soon("already acknowledged by Ana Souza")
        await ana.choose(root, "incident.more", "silence")
        silence = await ana.expect_modal_soon("Silence")
        silence.fill("How long", "2 hours")
        await silence.submit()
        await ana.react(ana.say("it was the deploy", thread_of=root), "pushpin")
        await clock.advance(minutes=30)
        await slack.expect_message_soon(thread_of=root, containing="the silence ends")
        slack.assert_nothing_unexpected()

What a person does is awaited (or, without an event loop, `.wait()`ed for): it fails when Slack
would show them a warning, because the app was late or its answer made no sense, unless that is
what the test expects: `assert await ana.click(…).warning() == "operation_timeout"`.

On the way things go wrong as told: `slack.faults` for the app's calls to Slack, `slack.hitches`
for Slack's calls to the app, `slack.sockets` for Socket Mode (`app.socket_mode`).
"""

from .delivery import Delivery
from .faults import Call, Fault
from .hitches import Hitch
from .journal import Entry, read_journal
from .manifest import InvalidManifest, Manifest
from .modals import Modal
from .model import (
    ALL_SCOPES,
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    Channel,
    Message,
    Token,
    User,
    UserGroup,
)
from .people import Person
from .server import SlackProcess, SlackServer
from .workspace import DEFAULT_CHANNEL, Workspace

__all__ = [
    "ALL_SCOPES",
    "APP_TOKEN",
    "BOT_TOKEN",
    "DEFAULT_CHANNEL",
    "SIGNING_SECRET",
    "Call",
    "Channel",
    "Delivery",
    "Entry",
    "Fault",
    "Hitch",
    "InvalidManifest",
    "Manifest",
    "Message",
    "Modal",
    "Person",
    "SlackProcess",
    "SlackServer",
    "Token",
    "User",
    "UserGroup",
    "Workspace",
    "read_journal",
]
