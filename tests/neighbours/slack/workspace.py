"""A Slack workspace in memory: who is in it, what was said, and how calls are answered."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from . import api, events, mrkdwn, shapes
from .arguments import Arguments
from .delivery import Delivery, nothing_sent
from .faults import Call, Fault, Faults
from .hitches import Hitches
from .hooks import Hooks
from .installed import InstalledApp
from .journal import Entry, JournalFile
from .limits import RateLimits
from .model import APP_TOKEN, BOT_TOKEN, Content, File, JsonObject, Message, SlackError, Token, User
from .outbox import Outbox
from .population import Population
from .sockets import Sockets
from .triggers import Triggers
from .views import Views

DEFAULT_CHANNEL = "fraude-plantao"
_AT = re.compile(r"(?<![\w<])@[a-z0-9._-]+")


@dataclass
class Answer:
    """What goes back over HTTP."""

    status: int
    body: JsonObject
    headers: dict[str, str] = field(default_factory=dict)


class Workspace(Population):
    """Safe to use from any thread; `clock` gives seconds since 1970 for ts and rate limits."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        rate_limits: bool = True,
        missing_thread: Literal["error", "unthread"] = "error",
        edit_window: float | None = None,
        journal_file: Path | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.missing_thread = missing_thread
        """A reply whose root is gone: `thread_not_found`, or silently a new root message
        (slack-go/slack issue 1571 saw Slack do that)."""
        self.edit_window = edit_window
        """Seconds after which a message can no longer be edited; None: never closes."""
        self.team = {
            "id": "T0PLANTAO",
            "name": "Banco Exemplo",
            "domain": "example",
            "url": "https://example.slack.com",
        }
        self.default_channel = DEFAULT_CHANNEL
        self.limits = RateLimits(clock, enabled=rate_limits)
        self.faults = Faults(seed)
        self.journal: list[Entry] = []
        self._file = JournalFile(journal_file) if journal_file else None
        self._last_ts = 0
        self._last_number = 0
        self.app = InstalledApp()
        self.outbox = Outbox(clock)
        self.sockets = Sockets(self, seed=seed)
        self.outbox.at_end(self.sockets.close)
        self.hitches = Hitches()
        self.triggers = Triggers()
        self.hooks = Hooks(self.team["id"], clock)
        self.views = Views(self.next_ts, self._names)
        self.chosen: dict[tuple[str, str, str], JsonObject] = {}
        """What people chose in menus of messages: (user, channel, ts) to action_id to value."""
        self.files: dict[str, File] = {}
        self._messages: dict[tuple[str, str], Message] = {}
        self._populate()

    def _populate(self) -> None:
        self.tokens[BOT_TOKEN] = Token(BOT_TOKEN)
        self.tokens[APP_TOKEN] = Token(APP_TOKEN, frozenset({"connections:write"}))
        self.users["U0PLANTAO"] = User("U0PLANTAO", "plantao", "Plantão", is_bot=True)
        self.add_user("ana", "Ana Souza", email="ana@example.com", id="U0ANA")
        self.add_user("bruno", "Bruno Lima", email="bruno@example.com", id="U0BRUNO")
        self.add_channel(DEFAULT_CHANNEL, id="C0FRAUDE")

    # -- what people do

    def say(
        self,
        text: str,
        *,
        channel: str = DEFAULT_CHANNEL,
        user: str = "U0ANA",
        thread_of: Message | None = None,
    ) -> Message:
        """A person writes; nobody has to expect it."""
        root = thread_of.ts if thread_of else None
        with self.changed:
            content = Content(self.typed(text))
            message = self.post(self.channel_id(channel), content, user=user, thread=root)
            message.username = self.users[user].real_name
            self.consume(message)
            return message

    def typed(self, text: str) -> str:
        """What Slack keeps of what a person types: `@name` becomes who it is."""
        ids = {f"@{u.name}": f"<@{u.id}>" for u in self.users.values()}
        return mrkdwn.escape_stray(_AT.sub(lambda m: ids.get(m[0], m[0]), text))

    def remove(self, message: Message) -> Delivery:
        """A person deletes a message; a root with replies leaves a tombstone, as in Slack."""
        with self.changed:
            before = shapes.message(self, message, metadata=False)
            if message.visible_to is not None:
                self.whispers.remove(message)
            elif message.replies:
                message.content = Content("This message was deleted.")
            else:
                self._messages.pop((message.channel, message.ts), None)
            message.deleted = True
            if message.thread_ts and (root := self.find(message.channel, message.thread_ts)):
                root.replies.remove(message.ts)
            self.changed.notify_all()
            if message.visible_to is not None:
                return nothing_sent(message.visible_to, "an ephemeral message")
            return events.deleted(self, message, before)

    def verify_events(self) -> Delivery:
        """Slack checks the address of events, as when it is saved in the app's settings."""
        return events.verify_url(self)

    # -- looking

    def find(self, channel: str, ts: str) -> Message | None:
        with self.changed:
            return self._messages.get((channel, ts))

    def is_there(self, message: Message) -> bool:
        """Still on somebody's screen."""
        with self.changed:
            if message.visible_to is not None:
                return any(m is message for m in self.whispers)
            return self.find(message.channel, message.ts) is message

    def all_messages(self) -> list[Message]:
        """Every message there is, oldest first."""
        with self.changed:
            return list(self._messages.values())  # put in as their ts rise

    def messages(self, channel: str = DEFAULT_CHANNEL) -> list[Message]:
        room = self.channel_id(channel)
        return [m for m in self.all_messages() if m.channel == room]

    def roots(self, channel: str = DEFAULT_CHANNEL) -> list[Message]:
        return [m for m in self.messages(channel) if m.is_root]

    def replies(self, root: Message) -> list[Message]:
        return [m for m in self.all_messages() if m.thread_ts == root.ts
                and m.channel == root.channel]  # fmt: skip

    def calls(self, method: str | None = None) -> list[Entry]:
        with self.changed:
            return [e for e in self.journal if method is None or e.method == method]

    # -- writing, for the API methods

    def next_ts(self) -> str:
        """Unique in the workspace and always rising."""
        with self.changed:
            self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_number(self) -> int:
        """Unique in the workspace."""
        with self.changed:
            self._last_number += 1
            return self._last_number

    def post(
        self, channel: str, content: Content, *, user: str, bot: Token | None = None,
        thread: str | None = None, broadcast: bool = False, files: Sequence[JsonObject] = (),
    ) -> Message:  # fmt: skip
        with self.changed:
            message = Message(
                channel=channel,
                ts=self.next_ts(),
                content=content,
                bot_user=user,
                bot_id=bot.bot_id if bot else "",
                app_id=bot.app_id if bot else "",
                thread_ts=thread,
                broadcast=broadcast,
                files=list(files),
                versions=[content],
                people=self._names(),
            )
            self._messages[(channel, message.ts)] = message
            if thread and (root := self.find(channel, thread)):
                root.replies.append(message.ts)
            self.changed.notify_all()
            events.posted(self, message)
            return message

    def whisper(
        self, channel: str, content: Content, *, to: str, bot: Token, thread: str | None = None
    ) -> Message:
        """An ephemeral message."""
        with self.changed:
            message = Message(
                channel=channel,
                ts=self.next_ts(),
                content=content,
                bot_user=bot.bot_user,
                bot_id=bot.bot_id,
                app_id=bot.app_id,
                thread_ts=thread,
                visible_to=to,
                versions=[content],
                people=self._names(),
            )
            self.whispers.append(message)
            self.changed.notify_all()
            return message

    def _names(self) -> dict[str, str]:
        return {u.id: u.name for u in self.users.values()}

    def edit(self, message: Message, content: Content, *, mark: bool) -> Delivery:
        with self.changed:
            before = shapes.message(self, message, metadata=False)
            message.content = content
            message.versions.append(content)
            message.edited_ts = self.next_ts()
            message.edited_mark = mark
            self.changed.notify_all()
            if message.visible_to is not None:
                return nothing_sent(message.visible_to, "an ephemeral message")
            return events.changed(self, message, before)

    # -- answering

    def call(self, method: str, arguments: JsonObject) -> Call:
        """What a fault's predicate sees; unreadable channels count as none."""
        named = str(arguments.get("channel") or arguments.get("channel_id") or "")
        try:
            return Call(method, arguments, self.channel_id(named))
        except KeyError:
            return Call(method, arguments, None)

    def open_entry(self, method: str, arguments: JsonObject) -> Entry:
        """A journal entry for a request that has come; finish it with `close_entry`."""
        with self.changed:
            kept = {k: copy.deepcopy(v) for k, v in arguments.items() if k != "token"}
            entry = Entry(len(self.journal) + 1, self.clock(), method, kept)
            self.journal.append(entry)
            return entry

    def close_entry(self, entry: Entry) -> None:
        with self.changed:
            if self._file:
                self._file.append(entry)
            self.changed.notify_all()

    def close(self) -> None:
        self.outbox.close()
        with self.changed:
            if self._file:
                self._file.close()
                self._file = None

    def strike(self, call: Call, token: str | None) -> Fault | None:
        """The fault for this call, if any; those that change the workspace do so here."""
        with self.changed:
            fault = self.faults.strike(call)
            match fault:
                case Fault(kind="token_revoked") if token in self.tokens:
                    self.tokens[token].error = "token_revoked"
                case Fault(kind="channel_archived") if call.channel:
                    self.channels[call.channel].archived = True
                case Fault(kind="removed_from_channel") if call.channel:
                    self.channels[call.channel].bot_is_member = False
                case _:
                    pass
            return fault

    def answer(self, call: Call, token: str | None, entry: Entry) -> Answer:
        """Does what the call asks and says what Slack says."""
        with self.changed:
            known = self.tokens.get(token or "")
            headers = {"x-oauth-scopes": ",".join(sorted(known.scopes))} if known else {}
            try:
                body = self._perform(call, token, headers)
                entry.took_effect = True
                result = Answer(200, {"ok": True, **body}, headers)
            except SlackError as error:
                status = 200
                if error.code == "ratelimited":
                    status = 429
                    headers["Retry-After"] = str(error.extra.pop("retry_after", 1))
                result = Answer(status, {"ok": False, "error": error.code, **error.extra}, headers)
            entry.status, entry.answer = result.status, result.body
            return result

    def _perform(self, call: Call, token: str | None, headers: dict[str, str]) -> JsonObject:
        method = api.METHODS.get(call.method)
        if method is None:
            raise SlackError("unknown_method", req_method=call.method)
        arguments = Arguments(call.arguments)
        caller = api.authorized(self, method, token, arguments)
        headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        wait = self.limits.take(call.method, token or "", call.channel)
        if wait is not None:
            raise SlackError("ratelimited", retry_after=wait)
        return method.run(self, caller, arguments)
