"""Incidents found by words and labels, in the index that `texts.py` keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sqlalchemy as sa

from app.core.searching import ANY_LABEL, Phrase
from app.store import texts
from app.store.database import Transaction
from app.store.tables import IncidentRow, TextRow, table

_incidents = table(IncidentRow)
_texts = table(TextRow)

_MOST_ENDINGS = 16
_NARROW = 20_000  # incidents

Within: TypeAlias = tuple[int, int] | None
"""Between which incidents is looked; None: all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: all of the phrases, and of each group of marks (label words) one.

    Marks say perhaps only: look at the labels to be sure. Where there are phrases, `unindexed`
    says for incidents that the index does not have as they are now whether they have these.
    """

    phrases: Sequence[Phrase]
    marks: Sequence[Sequence[str]]
    unindexed: Mapping[int, bool]

    @property
    def fitting(self) -> list[int]:
        return [number for number, fits in self.unindexed.items() if fits]


def asked_for(
    tx: Transaction, phrases: Sequence[Phrase], marks: Sequence[Sequence[str]]
) -> Asked | None:
    """Prepare to look for these, once for all steps of a search; None where nothing is asked."""
    if not phrases:
        return Asked((), marks, {}) if marks else None
    found = {number: each.has(phrases) for number, each in texts.unindexed(tx).items()}
    return Asked(_completed(tx, phrases), marks, found)


def having(tx: Transaction, asked: Asked, within: Within = None) -> sa.ColumnElement[bool]:
    """Whether an incident has what is asked for; the index is read `within` these."""
    number = _incidents.c.id
    if tx.dialect.name == "sqlite" and _is_read_sooner(asked, within):
        known: sa.ColumnElement[bool] = _saying(asked.phrases)
    else:
        known = number.in_(_indexed(tx, asked, within))
    if not asked.phrases:
        return known | _is_new(tx)
    return known & number.not_in(list(asked.unindexed)) | number.in_(asked.fitting)


def some_having(tx: Transaction, asked: Asked, limit: int) -> list[int]:
    """At most so many incidents with what is asked for; on SQLite, whose planner needs it."""
    known = tx.scalars(_matching(asked, None, limit))
    found = {number for number in known if asked.unindexed.get(number, True)}
    if not asked.phrases:
        found.update(tx.scalars(sa.select(_incidents.c.id).where(_is_new(tx)).limit(limit)))
    return list(found.union(asked.fitting))[:limit]


def _is_new(tx: Transaction) -> sa.ColumnElement[bool]:
    return _incidents.c.change > texts.indexed(tx)


def _indexed(tx: Transaction, asked: Asked, within: Within) -> Any:
    if tx.dialect.name == "sqlite":
        return _matching(asked, within)
    conditions = [_has("labels", " | ".join((*marks, ANY_LABEL))) for marks in asked.marks]
    if asked.phrases:
        conditions.append(_has("words", " & ".join(map(_tsquery, asked.phrases))))
    return sa.select(_texts.c.incident_id).where(*conditions)


# --- SQLite's words


def _matching(asked: Asked, within: Within, limit: int = -1) -> sa.TextClause:
    """One question to FTS5: it finds what several of them share much faster than SQLite does."""
    parts = [f"labels : ({' OR '.join((*marks, ANY_LABEL))})" for marks in asked.marks]
    parts += [f"words : {_fts(phrase)}" for phrase in asked.phrases]
    low, high = within or (0, 2**62)
    return sa.text(
        "SELECT rowid FROM search WHERE search MATCH :asked AND rowid BETWEEN :low AND :high"
        " LIMIT :most"
    ).bindparams(
        sa.bindparam("most", limit, unique=True),
        sa.bindparam("asked", " AND ".join(parts), unique=True),
        sa.bindparam("low", low, unique=True),
        sa.bindparam("high", high, unique=True),
    )


def _is_read_sooner(asked: Asked, within: Within) -> bool:
    """Whether a few incidents' own words are read sooner than all that a begun word may be."""
    if within is None or within[1] - within[0] > _NARROW:
        return False
    return any(phrase.begun and phrase.endings is None for phrase in asked.phrases)


def _saying(phrases: Sequence[Phrase]) -> sa.ColumnElement[bool]:
    """Whether the words that the index keeps for an incident have these: as `Document.has`."""
    words = sa.literal(" ").concat(_texts.c.words).concat(" ")
    said = [
        sa.func.instr(words, f" {' '.join(each.words)}{'' if each.begun else ' '}") > 0
        for each in phrases
    ]
    return sa.exists().where(_texts.c.incident_id == _incidents.c.id, *said)


def _completed(tx: Transaction, phrases: Sequence[Phrase]) -> tuple[Phrase, ...]:
    """The same, with the words that a begun one may be: on SQLite, which reads all that begin so
    before it gives the first, and gives what has one of a few words as it comes to it."""
    if tx.dialect.name != "sqlite":
        return tuple(phrases)
    return tuple(
        replace(each, endings=_endings(tx, each.words[-1])) if each.begun else each
        for each in phrases
    )


def _endings(tx: Transaction, beginning: str) -> tuple[str, ...] | None:
    """The words in the index that begin so; None if they are many."""
    found: list[str] = []
    next_ = beginning
    while len(found) <= _MOST_ENDINGS:
        word = tx.scalar(_WORD_FROM, {"beginning": next_})
        if word is None or not word.startswith(beginning):
            return tuple(found)
        found.append(word)
        next_ = f"{word}0"  # no letter or digit comes before: the least that can follow
    return None


_WORD_FROM = sa.text("SELECT term FROM search_words WHERE term >= :beginning LIMIT 1")


def _fts(phrase: Phrase) -> str:
    if phrase.endings:
        *before, _ = phrase.words
        return f"({' OR '.join(_quoted((*before, last)) for last in phrase.endings)})"
    return _quoted(phrase.words) + (" *" if phrase.begun and phrase.endings is None else "")


def _quoted(words: Sequence[str]) -> str:
    return f'"{" ".join(words)}"'


# --- PostgreSQL's


def _has(column: str, query: str) -> sa.TextClause:
    asked = sa.text(f"{column} @@ CAST(:query AS tsquery)")
    return asked.bindparams(sa.bindparam("query", query, unique=True))


def _tsquery(phrase: Phrase) -> str:
    *before, last = phrase.words
    return " <-> ".join([*(f"'{word}'" for word in before), f"'{last}'{':*' * phrase.begun}"])
