"""Silences: Alertmanager's own, as an incident knows them. There is no second kind of ours.

Sources: prometheus/alertmanager `silence/silence.go` and `api/v2/openapi.yaml`, 0.25 to 0.34.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

from app.core.alerts import Labels
from app.core.durations import format_duration
from app.core.matchers import Matcher
from app.errors import InvalidSilence

_MOST_MATCHERS = 100
_UNHEARD_OF = "\N{REPLACEMENT CHARACTER} a value that nobody uses"
_MARK = re.compile(r"(?: · )?Plantão #\d+(?: \S+)? \[plantao:([0-9a-f]{16})\]\Z")
_WARN_SHARE = 10
_SAME_WISH = timedelta(minutes=1)


class SilenceState(StrEnum):
    """What we know of a silence.

    A wanted one is to be made, and nobody knows yet whether Alertmanager has it. A doubtful
    one failed as far as its author was told, and may be there all the same.
    """

    WANTED = "wanted"
    DOUBTFUL = "doubtful"
    ACTIVE = "active"
    ENDED = "ended"
    NOT_MADE = "not made"


LIVE = frozenset({SilenceState.WANTED, SilenceState.DOUBTFUL, SilenceState.ACTIVE})


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence of Alertmanager's as one incident knows it. Times are in UTC.

    `reference` is Alertmanager's id, `id` our number (0 until it is stored), `token` our mark in
    its comment. `here` says that it was made from here for this incident. `muted` counts the
    incident's firing alerts that it mutes. `ending_by` is who is about to end it. Since
    `unknown_since` Alertmanager has not answered. `problem` says why a wanted one is not made
    yet, and `due_at` when that is tried again; without a problem, its author still waits.
    """

    incident: int
    matchers: tuple[Matcher, ...]
    by: str
    comment: str
    starts_at: datetime
    ends_at: datetime
    state: SilenceState = SilenceState.WANTED
    id: int = 0
    token: str = ""
    reference: str | None = None
    link: str = ""
    here: bool = True
    muted: int = 0
    warned: bool = False
    ending_by: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    unknown_since: datetime | None = None
    due_at: datetime | None = None
    problem: str = ""

    @property
    def mutes_now(self) -> bool:
        return self.state is SilenceState.ACTIVE

    @property
    def waits(self) -> bool:
        """Whether it is made as soon as Alertmanager answers, as its author was told."""
        return self.state is SilenceState.WANTED and bool(self.problem)

    def mutes(self, labels: Labels) -> bool:
        return mutes(self.matchers, labels)

    def warns_at(self, longest: timedelta) -> datetime:
        """When its end is near: `longest` before it, or a tenth of its time if that is less."""
        return self.ends_at - min(longest, (self.ends_at - self.starts_at) / _WARN_SHARE)


@dataclass(frozen=True, slots=True)
class ListedSilence:
    """A silence as Alertmanager lists it; `state` is active, pending or expired. UTC."""

    reference: str
    matchers: tuple[Matcher, ...]
    by: str
    comment: str
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    state: str

    @property
    def active(self) -> bool:
        return self.state == "active"

    @property
    def token(self) -> str:
        """Our mark, "" where it bears none."""
        found = _MARK.search(self.comment)
        return found[1] if found else ""

    @property
    def reason(self) -> str:
        """The comment without our mark."""
        return _MARK.sub("", self.comment)


def mutes(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether a silence with these matchers mutes an alert with these labels."""
    return all(matcher.matches(labels) for matcher in matchers)


def is_same_wish(known: Silence, wanted: Silence) -> bool:
    """Whether this was asked for a moment ago: a second press, or a call that was repeated."""
    return (
        known.state in {SilenceState.ACTIVE, SilenceState.WANTED}
        and (known.by, set(known.matchers)) == (wanted.by, set(wanted.matchers))
        and abs(known.ends_at - wanted.ends_at) <= _SAME_WISH
        and wanted.starts_at - known.starts_at <= _SAME_WISH
    )


def page(base: str, reference: str) -> str:
    """Where Alertmanager shows a silence, below the address of its pages (which has no user)."""
    return f"{base.rstrip('/')}/#/silences/{quote(reference, safe='')}"


def marked_comment(silence: Silence, page: str) -> str:
    """Why, for which incident, and our mark, by which the silence is found again after a crash."""
    mark = f"Plantão #{silence.incident} {page} [plantao:{silence.token}]"
    return f"{silence.comment} · {mark}" if silence.comment else mark


def check(matchers: Sequence[Matcher], *, ends_at: datetime, now: datetime) -> None:
    """Raise InvalidSilence for what mutes anything at all, and for an end that is no end."""
    if not matchers:
        raise InvalidSilence('A silence needs a matcher, such as alertname="KafkaLag".')
    if len(matchers) > _MOST_MATCHERS:
        raise InvalidSilence(f"A silence has at most {_MOST_MATCHERS} matchers.")
    if not any(_names_something(matcher) for matcher in matchers):
        raise InvalidSilence(
            "These matchers would silence alerts of every kind: add one that names a value, "
            'such as alertname="KafkaLag".'
        )
    if ends_at <= now:
        raise InvalidSilence("The silence would end in the past: give a later end.")


def check_length(length: timedelta, *, longest: timedelta) -> None:
    """Raise InvalidSilence for a silence that would be forgotten before it ends."""
    if length > longest:
        raise InvalidSilence(
            f"A silence may last at most {format_duration(longest)} (silences.longest in "
            "plantao.yml): give an earlier end."
        )


def _names_something(matcher: Matcher) -> bool:
    """Whether it asks for values of its own: neither for none nor for any.

    Alertmanager itself refuses only a set that matches the empty label set.
    """
    return not matcher.matches({}) and not matcher.matches({matcher.name: _UNHEARD_OF})
