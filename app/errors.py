"""Every error Plantão raises on purpose; each says whether trying again can help.

PlantaoError
├── ConfigError            the configuration cannot be used; a person must edit it
├── Unreadable             a webhook body is not a notification; kept in quarantine
├── StoreUnavailable       nothing was written; the sender should try again
├── Misused                a command asked for something that makes no sense
├── NotFound               no such incident, receipt or posting
├── LinkRefused            a signed link that we did not sign
│   └── LinkExpired        a signed link that is too old
├── NotApplicable          the action does not fit the incident's present state
│   └── RevisionConflict   somebody else changed the incident first
├── Repeated               this very request has been dealt with already
├── TooManyFollow          as many follow the live stream as there is room for
├── InvalidSilence         what was asked for is no silence to be made; ask for another
├── KeyReused              an idempotency key was given to two different requests
├── NeighbourFailed        Alertmanager, Prometheus or MLflow gave no usable answer
│   ├── NeighbourRefused      it answered that it will not do what was asked
│   ├── NeighbourUnreachable  it did not answer in time; perhaps it did it all the same
│   └── Unanswerable       … although it is up: it has none to this question
└── DeliveryFailed         a message was not (or perhaps not) shown at its destination
    ├── Refused            the destination said no; the same request will fail again
    │   ├── ContentRefused     … because of what the message holds: say it more plainly
    │   └── DestinationDead    … because of where it should go: go elsewhere meanwhile
    ├── ReferenceLost      the message to edit is gone: post it anew
    ├── TryLater           nothing was shown; it may work later
    └── Ambiguous          it may have been shown: look before posting again
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class PlantaoError(Exception):
    """Base of all errors raised on purpose; `str()` is one readable sentence."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong in a configuration file; `line` counts from 1, None if unknown."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(PlantaoError):
    """The configuration cannot be used. `problems` holds every one that was found."""

    def __init__(self, *problems: ConfigProblem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Unreadable(PlantaoError):
    """The bytes are not a notification from Alertmanager (webhook version 4)."""


class StoreUnavailable(PlantaoError):
    """The database took nothing: disk full, locked or gone. Trying again can help."""


class Misused(PlantaoError):
    """The service says that what a command asked for makes no sense: a command's exit code 2."""


class NotFound(PlantaoError):
    """There is no such thing under this number."""


class LinkRefused(PlantaoError):
    """The link grants nothing: we did not sign it, or not like this."""


class LinkExpired(LinkRefused):
    """The link granted something once."""


class Obstacle(StrEnum):
    """Why an action does not fit, for those who say it in their reader's own words."""

    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    ALREADY_RESOLVED = "already_resolved"
    STILL_FIRING = "still_firing"
    NOTE_REMOVED = "note_removed"
    CHANGED_MEANWHILE = "changed_meanwhile"
    OTHER = "other"


class NotApplicable(PlantaoError):
    """The action does not fit the incident's present state.

    `obstacle` says why, `by` who had been faster and `at` when (UTC), where that is known;
    `firing` how many alerts still fire.
    """

    def __init__(
        self,
        message: str,
        obstacle: Obstacle = Obstacle.OTHER,
        *,
        by: str | None = None,
        at: datetime | None = None,
        firing: int = 0,
    ) -> None:
        super().__init__(message)
        self.obstacle = obstacle
        self.by = by
        self.at = at
        self.firing = firing


class RevisionConflict(NotApplicable):
    """The caller decided on a revision that is no longer the present one."""


class Repeated(PlantaoError):
    """This very request has been dealt with: its sender did not hear of it, or replays it."""


class TooManyFollow(PlantaoError):
    """As many follow the live stream as there is room for. Trying later can help."""


class InvalidSilence(PlantaoError):
    """A silence that would mute too much, nothing, or at the wrong time."""


class KeyReused(PlantaoError):
    """The same idempotency key came with a different request."""


class NeighbourFailed(PlantaoError):
    """A neighbour (Alertmanager, Prometheus, MLflow) gave no usable answer in time."""


class NeighbourRefused(NeighbourFailed):
    """It will not do what was asked, however often it is asked."""


class NeighbourUnreachable(NeighbourFailed):
    """It did not answer. `perhaps_done` says that it may have done what was asked."""

    def __init__(self, message: str, *, perhaps_done: bool) -> None:
        super().__init__(message)
        self.perhaps_done = perhaps_done


class Unanswerable(NeighbourFailed):
    """The neighbour is up and has no answer to this question; to others it may have."""


class DeliveryFailed(PlantaoError):
    """A message was not shown, or nobody knows whether it was.

    `code` is the destination's own word for it (Slack's `error`, an SMTP reply code).
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Refused(DeliveryFailed):
    """The destination said no, and will say no again to the same request."""


class ContentRefused(Refused):
    """The destination does not take this content; a plainer form may pass."""


class DestinationDead(Refused):
    """Nothing can be shown there until a person repairs it (channel gone, token revoked)."""


class ReferenceLost(DeliveryFailed):
    """The message that was to be edited or answered no longer exists."""


class TryLater(DeliveryFailed):
    """Nothing was shown; trying later can help. `after` is the destination's own wish."""

    def __init__(self, message: str, *, code: str = "", after: timedelta | None = None) -> None:
        super().__init__(message, code=code)
        self.after = after


class Ambiguous(DeliveryFailed):
    """The connection broke or timed out after sending: it may have been shown."""
