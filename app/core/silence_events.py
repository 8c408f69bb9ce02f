"""What can happen to an incident's silences. Each event holds the silence as it is after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from app.core.silences import Silence


@dataclass(frozen=True, slots=True)
class Silenced:
    """A person silenced alerts of the incident from here, and Alertmanager has the silence."""

    silence: Silence


@dataclass(frozen=True, slots=True)
class SilenceFound:
    """Alertmanager has a silence, made elsewhere, that mutes alerts of the incident."""

    silence: Silence


@dataclass(frozen=True, slots=True)
class SilenceChanged:
    """It is no longer as it was: another end, other alerts muted, known or unknown again."""

    silence: Silence
    before: Silence


@dataclass(frozen=True, slots=True)
class SilenceExpiring:
    """It ends soon, and alerts that it mutes still fire."""

    silence: Silence


@dataclass(frozen=True, slots=True)
class SilenceEnded:
    """It is over: at its time, or `early`, by `ended_by` or by somebody elsewhere (None)."""

    silence: Silence
    early: bool


@dataclass(frozen=True, slots=True)
class SilenceDelayed:
    """It is made as soon as Alertmanager answers; that was asked for."""

    silence: Silence


@dataclass(frozen=True, slots=True)
class SilenceNotMade:
    """It was to be made later, and will not be, for the reason in `problem`."""

    silence: Silence


SilenceEvent: TypeAlias = (
    Silenced
    | SilenceFound
    | SilenceChanged
    | SilenceExpiring
    | SilenceEnded
    | SilenceDelayed
    | SilenceNotMade
)
