"""A Slack that is as strict and as unkind as the real one, for tests and the demo.

In a test::

    with SlackServer(Workspace(rate_limits=False)) as server:
        ...  # PLANTAO_SLACK_API_URL=server.api_url, SLACK_BOT_TOKEN=BOT_TOKEN
        root = server.workspace.expect_message(channel="#fraude-plantao", containing="Kafka lag")
        server.workspace.assert_nothing_unexpected()
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
