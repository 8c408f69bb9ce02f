"""What a Slack workspace is made of: people, channels, tokens, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import content

JsonObject = dict[str, Any]

BOT_TOKEN = "xoxb-plantao"
APP_TOKEN = "xapp-plantao"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ALL_SCOPES = frozenset(
    {
        "chat:write",
        "channels:history",
        "groups:history",
        "channels:read",
        "groups:read",
        "users:read",
        "users:read.email",
        "files:write",
        "commands",
        "channels:join",
        "app_mentions:read",
        "reactions:read",
        "reactions:write",
        "usergroups:read",
    }
)  # chat:write.public is left out on purpose: few workspaces grant it


class SlackError(Exception):
    """An answer of `{"ok": false}`; `extra` is what Slack says besides the code."""

    def __init__(self, code: str, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra

    @classmethod
    def explained(cls, code: str, *problems: str, errors: bool = False) -> SlackError:
        """With `response_metadata.messages` as Slack words them, and `errors` where it has them."""
        messages: dict[str, object] = {"messages": [f"[ERROR] {problem}" for problem in problems]}
        error = cls(code, response_metadata=messages)
        if errors:
            error.extra["errors"] = list(problems)
        return error


@dataclass
class User:
    id: str
    name: str
    real_name: str = ""
    email: str | None = None
    display_name: str = field(default="", kw_only=True)
    """What they chose to be called; empty for most."""
    deleted: bool = False
    """Deactivated: still there for `users.info`, no longer found by email."""
    is_bot: bool = False
    guest: bool = False
    """A multi-channel guest: `is_restricted`."""
    locale: str = field(default="en-US", kw_only=True)
    """The language they have Slack in; told to who asks with `include_locale`."""


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Channel:
    id: str
    name: str
    private: bool = False
    archived: bool = False
    bot_is_member: bool = True
    read_only: bool = False
    """A workspace preference keeps the bot from posting: `restricted_action`."""
    absent: set[str] = field(default_factory=set)
    """The people who are not in it; everybody else is."""


@dataclass
class Token:
    value: str
    scopes: frozenset[str] = ALL_SCOPES
    bot_user: str = "U0PLANTAO"
    bot_id: str = "B0PLANTAO"
    app_id: str = "A0PLANTAO"
    error: str | None = None
    """The answer to every call when set: `token_revoked`, `account_inactive`, …"""


@dataclass
class File:
    id: str
    name: str
    length: int
    data: bytes = b""
    title: str = ""
    alt_text: str = ""
    shared: bool = False


@dataclass(frozen=True)
class Content:
    """What a message holds at one moment."""

    text: str = ""
    blocks: tuple[JsonObject, ...] = ()
    attachments: tuple[JsonObject, ...] = ()
    metadata: JsonObject | None = None
    parse: str = "none"
    link_names: bool = False


@dataclass
class Message:
    """One message as the workspace keeps it; tests read it, only the workspace writes it."""

    channel: str
    ts: str
    content: Content
    bot_user: str
    bot_id: str = ""
    app_id: str = ""
    username: str = "Plantão"
    thread_ts: str | None = None
    """The root's ts in replies; None in roots, also when they have replies."""
    broadcast: bool = False
    visible_to: str | None = None
    """The only person who sees it, in ephemeral messages; they are in no history."""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Emoji name to the people who chose it, in their order."""
    files: list[JsonObject] = field(default_factory=list)
    edited_ts: str | None = None
    edited_mark: bool = False
    """Slack shows "(edited)" only when the edit changed `text` alone, without blocks."""
    deleted: bool = False
    versions: list[Content] = field(default_factory=list)
    """Every content this message had, the present one last."""
    replies: list[str] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    """Who exists in the workspace, id to name: a mention of nobody notifies nobody."""

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def blocks(self) -> list[JsonObject]:
        return list(self.content.blocks)

    @property
    def attachments(self) -> list[JsonObject]:
        return list(self.content.attachments)

    @property
    def metadata(self) -> JsonObject | None:
        return self.content.metadata

    @property
    def is_root(self) -> bool:
        return self.thread_ts is None

    @property
    def edits(self) -> int:
        return len(self.versions) - 1

    @property
    def visible_text(self) -> str:
        """What a reader sees in the channel, line by line, escapes and links resolved."""
        return content.visible_text(self.content, self.people)

    @property
    def mentions(self) -> list[str]:
        """Who the present content would notify: `@channel`, `@here`, `@U…`, `@S…`."""
        return content.mentions(self.content, self.people)

    @property
    def notified(self) -> list[str]:
        """Who was notified when it was posted; edits notify nobody in Slack."""
        return content.mentions(self.versions[0], self.people)

    @property
    def links(self) -> list[tuple[str, str]]:
        """(url, label) of everything a reader can click, buttons included."""
        return content.links(self.content)

    @property
    def buttons(self) -> list[JsonObject]:
        return content.buttons(self.content)

    def button(self, action_id: str) -> JsonObject:
        """The button with this `action_id`; AssertionError when the message has none."""
        found = [b for b in self.buttons if b.get("action_id") == action_id]
        assert found, f"no button {action_id!r} in: {self.visible_text}"
        return found[0]

    @property
    def colors(self) -> list[str]:
        """The bars of the attachments, without `#`, as Slack gives them back."""
        return [str(a["color"]) for a in self.attachments if "color" in a]

    def __contains__(self, words: str) -> bool:
        return words in self.visible_text or words in self.text
