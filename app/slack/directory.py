"""Who is who in Slack: names, addresses, and who is in which user group. Asked once an hour.

Sources: https://docs.slack.dev/reference/methods/users.info, users.lookupByEmail and
usergroups.users.list. A person whom Slack cannot tell of just now is called by the handle.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, get_args

from app.core.person import Person
from app.engine.clock import Clock
from app.errors import DeliveryFailed, PlantaoError
from app.notifiers.slack_api import SlackApi
from app.slack.plain import mentioned, plain
from app.slack.requests import Caller
from app.values import Locale

_KEPT = timedelta(hours=1)
_GROUPS_KEPT = timedelta(minutes=5)
_MOST = 5_000
_SECONDS = 3.0  # nobody who presses a button waits longer for a name
_INTRODUCTION = 1.0  # seconds; nor anybody elsewhere for what Slack knows them by
_SLACK, _EMAIL = "slack:", "email:"

Found = TypeVar("Found")


class Unknown(PlantaoError):
    """Slack could not be asked who somebody is."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in Slack. `active` is false for who has left; bots act for nobody.

    `locale` is the language they have Slack in, where it is one of ours.
    """

    id: str
    name: str
    email: str | None = None
    bot: bool = False
    active: bool = True
    locale: Locale | None = None

    @property
    def may_act(self) -> bool:
        return self.active and not self.bot

    @property
    def person(self) -> Person:
        """As the timeline names them. The id, unlike the address, is always known."""
        email = {f"{_EMAIL}{self.email.lower()}"} if self.email else set()
        return Person(self.name, f"{_SLACK}{self.id}", frozenset(email))


class Directory:
    """`deadline` is in seconds, for one question. Not safe for several event loops."""

    def __init__(self, api: SlackApi, clock: Clock, *, deadline: float = _SECONDS) -> None:
        self._api = api
        self._deadline = deadline
        self._people: _Kept[Member] = _Kept(clock, _KEPT)
        self._addresses: _Kept[str | None] = _Kept(clock, _KEPT)
        self._groups: _Kept[dict[str, str]] = _Kept(clock, _GROUPS_KEPT)
        self._members: _Kept[frozenset[str]] = _Kept(clock, _GROUPS_KEPT)

    async def member(self, caller: Caller) -> Member:
        """Who this is; by the handle where Slack cannot be asked."""
        try:
            return await self._people.get(caller.id, lambda: self._ask_person(caller.id))
        except Unknown:
            return Member(caller.id, caller.handle or caller.id)

    async def plain(self, text: str) -> str:
        """A message's text as people read it, with the names of those it mentions."""
        people = [await self.member(Caller(each)) for each in mentioned(text)]
        return plain(text, {each.id: each.name for each in people}).strip()

    async def introduce(self, person: Person) -> Person:
        """Whoever acts elsewhere, with what Slack knows them by; as they are if it is silent."""
        try:
            async with asyncio.timeout(_INTRODUCTION):
                return replace(person, also=person.also | await self._known_as(person))
        except TimeoutError:
            return person

    async def _known_as(self, person: Person) -> frozenset[str]:
        if person.ref.startswith(_EMAIL):
            number = await self.by_email(person.ref.removeprefix(_EMAIL))
            return frozenset({f"{_SLACK}{number}"} if number else ())
        if person.slack and not person.also:
            return (await self.member(Caller(person.slack))).person.also
        return frozenset()

    async def by_email(self, email: str) -> str | None:
        """The id of the person with this address; None if there is none, or nobody can tell."""
        wanted = email.strip().lower()
        try:
            return await self._addresses.get(wanted, lambda: self._ask_address(wanted))
        except Unknown:
            return None

    async def is_in_any(self, person: str, groups: Sequence[str]) -> bool:
        """Whether the person is in one of these user groups, by id or handle.

        Raises Unknown where Slack cannot be asked and never could.
        """
        known = await self._groups.get("", self._ask_groups)
        for group in groups:
            number = known.get(group.lstrip("@"))
            if number and person in await self._members.get(number, self._asker(number)):
                return True
        return False

    def _asker(self, group: str) -> Callable[[], Awaitable[frozenset[str]]]:
        return lambda: self._ask_members(group)

    async def _ask_person(self, number: str) -> Member:
        asked = {"user": number, "include_locale": "true"}
        answer = await self._ask("users.info", asked, absent="user_not_found")
        user = answer.get("user")
        return _person(number, user if isinstance(user, dict) else {})

    async def _ask_address(self, email: str) -> str | None:
        asked = {"email": email}
        answer = await self._ask("users.lookupByEmail", asked, absent="users_not_found")
        user = answer.get("user")
        return str(user["id"]) if isinstance(user, dict) and user.get("id") else None

    async def _ask_groups(self) -> dict[str, str]:
        answer = await self._ask("usergroups.list", {})
        found = [each for each in answer.get("usergroups") or [] if isinstance(each, dict)]
        numbers = {str(each.get("id")): str(each.get("id")) for each in found}
        return numbers | {str(each.get("handle")): str(each.get("id")) for each in found}

    async def _ask_members(self, group: str) -> frozenset[str]:
        answer = await self._ask("usergroups.users.list", {"usergroup": group})
        return frozenset(str(each) for each in answer.get("users") or [])

    async def _ask(
        self, method: str, asked: Mapping[str, str], *, absent: str = ""
    ) -> Mapping[str, Any]:
        """What Slack answers; nothing where it knows nobody like that. Raises Unknown."""
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._api.look(method, asked)
        except TimeoutError:
            raise Unknown("Slack did not say in time who somebody is.") from None
        except DeliveryFailed as error:
            if absent and error.code == absent:
                return {}
            raise Unknown(f"Slack does not say who somebody is: {error}") from None
        return answer.data if isinstance(answer.data, dict) else {}


def _person(number: str, user: Mapping[str, Any]) -> Member:
    profile = user.get("profile")
    about: Mapping[str, Any] = profile if isinstance(profile, dict) else {}
    names = (
        about.get("display_name"),
        about.get("real_name"),
        user.get("real_name"),
        user.get("name"),
    )
    name = next((each for each in names if isinstance(each, str) and each.strip()), number)
    email = about.get("email")
    return Member(
        number,
        name.strip(),
        email if isinstance(email, str) and email else None,
        bot=bool(user.get("is_bot")),
        active=not user.get("deleted"),
        locale=_locale(user.get("locale")),
    )


def _locale(said: object) -> Locale | None:
    """Ours for Slack's, as `pt-BR` and `en-GB`: what matters is the language."""
    language = str(said).partition("-")[0]
    return next((each for each in get_args(Locale) if each.partition("-")[0] == language), None)


class _Kept(Generic[Found]):
    """Answers, kept for a while and of a bounded number; an old one beats none at all.

    While one caller asks, others who want the same wait for that answer.
    """

    def __init__(self, clock: Clock, lasting: timedelta) -> None:
        self._clock = clock
        self._lasting = lasting
        self._answers: OrderedDict[str, tuple[datetime, Found]] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[Found]]) -> Found:
        """The answer, asked for if it is not known or too old. Raises Unknown."""
        lock = self._asking.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return await self._fresh(key, ask)
        finally:
            if not lock.locked():
                self._asking.pop(key, None)

    async def _fresh(self, key: str, ask: Callable[[], Awaitable[Found]]) -> Found:
        now = self._clock.now()
        known = self._answers.get(key)
        if known and now - known[0] < self._lasting:
            return known[1]
        try:
            found = await ask()
        except Unknown:
            if known is None:
                raise
            return known[1]
        self._answers[key] = (now, found)
        self._answers.move_to_end(key)
        while len(self._answers) > _MOST:
            self._answers.popitem(last=False)
        return found
