"""An app manifest (docs.slack.dev/reference/app-manifest), read as strictly as Slack reads it.

Installing it gives the app what the manifest asks for and nothing else, so that a scope or an
event it forgets is missing in the tests too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from .events import SCOPES as EVENT_SCOPES
from .installed import Command, Shortcut
from .schema import (
    Check,
    Problems,
    anything,
    boolean,
    choice,
    items,
    record,
    text,
    url,
)

if TYPE_CHECKING:
    from .workspace import Workspace

JsonObject = dict[str, Any]
_BOT_SCOPES = (
    "app_mentions:read", "channels:history", "channels:join", "channels:read", "chat:write",
    "chat:write.customize", "chat:write.public", "commands", "emoji:read", "files:read",
    "files:write", "groups:history", "groups:read", "groups:write", "im:history", "im:read",
    "im:write", "links:read", "links:write", "metadata.message:read", "mpim:history",
    "mpim:read", "pins:read", "pins:write", "reactions:read", "reactions:write", "team:read",
    "usergroups:read", "usergroups:write", "users.profile:read", "users:read",
    "users:read.email", "users:write",
)  # fmt: skip
_ALSO_EVENTS = ("app_uninstalled", "message.im", "message.mpim", "team_join", "tokens_revoked",
                "user_change", "member_joined_channel", "member_left_channel")  # fmt: skip
_COMMAND = record(
    {"command": text(32), "description": text(2000)},
    {"url": url(), "usage_hint": text(1000), "should_escape": boolean},
)
_SHORTCUT = record(
    {
        "name": text(24),
        "type": choice("message", "global"),
        "callback_id": text(255),
        "description": text(150),
    }
)
_FEATURES: dict[str, Check] = {
    "app_home": record(
        {},
        {
            "home_tab_enabled": boolean,
            "messages_tab_enabled": boolean,
            "messages_tab_read_only_enabled": boolean,
        },
    ),
    "bot_user": record({"display_name": text(80)}, {"always_online": boolean}),
    "shortcuts": items(_SHORTCUT, most=10),
    "slash_commands": items(_COMMAND, most=50),
}
_SETTINGS: dict[str, Check] = {
    "event_subscriptions": record(
        {},
        {
            "request_url": url(),
            "bot_events": items(choice(*EVENT_SCOPES, *_ALSO_EVENTS), most=100),
        },
    ),
    "interactivity": record(
        {"is_enabled": boolean},
        {"request_url": url(), "message_menu_options_url": url()},
    ),
    "org_deploy_enabled": boolean,
    "socket_mode_enabled": boolean,
    "token_rotation_enabled": boolean,
    "allowed_ip_address_ranges": anything,
}
_DISPLAY: dict[str, Check] = {
    "description": text(140),
    "long_description": text(4000, shortest=175),
    "background_color": text(7),
}
_MANIFEST = record(
    {"display_information": record({"name": text(35)}, _DISPLAY)},
    {
        "_metadata": anything,
        "features": record({}, _FEATURES),
        "oauth_config": record(
            {},
            {
                "redirect_urls": items(url(), most=1000),
                "scopes": record({}, {"bot": items(choice(*_BOT_SCOPES), most=255)}),
                "pkce_enabled": boolean,
            },
        ),
        "settings": record({}, _SETTINGS),
    },
)


class InvalidManifest(ValueError):
    """What Slack says when such a manifest is pasted, problem by problem."""


@dataclass(frozen=True)
class Manifest:
    content: JsonObject

    @classmethod
    def read(cls, path: Path) -> Manifest:
        return cls.parsed(path.read_text(encoding="utf-8"))

    @classmethod
    def parsed(cls, source: str) -> Manifest:
        """From YAML; InvalidManifest for what Slack would not take."""
        content = yaml.safe_load(source)
        problems: Problems = []
        _MANIFEST(content, "", problems)
        manifest = cls(content if isinstance(content, dict) else {})
        problems = problems or manifest._problems()
        if problems:
            raise InvalidManifest("\n".join(problems))
        return manifest

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self._part("oauth_config", "scopes").get("bot", []))

    @property
    def bot_events(self) -> frozenset[str]:
        return frozenset(self._part("settings", "event_subscriptions").get("bot_events", []))

    @property
    def socket_mode(self) -> bool:
        return bool(self.content.get("settings", {}).get("socket_mode_enabled"))

    def install(self, workspace: Workspace, base: str | None = None) -> None:
        """Into a workspace: grants its scopes and nothing else. `base` is where the service
        really listens; the paths stay those of the manifest."""
        app = workspace.app
        interactivity = self._part("settings", "interactivity")
        events = self._part("settings", "event_subscriptions")
        enabled = interactivity.get("is_enabled", False)
        app.name = self.content["display_information"]["name"]
        app.socket_mode = self.socket_mode
        app.interactive = bool(enabled)
        app.interactivity_url = _at(base, interactivity.get("request_url"))
        app.events_url = _at(base, events.get("request_url"))
        app.bot_events = self.bot_events
        app.home_tab = bool(self._part("features", "app_home").get("home_tab_enabled"))
        app.commands = {each["command"]: _command(each, base) for each in self._commands}
        app.shortcuts = {each["callback_id"]: _shortcut(each) for each in self._shortcuts}
        workspace.set_scopes(*self.scopes)

    @property
    def _commands(self) -> list[JsonObject]:
        return list(self.content.get("features", {}).get("slash_commands", []))

    @property
    def _shortcuts(self) -> list[JsonObject]:
        return list(self.content.get("features", {}).get("shortcuts", []))

    def _part(self, first: str, second: str) -> JsonObject:
        return dict(self.content.get(first, {}).get(second, {}))

    def _problems(self) -> Problems:
        return [*self._scope_problems(), *self._url_problems(), *self._name_problems()]

    def _scope_problems(self) -> Problems:
        """Slack asks for the scope of everything that needs one."""
        needs = {name: EVENT_SCOPES.get(name) for name in sorted(self.bot_events)}
        if self._commands or self._shortcuts:
            needs["slash_commands and shortcuts"] = "commands"
        if "users:read.email" in self.scopes:
            needs["users:read.email"] = "users:read"
        return [
            f"{what} needs the scope {scope} [json-pointer:/oauth_config/scopes/bot]"
            for what, scope in needs.items()
            if scope is not None and scope not in self.scopes
        ]

    def _url_problems(self) -> Problems:
        if self.socket_mode:
            return []
        wanted: list[tuple[str, JsonObject, str]] = [
            (f"/features/slash_commands/{n}", each, "url") for n, each in enumerate(self._commands)
        ]
        if self.bot_events:
            events = self._part("settings", "event_subscriptions")
            wanted.append(("/settings/event_subscriptions", events, "request_url"))
        interactivity = self._part("settings", "interactivity")
        if interactivity.get("is_enabled"):
            wanted.append(("/settings/interactivity", interactivity, "request_url"))
        return [
            f"missing required field: {name}, without Socket Mode [json-pointer:{pointer}]"
            for pointer, part, name in wanted
            if name not in part
        ]

    def _name_problems(self) -> Problems:
        return [
            f"a command starts with / and has no spaces: {each['command']!r}"
            for each in self._commands
            if not each["command"].startswith("/") or " " in each["command"]
        ]


def _at(base: str | None, address: str | None) -> str | None:
    if base is None or address is None:
        return address
    return base.rstrip("/") + urlsplit(address).path


def _command(given: JsonObject, base: str | None) -> Command:
    escapes = bool(given.get("should_escape"))
    return Command(given["command"], _at(base, given.get("url")), escapes)


def _shortcut(given: JsonObject) -> Shortcut:
    return Shortcut(given["callback_id"], given["name"], given["type"])
