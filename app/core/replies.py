"""What is told in replies: what people should notice, once, and in as few words as will do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.core.incidents import NOTEWORTHY, Entry, EntryKind
from app.core.notes import news
from app.core.notices import LISTED

#: The key of an entry's data that names somebody in Slack whom it must reach.
MENTION = "mention"

#: Where the root cannot be edited, these would otherwise be seen by nobody.
_TOLD_WITHOUT_EDITS = frozenset(
    {
        EntryKind.ACKNOWLEDGED,
        EntryKind.UNACKNOWLEDGED,
        EntryKind.ASSIGNED,
        EntryKind.REPLIES_MUTED,
        EntryKind.REPLIES_UNMUTED,
    }
)
#: What must be known even where replies are muted.
_TOLD_THOUGH_MUTED = frozenset(
    {
        EntryKind.RESOLVED,
        EntryKind.NO_LONGER_REPORTED,
        EntryKind.REOPENED,
    }
)
_MERGED = frozenset({EntryKind.ALERTS_FIRING, EntryKind.ALERTS_RESOLVED, EntryKind.ALERTS_VANISHED})


def due(
    entries: Sequence[Entry], *, root: str | None, edits: bool, muted: bool
) -> tuple[Entry, ...]:
    """What a thread must still be told of these entries, of which it was told nothing yet.

    `root` is the reference of the thread's root: what was written in this thread is read
    there already. `edits` says whether the root can be edited, `muted` whether replies are
    muted now.
    """
    heard = _heard(news(entries, root), muted=muted)
    return tuple(coalesce(entry for entry in heard if is_told(entry, edits=edits)))


def _heard(entries: Sequence[Entry], *, muted: bool) -> list[Entry]:
    """Those that came while replies were not muted: from now back, each switch is undone."""
    heard: list[Entry] = []
    for entry in reversed(entries):
        if entry.kind is EntryKind.REPLIES_MUTED:
            muted = False
        if not muted or entry.kind in _TOLD_THOUGH_MUTED or entry.data.get(MENTION):
            heard.append(entry)
        if entry.kind is EntryKind.REPLIES_UNMUTED:
            muted = True
    return heard[::-1]


def is_told(entry: Entry, *, edits: bool) -> bool:
    """Whether people should notice this entry, as a reply in the thread."""
    if entry.kind in NOTEWORTHY or entry.data.get(MENTION):
        return True
    return not edits and entry.kind in _TOLD_WITHOUT_EDITS


def coalesce(entries: Iterable[Entry]) -> list[Entry]:
    """The same account, shorter: neighbours that tell the same of more alerts become one.

    The merged entry keeps the last number and time, so that it marks all of them as told.
    """
    merged: list[Entry] = []
    for entry in entries:
        last = merged[-1] if merged else None
        if last is not None and last.kind is entry.kind and entry.kind in _MERGED:
            merged[-1] = replace(entry, data={**entry.data, **_together(last, entry)})
        else:
            merged.append(entry)
    return merged


def _together(first: Entry, second: Entry) -> dict[str, object]:
    counts = [each.data.get("count") for each in (first, second)]
    names = [each.data.get("fingerprints") for each in (first, second)]
    listed = [name for some in names if isinstance(some, list) for name in some]
    return {
        "count": sum(count for count in counts if isinstance(count, int)),
        "fingerprints": list(dict.fromkeys(listed))[:LISTED],
    }
