"""The app as it is configured in the workspace: where Slack sends what, and which of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .model import SIGNING_SECRET

ALL_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "message.channels",
        "message.groups",
        "reaction_added",
        "reaction_removed",
    }
)


@dataclass(frozen=True)
class Command:
    """A slash command; `url` None: nothing is configured to answer it."""

    name: str
    url: str | None = None
    escapes: bool = False
    """`should_escape`: people and channels in the text arrive as `<@U…|name>`, not `@name`."""


@dataclass(frozen=True)
class Shortcut:
    callback_id: str
    name: str
    kind: Literal["message", "global"]


@dataclass
class InstalledApp:
    """What api.slack.com/apps knows about an app. With `socket_mode` the addresses are unused."""

    id: str = "A0PLANTAO"
    name: str = "Plantão"
    signing_secret: str = SIGNING_SECRET
    verification_token: str = "gIkuvaNzQIHg97ATvDxqgjtO"  # deprecated by Slack, still in payloads
    socket_mode: bool = False
    interactive: bool = True
    """Interactivity is switched on: without it buttons, shortcuts and modals do nothing."""
    interactivity_url: str | None = None
    events_url: str | None = None
    commands: dict[str, Command] = field(default_factory=dict)
    shortcuts: dict[str, Shortcut] = field(default_factory=dict)
    bot_events: frozenset[str] = ALL_EVENTS
    home_tab: bool = True

    @property
    def hears_events(self) -> bool:
        return self.socket_mode or self.events_url is not None

    def is_at(self, base: str, *, commands: tuple[str, ...] = ("/plantao",)) -> None:
        """Point every address at a service there; `commands` are added if not configured yet."""
        base = base.rstrip("/")
        self.interactivity_url = f"{base}/slack/interactions"
        self.events_url = f"{base}/slack/events"
        for name in {*commands, *self.commands}:
            escapes = name in self.commands and self.commands[name].escapes
            self.commands[name] = Command(name, f"{base}/slack/commands", escapes)

    def add_command(self, name: str, url: str | None, *, escapes: bool = False) -> None:
        self.commands[name] = Command(name, url, escapes)

    def add_shortcut(
        self, callback_id: str, name: str, *, kind: Literal["message", "global"] = "message"
    ) -> None:
        self.shortcuts[callback_id] = Shortcut(callback_id, name, kind)
