"""What we say to one person in Slack: in the language of the channel, escaped for mrkdwn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from app.core.postings import Destination
from app.engine.policy import PolicyInForce
from app.errors import NotApplicable, NotFound, Obstacle, PlantaoError, StoreUnavailable
from app.notifiers.mrkdwn import calm
from app.notifiers.text import one_line
from app.notifiers.wording import N_, Words, matching, person, words
from app.store import postings
from app.store.database import Database
from app.values import Locale

_MOST = 1_000
_LONGEST = 1_000  # characters of a sentence of ours

#: What the engine refuses with, in its own words.
SENTENCES = (
    N_("These are not firing alerts of incident {number}: {names}."),
    N_("These matchers mute no firing alert of incident {number}."),
    N_('A silence needs a matcher, such as alertname="KafkaLag".'),
    N_("A silence has at most {most} matchers."),
    N_(
        "These matchers would silence alerts of every kind: add one that names a value, "
        'such as alertname="KafkaLag".'
    ),
    N_(
        "A silence may last at most {longest} (silences.longest in plantao.yml): "
        "give an earlier end."
    ),
    N_("Incident {number} is over: there is nothing to silence."),
    N_("No known alert of incident {number} fires now."),
    N_("Silence {number} is already over by {person}."),
    N_("Silence {number} is already over."),
    N_("Incident {number} has no silence {silence}."),
    N_("Note {note} was removed by {person}: write a new one."),
    N_("Incident {number} has no note from there."),
)


class Speech:
    """The words of each channel: those of the receiver that is shown there."""

    def __init__(self, db: Database, policy: PolicyInForce, *, locale: str, zone: str) -> None:
        self._db = db
        self._policy = policy
        self._locale = locale
        self._zone = zone
        self._known: OrderedDict[str, Destination] = OrderedDict()

    async def words(self, channel: str) -> Words:
        """The words of a channel, by its id; the service's own where nothing is shown."""
        destination = self._known.get(channel)
        if destination is None:
            destination = await self._look(channel)
        asked = self._policy.current.locale("", destination) if destination else None
        return words(asked or self._locale, self._zone)

    def of(self, locale: Locale | None) -> Words:
        """The words of a person's language; the service's own where that is not known."""
        return words(locale or self._locale, self._zone)

    async def _look(self, channel: str) -> Destination | None:
        try:
            found = await self._db.read(postings.shown_in, channel)
        except StoreUnavailable:
            return None
        if found is not None:
            self._known[channel] = found
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found


def obstacle(speech: Words, number: int, error: PlantaoError, *, now: datetime) -> str:
    """Why something was not done, as one sentence of mrkdwn."""
    match error:
        case NotApplicable():
            return calm(_not_applicable(speech, number, error, now), _LONGEST)
        case NotFound():
            return speech.say("There is no incident #{number}.", number=number)
        case StoreUnavailable():
            return speech.say(
                "It could not be stored just now, and nothing was changed: try again."
            )
        case _:
            return calm(sentence(speech, str(error)), _LONGEST)


def sentence(speech: Words, text: str) -> str:
    """What the engine says, in this language; what it does not know here stays as it is."""
    said = one_line(text)
    for message in SENTENCES:
        values = matching(message, said)
        if values is not None:
            return speech.say(message, **values)
    return said


def _not_applicable(speech: Words, number: int, error: NotApplicable, now: datetime) -> str:
    who = person(error.by) if error.by else ""
    when = brief(speech, error.at, now=now) if error.at else ""
    match error.obstacle:
        case Obstacle.ALREADY_ACKNOWLEDGED:
            form = N_("Incident #{number} is already acknowledged by {person} at {time}.")
        case Obstacle.ALREADY_RESOLVED if who:
            form = N_("Incident #{number} is already resolved by {person} at {time}.")
        case Obstacle.ALREADY_RESOLVED:
            form = N_("Incident #{number} is already resolved since {time}.")
        case Obstacle.STILL_FIRING:
            return speech.count(
                "Incident #{incident} still has {count} firing alert.",
                "Incident #{incident} still has {count} firing alerts.",
                error.firing,
                incident=number,
            )
        case Obstacle.CHANGED_MEANWHILE:
            form = N_("Incident #{number} has changed meanwhile: look again.")
        case _:
            return sentence(speech, str(error))
    return speech.say(form, number=number, person=who or "?", time=when or "?")


def brief(speech: Words, at: datetime, *, now: datetime) -> str:
    """The time of day; with the date where that is not today's."""
    zone = speech.timezone
    same_day = at.astimezone(zone).date() == now.astimezone(zone).date()
    if same_day:
        return speech.clock(at)
    return speech.say("{time} on {day}", time=speech.clock(at), day=speech.day(at))


Said = Callable[[Words], str]
"""What to say, once it is known in which language."""
