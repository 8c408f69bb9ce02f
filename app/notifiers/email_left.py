"""Mails that some of their recipients did not take while others did: kept, and tried again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.errors import Ambiguous, DeliveryFailed, TryLater
from app.notifiers.notifier import Unreached
from app.notifiers.smtp import Letter

_PAUSE = 30.0  # seconds after the first refusal, then twice as long each time
_TRIES = 7  # so that the last comes after half an hour: greylisting takes five minutes
_MOST = 1_000  # threads


@dataclass(frozen=True, slots=True)
class _Left:
    """One recipient's mail, and why it was not taken. `again`: it may be, later."""

    letter: Letter
    why: str
    again: bool
    tries: int = 1


class Leftovers:
    """By thread, which its root's reference names. In memory: a restart forgets them."""

    def __init__(self) -> None:
        self._threads: OrderedDict[str, list[_Left]] = OrderedDict()

    def add(self, thread: str, refused: Mapping[Letter, DeliveryFailed]) -> None:
        """A new mail of the thread was refused by these, and taken by all others."""
        waiting = [each for each in self._threads.pop(thread, []) if each.again]
        new = [_Left(letter, str(error), _worth_a_try(error)) for letter, error in refused.items()]
        self._keep(thread, [*waiting, *new])

    def due(self, thread: str) -> Sequence[Letter]:
        """What is to be tried again, the oldest first."""
        return [each.letter for each in self._threads.get(thread, ()) if each.again]

    def tried(self, thread: str, refused: Mapping[Letter, DeliveryFailed]) -> None:
        """What was due was tried again; these did not take it."""
        left = []
        for each in self._threads.pop(thread, []):
            error = refused.get(each.letter)
            if not each.again:
                left.append(each)
            elif error is not None:
                again = _worth_a_try(error) and each.tries + 1 < _TRIES
                left.append(replace(each, why=str(error), again=again, tries=each.tries + 1))
        self._keep(thread, left)

    def unreached(self, thread: str) -> Unreached | None:
        """Who lacks something of this thread, and why; None where nobody does."""
        left = self._threads.get(thread)
        if not left:
            return None
        whys = {each.letter.recipient: each.why for each in left}
        why = " ".join(f"{recipient}: {why}" for recipient, why in whys.items())
        tries = min((each.tries for each in left if each.again), default=0)
        return Unreached(why, _PAUSE * 2 ** (tries - 1) if tries else None)

    def _keep(self, thread: str, left: list[_Left]) -> None:
        if left:
            self._threads[thread] = left
        while len(self._threads) > _MOST:
            self._threads.popitem(last=False)


def _worth_a_try(error: DeliveryFailed) -> bool:
    """Who perhaps has the mail gets it once more: the same Message-ID makes that harmless."""
    return isinstance(error, TryLater | Ambiguous)
