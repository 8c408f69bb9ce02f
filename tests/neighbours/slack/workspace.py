"""A Slack workspace in memory: who is in it, what was said, and how calls are answered."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from . import api
from .arguments import Arguments
from .expectations import Expectations
from .faults import Call, Fault, Faults
from .journal import Entry, JournalFile
from .limits import RateLimits
from .model import (
    BOT_TOKEN,
    Channel,
    Content,
    File,
    JsonObject,
    Message,
    SlackError,
    Token,
    User,
)

DEFAULT_CHANNEL = "fraude-plantao"


@dataclass
class Answer:
    """What goes back over HTTP."""

    status: int
    body: JsonObject
    headers: dict[str, str] = field(default_factory=dict)


class Workspace(Expectations):
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
        super().__init__(changed=threading.Condition(threading.RLock()))
        self.clock = clock
        self.missing_thread = missing_thread
        """A reply whose root is gone: `thread_not_found`, or silently a new root message
        (slack-go/slack issue 1571 saw Slack do that)."""
        self.edit_window = edit_window
        """Seconds after which a message can no longer be edited; None: never closes."""
        self.team = {"id": "T0PLANTAO", "name": "Banco Exemplo", "url": "https://example.slack.com"}
        self.limits = RateLimits(clock, enabled=rate_limits)
        self.faults = Faults(seed)
        self.journal: list[Entry] = []
        self._file = JournalFile(journal_file) if journal_file else None
        self._last_ts = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.tokens: dict[str, Token] = {}
        self.files: dict[str, File] = {}
        self._messages: dict[tuple[str, str], Message] = {}
        self._populate()

    def _populate(self) -> None:
        self.tokens[BOT_TOKEN] = Token(BOT_TOKEN)
        self.users["U0PLANTAO"] = User("U0PLANTAO", "plantao", "Plantão", is_bot=True)
        self.add_user("ana", "Ana Souza", email="ana@example.com", id="U0ANA")
        self.add_user("bruno", "Bruno Lima", email="bruno@example.com", id="U0BRUNO")
        self.add_channel(DEFAULT_CHANNEL, id="C0FRAUDE")

    # -- setting the stage

    def add_user(
        self,
        name: str,
        real_name: str = "",
        *,
        email: str | None = None,
        id: str | None = None,  # noqa: A002 - Slack's word
    ) -> User:
        with self.changed:
            user = User(id or f"U{len(self.users):08d}", name, real_name or name, email)
            self.users[user.id] = user
            return user

    def add_channel(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 - Slack's word
        member: bool = True,
        private: bool = False,
        archived: bool = False,
        read_only: bool = False,
    ) -> Channel:
        with self.changed:
            room = Channel(
                id or f"C{len(self.channels):08d}", name, private, archived, member, read_only
            )
            self.channels[room.id] = room
            return room

    def add_token(self, value: str, *scopes: str) -> Token:
        with self.changed:
            token = self.tokens[value] = Token(value, frozenset(scopes))
            return token

    def set_scopes(self, *scopes: str, token: str = BOT_TOKEN) -> None:
        with self.changed:
            self.tokens[token].scopes = frozenset(scopes)

    def refuse_token(self, error: str | None, *, token: str = BOT_TOKEN) -> None:
        """`token_revoked`, `account_inactive`, … from now on; None makes it good again."""
        with self.changed:
            self.tokens[token].error = error

    def archive(self, channel: str, *, archived: bool = True) -> None:
        with self.changed:
            self.channel(channel).archived = archived

    def set_member(self, channel: str, *, member: bool) -> None:
        with self.changed:
            self.channel(channel).bot_is_member = member

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
            message = self.post(self.channel_id(channel), Content(text), user=user, thread=root)
            message.username = self.users[user].real_name
            self.consume(message)
            return message

    def remove(self, message: Message) -> None:
        """A person deletes a message; a root with replies leaves a tombstone, as in Slack."""
        with self.changed:
            if message.replies:
                message.content = Content("This message was deleted.")
            else:
                self._messages.pop((message.channel, message.ts), None)
            message.deleted = True
            if message.thread_ts and (root := self.find(message.channel, message.thread_ts)):
                root.replies.remove(message.ts)
            self.changed.notify_all()

    # -- looking

    def channel(self, name: str) -> Channel:
        """By id, `#name` or name; KeyError when there is none."""
        wanted = name.removeprefix("#")
        with self.changed:
            if wanted in self.channels:
                return self.channels[wanted]
            return next(c for c in self.channels.values() if c.name == wanted)

    def channel_id(self, name: str) -> str:
        try:
            return self.channel(name).id
        except StopIteration:
            raise KeyError(f"no channel {name!r} in this workspace") from None

    def find(self, channel: str, ts: str) -> Message | None:
        with self.changed:
            return self._messages.get((channel, ts))

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

    def post(
        self, channel: str, content: Content, *, user: str, bot: Token | None = None,
        thread: str | None = None, broadcast: bool = False,
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
                versions=[content],
                people={u.id: u.name for u in self.users.values()},
            )
            self._messages[(channel, message.ts)] = message
            if thread and (root := self.find(channel, thread)):
                root.replies.append(message.ts)
            self.changed.notify_all()
            return message

    def edit(self, message: Message, content: Content, *, mark: bool) -> None:
        with self.changed:
            message.content = content
            message.versions.append(content)
            message.edited_ts = self.next_ts()
            message.edited_mark = mark
            self.changed.notify_all()

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
