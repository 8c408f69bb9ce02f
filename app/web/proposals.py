"""What a silence would mute, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.matchers import Matcher
from app.notifiers.wording import Words
from app.web.context import Context


@dataclass(frozen=True, slots=True)
class Mutable:
    """What a silence made now would mute: so many of the firing alerts here, and elsewhere."""

    matchers: Sequence[str]
    muted: int
    firing: int
    elsewhere: int


async def mutable(service: Context, incident: int, matchers: Sequence[Matcher] = ()) -> Mutable:
    """With these matchers, or those that are proposed; masked.

    Raises NotFound, NotApplicable, InvalidSilence.
    """
    found = await service.silencing.propose(incident, matchers=matchers)
    shown = service.outlook().masked([str(matcher) for matcher in found.matchers])
    return Mutable(shown, len(found.muted), found.firing, found.elsewhere)


def reach(words: Words, found: Mutable) -> str:
    """How much it would mute, in words."""
    here = words.count(
        "Mutes {muted} of {count} firing alert of this incident",
        "Mutes {muted} of {count} firing alerts of this incident",
        found.firing,
        muted=words.number(found.muted),
    )
    elsewhere = words.count(
        "and {count} of other incidents", "and {count} of other incidents", found.elsewhere
    )
    return f"{here}, {elsewhere}" if found.elsewhere else here
