"""Notes from the thread: a person's message that is marked, for as long as it is.

An event only says where to look: what Slack then shows of the message decides, so that events
that come twice, late or out of order lead to the same.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import structlog

from app.core.events import NoteAdded, NoteEdited, NoteRemoved, NoteSource
from app.core.incidents import Note
from app.core.notes import by_source
from app.core.person import Person
from app.engine.policy import PolicyInForce
from app.errors import DeliveryFailed, NotApplicable, PlantaoError, Repeated, TryLater
from app.notifiers.mrkdwn import section
from app.notifiers.wording import N_
from app.slack import modals
from app.slack.answering import Talk, talk_of
from app.slack.directory import Directory
from app.slack.doing import Doer
from app.slack.messages import Messages, Written
from app.slack.requests import Marked, Pressed, Reacted, Rewritten, Spot
from app.store import incidents, postings
from app.store.database import Database, Transaction

ADD, REMOVE = "timeline.add", "timeline.remove"

_NOT_HERE = N_("Only messages that people write in the thread of an incident can become notes.")
_ADDED = N_("It stands in the timeline of #{number}, and follows when the message is edited.")
_REMOVED = N_("It no longer stands in the timeline of #{number}.")
_LATER = N_("Slack does not show me the message just now: try again.")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Noted:
    """The incident in whose thread a message stands, and what is noted of the message."""

    incident: int
    note: Note | None

    @property
    def there(self) -> bool:
        return self.note is not None and self.note.removed_at is None


class Marks:
    def __init__(
        self,
        doer: Doer,
        db: Database,
        messages: Messages,
        directory: Directory,
        policy: PolicyInForce,
    ) -> None:
        self._doer = doer
        self._db = db
        self._messages = messages
        self._directory = directory
        self._policy = policy

    async def reacted(self, request: Reacted) -> None:
        """A reaction came or went: with one of ours there is a note, without none."""
        if _name(request.emoji) != self._emoji:
            return
        talk = Talk(request.once, request.caller, request.spot.channel)
        try:
            written = await self._messages.read(request.spot, patient=True)
            noted = await self._noted_soon(written.spot) if written else None
            if written is None or noted is None or not written.author.id:
                return
            talk = Talk(request.once, request.caller, written.spot.channel, written.spot.thread)
            if self._emoji in {_name(each) for each in written.emoji}:
                await self._keep(talk, noted, written)
            elif noted.there:
                await self._remove(talk, noted.incident, written.spot)
        except DeliveryFailed as error:
            log.warning("a marked message could not be read", code=error.code)
        except PlantaoError as error:
            await self._doer.explain(talk, 0, error)

    async def rewritten(self, request: Rewritten) -> None:
        """A message was edited or deleted: what is noted of it follows."""
        noted = await self._noted(request.spot)
        if noted is None or not noted.there or noted.note is None:
            return
        author = Person(noted.note.author)
        key = key_of(request.spot)
        try:
            written = await self._messages.read(request.spot, patient=True)
            if written is None:
                removed = NoteRemoved(author, key)
                await self._doer.actions.act(noted.incident, removed, once=request.once)
            else:
                await self._edit(request.once, noted, written)
        except (NotApplicable, Repeated):
            pass  # it was removed meanwhile, or is as it should be
        except DeliveryFailed as error:
            log.warning("an edited message could not be read", code=error.code)

    async def asked(self, request: Marked) -> None:
        """The shortcut makes it a note; the answer has a button that takes this back."""
        talk = talk_of(request)
        try:
            written = await self._messages.read(request.spot)
            noted = await self._noted(written.spot) if written else None
            if request.action != ADD or written is None or noted is None or not written.author.id:
                await self._doer.answers.tell(talk, lambda words: words.say(_NOT_HERE))
                return
            await self._keep(talk, noted, written)
        except DeliveryFailed:
            await self._doer.answers.tell(talk, lambda words: words.say(_LATER))
        except PlantaoError as error:
            await self._doer.explain(talk, 0, error)
        else:
            await self._confirm(talk, noted.incident, written.spot)

    async def unmarked(self, request: Pressed) -> None:
        """The button in the shortcut's answer."""
        talk = talk_of(request)
        number, _, key = request.value.partition(" ")
        incident = modals.number(number)
        done = await self._doer.try_to(talk, incident, lambda by: NoteRemoved(by, key))
        if done:
            await self._doer.answers.tell(talk, lambda words: words.say(_REMOVED, number=incident))

    async def _confirm(self, talk: Talk, incident: int, spot: Spot) -> None:
        words = await self._doer.answers.words(talk)
        told = words.say(_ADDED, number=incident)
        remove = modals.button(words.say("Remove"), REMOVE, f"{incident} {key_of(spot)}")
        await self._doer.answers.show(
            talk, {"text": told, "blocks": [section(told), modals.row(remove)]}, words
        )

    async def _keep(self, talk: Talk, noted: _Noted, written: Written) -> None:
        if noted.there:
            await self._edit(talk.once, noted, written)
            return
        author = await self._directory.member(written.author)
        source = NoteSource(
            key_of(written.spot),
            author.name,
            written.at,
            await self._messages.permalink(written.spot),
            thread=f"{written.spot.channel}:{written.spot.root}",
        )
        text = await self._plain(written)
        await self._doer.act(talk, noted.incident, lambda by: NoteAdded(by, text, source))

    async def _edit(self, once: str, noted: _Noted, written: Written) -> None:
        author = await self._directory.member(written.author)
        event = NoteEdited(author.person, key_of(written.spot), await self._plain(written))
        await self._doer.actions.act(noted.incident, event, once=once)

    async def _remove(self, talk: Talk, incident: int, spot: Spot) -> None:
        await self._doer.act(talk, incident, lambda by: NoteRemoved(by, key_of(spot)))

    async def _plain(self, written: Written) -> str:
        text = await self._directory.plain(written.text)
        return text or ", ".join(written.files) or "…"

    async def _noted_soon(self, spot: Spot) -> _Noted | None:
        """As `_noted`, with patience: a root can be seen before it is stored that it is ours."""

        async def look() -> _Noted:
            if (noted := await self._noted(spot)) is None:
                raise TryLater("This thread is none of ours, as far as is known.")
            return noted

        if not spot.thread or spot.thread == spot.ts:
            return None
        with suppress(TryLater):
            return await self._messages.patiently(look)
        return None

    async def _noted(self, spot: Spot) -> _Noted | None:
        """What is noted of a message; None where it stands in no thread of ours."""
        root, key = f"{spot.channel}:{spot.thread}", key_of(spot)

        def load(tx: Transaction) -> _Noted | None:
            number = postings.incident_at(tx, root) if spot.thread != spot.ts else None
            if number is None:
                return None
            known = incidents.with_notes(tx, incidents.get(tx, number))
            return _Noted(number, by_source(known, key))

        return await self._db.read(load) if spot.thread else None

    @property
    def _emoji(self) -> str:
        return self._policy.current.config.slack.note_emoji


def key_of(spot: Spot) -> str:
    """How a note names the message it was first written as."""
    return f"slack:{spot.channel}:{spot.ts}"


def _name(emoji: str) -> str:
    """Without the tone of the skin."""
    return emoji.partition("::")[0]
