"""A Slack that is as strict and as unkind as the real one, for tests and the demo.

In a test::

    with SlackServer(Workspace(rate_limits=False)) as server:
        ...  # PLANTAO_SLACK_API_URL=server.api_url, SLACK_BOT_TOKEN=BOT_TOKEN
        root = server.workspace.expect_message(channel="#fraude-plantao", containing="Kafka lag")
        server.workspace.assert_nothing_unexpected()
"""

from .faults import Call, Fault
from .journal import Entry, read_journal
from .model import ALL_SCOPES, BOT_TOKEN, Channel, Message, Token, User
from .server import SlackProcess, SlackServer
from .workspace import DEFAULT_CHANNEL, Workspace

__all__ = [
    "ALL_SCOPES",
    "BOT_TOKEN",
    "DEFAULT_CHANNEL",
    "Call",
    "Channel",
    "Entry",
    "Fault",
    "Message",
    "SlackProcess",
    "SlackServer",
    "Token",
    "User",
    "Workspace",
    "read_journal",
]
