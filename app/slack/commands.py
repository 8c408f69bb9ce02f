"""`/plantao …` and `@plantao …`: the same commands, answered where they were given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from app.core.events import Acknowledged, NoteAdded, Unacknowledged
from app.core.incidents import Incident, Status
from app.core.notices import Notice
from app.engine.outlook import Outlook
from app.errors import PlantaoError
from app.notifiers import slack_blocks
from app.notifiers.mrkdwn import section
from app.notifiers.wording import N_
from app.slack import grammar, listing
from app.slack.answering import Talk, talk_of
from app.slack.directory import Directory
from app.slack.doing import Doer
from app.slack.grammar import Command
from app.slack.interactions import Interactions
from app.slack.requests import Commanded, Mentioned
from app.slack.silences import Silences
from app.store import incidents, postings, queries
from app.store.database import Database, Transaction

_LISTED = 15
_LOOKED_AT = 500

_HELP = N_(
    "• `list`: the open incidents, the worst first\n"
    "• `show 7`: one incident\n"
    "• `ack 7`, `unack 7`: take it on, hand it back\n"
    "• `resolve 7`: end it, once nothing fires any more\n"
    "• `note 7 text`: keep something in its timeline\n"
    "• `silence 7 2h why`: silence its alerts in Alertmanager\n"
    "• `who`: who is on call\n"
    "In a thread of an incident, mention me and leave out the number."
)
_WHO = N_("On-call schedules are not set up here yet: there is nobody to name.")
_NO_INCIDENT_HERE = N_("This is not the thread of an incident: say its number.")
_NOTHING_OPEN = N_("🟢 No incident is open.")


class Commands:
    def __init__(
        self,
        doer: Doer,
        db: Database,
        *,
        interactions: Interactions,
        silences: Silences,
        directory: Directory,
        outlook: Callable[[], Outlook],
    ) -> None:
        self._doer = doer
        self._interactions = interactions
        self._silences = silences
        self._directory = directory
        self._db = db
        self._outlook = outlook

    async def commanded(self, request: Commanded) -> None:
        """A slash command, answered to the person alone."""
        await self._run(talk_of(request), grammar.parse(request.text))

    async def mentioned(self, request: Mentioned) -> None:
        """A mention, answered in its thread."""
        talk = talk_of(request)
        in_thread = bool(request.spot.thread)
        command = grammar.parse(request.text, in_thread=in_thread)
        await self._run(talk, command)

    async def _run(self, talk: Talk, command: Command) -> None:
        number = getattr(command, "incident", None)
        try:
            if number == grammar.HERE:
                number = await self._here(talk)
            await self._do(talk, command, number or 0)
        except _NoIncidentHere:
            await self._say(talk, _NO_INCIDENT_HERE)
        except PlantaoError as error:
            await self._doer.explain(talk, number or 0, error)

    async def _here(self, talk: Talk) -> int:
        found = await self._db.read(postings.incident_at, f"{talk.channel}:{talk.thread}")
        if found is None:
            raise _NoIncidentHere
        return found

    async def _do(self, talk: Talk, command: Command, number: int) -> None:
        match command:
            case grammar.Help() | grammar.Who():
                await self._say(talk, _WHO if isinstance(command, grammar.Who) else _HELP)
            case grammar.List():
                await self._list(talk)
            case grammar.Show():
                await self._show(talk, number)
            case grammar.Acknowledge():
                await self._act(talk, number, Acknowledged, N_("You have acknowledged #{number}."))
            case grammar.Unacknowledge():
                await self._act(talk, number, Unacknowledged, N_("You have handed back #{number}."))
            case grammar.Resolve():
                if await self._interactions.resolve(talk, number):
                    await self._tell(talk, number, N_("You have resolved #{number}."))
            case grammar.Note(_, said):
                text = await self._directory.plain(said)
                told = N_("Your note stands in the timeline of #{number}.")
                await self._act(talk, number, lambda by: NoteAdded(by, text), told)
            case grammar.Silence(_, lasting, said):
                why = await self._directory.plain(said)
                await self._silences.at_once(talk, number, lasting, why)
            case _:
                assert_never(command)

    async def _act(self, talk: Talk, number: int, event: Any, told: str) -> None:
        """What was done is said, to them alone; in a thread the root says it to all."""
        if await self._doer.try_to(talk, number, event):
            await self._tell(talk, number, told)

    async def _tell(self, talk: Talk, number: int, told: str) -> None:
        if not talk.openly:
            await self._doer.answers.tell(talk, lambda words: words.say(told, number=number))

    async def _say(self, talk: Talk, message: str) -> None:
        await self._doer.answers.tell(talk, lambda words: words.say(message))

    async def _list(self, talk: Talk) -> None:
        found, total = await self._db.read(open_incidents)
        words = await self._doer.answers.words(talk)
        if not found:
            await self._say(talk, _NOTHING_OPEN)
            return
        outlook = self._outlook()
        blocks = listing.listed(
            words,
            outlook.masked(found),
            most=_LISTED,
            total=total,
            public_url=outlook.public_url,
            now=self._doer.clock.now(),
        )
        title = words.count("{count} open incident", "{count} open incidents", total)
        body = {"text": title, "blocks": [section(f"*{title}*"), *blocks]}
        await self._doer.answers.show(talk, body, words)

    async def _show(self, talk: Talk, number: int) -> None:
        outlook = self._outlook()

        def load(tx: Transaction) -> Notice:
            return outlook.notice(tx, incidents.get(tx, number))

        notice = await self._db.read(load)
        words = await self._doer.answers.words(talk)
        body: Mapping[str, Any] = slack_blocks.root(words, notice, buttons=True)
        await self._doer.answers.show(talk, body, words)


class _NoIncidentHere(PlantaoError):
    """A number was left out where no incident is shown."""


def open_incidents(tx: Transaction) -> tuple[list[Incident], int]:
    """Open incidents, the worst first, and how many there are in all."""
    statuses = [Status.TRIGGERED.value, Status.ACKNOWLEDGED.value]
    found = queries.find(tx, queries.Search(statuses=statuses, limit=_LOOKED_AT))
    return listing.by_severity(found), queries.count_open(tx)
