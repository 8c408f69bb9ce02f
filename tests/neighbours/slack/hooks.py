"""response_urls: five uses within thirty minutes (docs.slack.dev/interactivity/handling-user-
interaction)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import posting
from .arguments import Arguments
from .model import JsonObject, Message, SlackError

if TYPE_CHECKING:
    from .workspace import Workspace

KINDS = ("actions", "commands", "app")
USES = 5
SECONDS = 30 * 60.0
_KNOWN = {
    "text", "blocks", "attachments", "response_type", "replace_original", "delete_original",
    "thread_ts", "metadata", "parse", "link_names", "mrkdwn", "unfurl_links", "unfurl_media",
}  # fmt: skip


@dataclass
class Hook:
    user: str
    channel: str
    expires_at: float
    source: Message | None
    uses: int = 0


class Hooks:
    """Guarded by the workspace. `base` is where the emulator listens."""

    def __init__(self, team: str, clock: Callable[[], float]) -> None:
        self.base = "http://127.0.0.1:0"
        self._team = team
        self._clock = clock
        self._known: dict[str, Hook] = {}

    def issue(
        self,
        user: str,
        channel: str,
        kind: Literal["actions", "commands", "app"],
        *,
        source: Message | None = None,
    ) -> str:
        number = len(self._known) + 1
        path = f"/{kind}/{self._team}/{number:012d}/{number * 2654435761 % 2**48:012x}"
        self._known[path] = Hook(user, channel, self._clock() + SECONDS, source)
        return self.base + path

    def use(self, path: str) -> Hook:
        hook = self._known.get(path)
        if hook is None:
            raise SlackError("no_service")
        if self._clock() >= hook.expires_at:
            raise SlackError("expired_url")
        if hook.uses >= USES:
            raise SlackError("used_url")
        hook.uses += 1
        return hook


def post(workspace: Workspace, path: str, body: bytes) -> tuple[int, JsonObject | str]:
    """What the app posts to a response_url; the status and body it gets back."""
    with workspace.changed:
        entry = workspace.open_entry("response_url", {"body": body.decode(errors="replace")})
        try:
            respond(workspace, workspace.hooks.use(path), _arguments(body))
        except SlackError as error:
            entry.status = 404 if error.code in {"no_service", "expired_url", "used_url"} else 400
            entry.answer = {"ok": False, "error": error.code, **error.extra}
            return entry.status, entry.answer
        else:
            entry.status, entry.answer, entry.took_effect = 200, {"ok": True}, True
            return 200, "ok"
        finally:
            workspace.close_entry(entry)


def respond(workspace: Workspace, hook: Hook, given: JsonObject) -> None:
    """Post, replace or delete as the answer says; ephemeral unless it says `in_channel`."""
    if unknown := given.keys() - _KNOWN:
        raise SlackError.explained("invalid_payload", f"unknown: {', '.join(sorted(unknown))}")
    arguments = Arguments(given)
    if arguments.flag("delete_original"):
        workspace.remove(_original(hook))
        return
    content = posting.posted_content(workspace, arguments)[0]
    if arguments.flag("replace_original"):
        workspace.edit(_original(hook), content, mark=False)
        return
    thread = arguments.text("thread_ts") or None
    kind = arguments.text("response_type") or "ephemeral"
    if kind not in {"ephemeral", "in_channel"}:
        raise SlackError("invalid_response_type")
    bot = workspace.bot
    if kind == "in_channel":
        workspace.post(hook.channel, content, user=bot.bot_user, bot=bot, thread=thread)
    else:
        workspace.whisper(hook.channel, content, to=hook.user, bot=bot, thread=thread)


def _original(hook: Hook) -> Message:
    if hook.source is None or hook.source.deleted or not hook.source.bot_id:
        raise SlackError("message_not_found")
    return hook.source


def _arguments(body: bytes) -> JsonObject:
    try:
        value = json.loads(body)
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(value, dict):
        raise SlackError("invalid_payload")
    return value
