"""What came of an action that a form asked for, in its reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from app.core.matchers import MatcherError
from app.core.notices import Notice
from app.errors import (
    InvalidSilence,
    NeighbourRefused,
    NeighbourUnreachable,
    NotApplicable,
    Obstacle,
    PlantaoError,
)
from app.notifiers.wording import Words, person


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an action, above everything else.

    With `ask`, it can be asked for once more: `resolve`, although alerts fire, or `silence`, as
    soon as Alertmanager answers. The rest is what was written, and must not be lost.
    """

    text: str
    good: bool = False
    ask: str = ""
    note: str = ""
    length: str = ""
    reason: str = ""


def well_done(words: Words) -> Answer:
    """What was asked for is done; the page itself shows what."""
    return Answer(words.say("Done. Everybody who follows this incident sees it."), good=True)


def refused(words: Words, error: PlantaoError, notice: Notice, form: Mapping[str, str]) -> Answer:
    """Why it was not done, and what can be done about it. What was written is kept."""
    text, ask = _why(words, error, notice)
    note, length, reason = (form.get(field, "") for field in ("text", "length", "reason"))
    again = ask if ask == form.get("do") else ""
    return Answer(text, ask=again, note=note, length=length, reason=reason)


def _why(words: Words, error: PlantaoError, notice: Notice) -> tuple[str, str]:
    """In words, and which action can be asked for once more, and then done."""
    match error:
        case NotApplicable(obstacle=Obstacle.STILL_FIRING):
            return obstacle(words, error, notice), "resolve"
        case NotApplicable():
            return obstacle(words, error, notice), ""
        case NeighbourUnreachable():
            return words.say(
                "Alertmanager does not answer. Nothing is sure to be changed."
            ), "silence"
        case NeighbourRefused():
            return words.say("Alertmanager did not take it. Try it on Alertmanager's own page."), ""
        case InvalidSilence() | MatcherError():
            return silence_problem(words, error), ""
        case _:
            return _other(words), ""


def _other(words: Words) -> str:
    return words.say("That can no longer be done: the incident is in another state.")


def obstacle(words: Words, error: NotApplicable, notice: Notice) -> str:
    """Why an action does not fit, in the reader's words: who was faster, and when."""
    incident = notice.incident
    at = words.moment(error.at, beside=incident.opened_at) if error.at else ""
    match error.obstacle:
        case Obstacle.ALREADY_RESOLVED if incident.resolved_by:
            who = person(incident.resolved_by)
            return words.say("Already resolved by {person}, {time}", person=who, time=at)
        case Obstacle.ALREADY_RESOLVED:
            return words.say("Already resolved, {time}", time=at)
        case Obstacle.ALREADY_ACKNOWLEDGED:
            who = person(incident.acknowledged_by or "")
            return words.say("Already acknowledged by {person}, {time}", person=who, time=at)
        case Obstacle.STILL_FIRING:
            return words.count(
                "{count} alert still fires. Silence it below, or resolve all the same?",
                "{count} alerts still fire. Silence them below, or resolve all the same?",
                error.firing,
            )
        case Obstacle.CHANGED_MEANWHILE if error.by:
            return words.say(
                "{person} was faster, {time}. Look again, then decide.",
                person=person(error.by),
                time=at,
            )
        case Obstacle.CHANGED_MEANWHILE:
            return words.say("The incident changed meanwhile. Look again, then decide.")
        case Obstacle.NOTE_REMOVED | Obstacle.OTHER:
            return _other(words)
        case _:
            assert_never(error.obstacle)


def silence_problem(words: Words, error: PlantaoError) -> str:
    """Why no such silence can be made."""
    match error:
        case MatcherError():
            return words.say("Alertmanager would not understand this: {why}", why=str(error))
        case NotApplicable():
            return words.say("No alert fires that could be silenced.")
        case _:
            return words.say("No such silence can be made from here.")
