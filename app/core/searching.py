"""What an incident is found by: the words of its texts, and one word for each label.

Texts are cut into words here and not by a database, so that SQLite and PostgreSQL find the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice

from app.core.alerts import Labels
from app.core.incidents import Incident, Note

MOST_WORDS = 16_000
"""Of one incident; PostgreSQL knows the places of no more."""

MOST_BYTES = 900_000
"""Of one incident's words in UTF-8, with their places: PostgreSQL's tsvector takes 1,048,575."""

MOST_ALERTS = 200
"""Of one incident, that it is found by. A storm may bring ten thousand, again and again: to read
them all each time would hold up the storm."""

MOST_LABELS = 20_000
"""Different ones of one incident."""

ANY_LABEL = "any"
"""Stands for the labels that an incident has beyond these: it is looked at for every label."""

_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r'"([^"]*)"?')
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])")
_RECEIVER = "\0receiver"  # no label can be called that
_LONGEST = 200  # characters of a word
_BESIDE = 3  # bytes that a tsvector keeps beside each different word, at most
_PLACE = 2  # bytes of each place where a word stands


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side; where `begun`, the last may be a word's beginning.

    `endings` are then all the words that begin so, where they are known and few.
    """

    words: tuple[str, ...]
    begun: bool
    endings: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What one incident is found by."""

    words: Sequence[str]
    labels: Sequence[str]

    def has(self, phrases: Iterable[Phrase]) -> bool:
        """Whether every phrase stands in it: what the index says of what it has already."""
        text = f" {' '.join(self.words)} "
        return all(f" {' '.join(p.words)}{'' if p.begun else ' '}" in text for p in phrases)


def words(text: str) -> list[str]:
    """Its letters and digits in words, without case and accents."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in apart if not unicodedata.combining(char))
    return [word[:_LONGEST] for word in _WORD.findall(text.casefold())]


def phrases(query: str) -> tuple[Phrase, ...]:
    """What somebody looks for: every word, begun or whole, and what is in quotes as it stands."""
    found = [Phrase(tuple(words(quoted)), begun=False) for quoted in _QUOTED.findall(query)]
    rest = _QUOTED.sub(" ", query).split()
    found += [Phrase(tuple(words(part)), begun=True) for part in rest]
    return tuple(phrase for phrase in found if phrase.words)


def label_word(name: str, value: str) -> str:
    """The word that stands for one label."""
    digest = blake2b(f"{name}\0{value}".encode("utf-8", "surrogatepass"), digest_size=8)
    return f"l{digest.hexdigest()}"


def receiver_word(name: str) -> str:
    """The word that stands for one of our receivers."""
    return label_word(_RECEIVER, name)


def document(
    incident: Incident, alerts: Sequence[tuple[Labels, Labels]], notes: Iterable[Note]
) -> Document:
    """`alerts` are the labels and annotations of its alerts, MOST_ALERTS of them at most.

    Annotations come last: where not all words have room, title, notes and labels have.
    """
    texts: dict[str, None] = {}
    pairs: dict[tuple[str, str], None] = {}
    for labels, said in ((incident.labels, incident.annotations), *alerts):
        pairs |= dict.fromkeys(labels.items())
        texts |= dict.fromkeys(said.values())
    names = {value for name, value in pairs if name == "alertname"}
    lines = [incident.title, *(_HUMP.sub(" ", name) for name in sorted(names))]
    lines += [note.text for note in notes if note.removed_at is None]
    lines += [f"{name} {value}" for name, value in pairs]
    found = chain.from_iterable(words(line) for line in (*lines, *texts))
    marks = [receiver_word(name) for name in incident.receivers]
    marks += [label_word(name, value) for name, value in pairs]
    if len(marks) > MOST_LABELS or incident.firing + incident.resolved > len(alerts):
        marks = [*marks[:MOST_LABELS], ANY_LABEL]
    return Document(_with_room(found), marks)


def _with_room(found: Iterable[str]) -> list[str]:
    """The first of these words: as many as have room in the index, of either database."""
    kept: list[str] = []
    known: set[str] = set()
    room = MOST_BYTES
    for word in islice(found, MOST_WORDS):
        room -= _PLACE
        if word not in known:
            known.add(word)
            room -= len(word.encode()) + _BESIDE
        if room < 0:
            break
        kept.append(word)
    return kept
