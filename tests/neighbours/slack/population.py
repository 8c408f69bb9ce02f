"""Who and what is in a workspace: people, channels, tokens, user groups."""

from __future__ import annotations

from .model import BOT_TOKEN, Channel, Token, User, UserGroup
from .people import Person
from .sightings import Sightings


class Population(Sightings):
    """Setting the stage. Everything may be named by its id or its name."""

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.tokens: dict[str, Token] = {}
        self.groups: dict[str, UserGroup] = {}

    def add_user(
        self,
        name: str,
        real_name: str = "",
        *,
        email: str | None = None,
        id: str | None = None,  # noqa: A002 - Slack's word
        guest: bool = False,
    ) -> User:
        with self.changed:
            number = id or f"U{len(self.users):08d}"
            user = User(number, name, real_name or name, email, guest=guest)
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

    def set_member(self, channel: str, *, member: bool, user: str | None = None) -> None:
        """The bot's membership, or with `user` that of a person."""
        with self.changed:
            room = self.channel(channel)
            if user is None:
                room.bot_is_member = member
            elif member:
                room.absent.discard(self.person(user).id)
            else:
                room.absent.add(self.person(user).id)

    def deactivate(self, user: str, *, deactivated: bool = True) -> None:
        with self.changed:
            self.person(user).user.deleted = deactivated

    def add_group(
        self,
        handle: str,
        *users: str,
        name: str = "",
        id: str | None = None,  # noqa: A002 - Slack's word
    ) -> UserGroup:
        with self.changed:
            number = id or f"S{len(self.groups):08d}"
            members = [self.person(user).id for user in users]
            group = self.groups[number] = UserGroup(number, handle, name or handle, members)
            return group

    @property
    def bot(self) -> Token:
        return self.tokens[BOT_TOKEN]

    def check_granted(self, scope: str) -> None:
        """AssertionError: without it this part of Slack is not even shown."""
        assert scope in self.bot.scopes, f"the app was not granted {scope}"

    def person(self, name: str) -> Person:
        """Somebody who can act; KeyError when there is none."""
        wanted = name.removeprefix("@")
        with self.changed:
            found = self.users.get(wanted)
            found = found or next((u for u in self.users.values() if u.name == wanted), None)
        if found is None:
            raise KeyError(f"nobody called {name!r} in this workspace")
        return Person(self, found)  # type: ignore[arg-type]  # only workspaces are populated

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
