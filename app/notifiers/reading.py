"""What of a notice is read first, the same for every transport. The text is still untrusted."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.alerts import severity_rank
from app.core.notices import Look, Notice
from app.notifiers.text import clean, one_line

_ENDED = {Look.RESOLVED: "#1a7f37", Look.NO_LONGER_REPORTED: "#8c959f"}
_OPEN = {Look.UNCONFIRMED: "#e8710a", Look.ACKNOWLEDGED: "#d4a72c"}
_BY_RANK = ("#0969da", "#0969da", "#fb8f44", "#cf222e", "#cf222e")

#: Annotations that are shown elsewhere: as title, summary or link.
_SHOWN_ELSEWHERE = frozenset(
    {"summary", "title", "message", "runbook_url", "runbook", "dashboard_url", "dashboard"}
)
_ANNOTATIONS = 4


def colour(notice: Notice) -> str:
    """Of the bar beside a message, as `#rrggbb`. Sign and status say the same without it."""
    fixed = _ENDED.get(notice.look) or _OPEN.get(notice.look)
    return fixed or _BY_RANK[severity_rank(notice.incident.severity)]


def explanation(notice: Notice) -> str:
    """What is wrong, beyond what the title says already: any number of lines, perhaps none."""
    title = one_line(notice.incident.title)
    for text in (notice.summary, _notes(notice).get("description", "")):
        if text.strip() and one_line(text) not in title:
            return clean(text).strip()
    return ""


def readable(notice: Notice, *, without: str = "") -> list[str]:
    """What else the annotations tell, the description first; but not the text `without`."""
    notes = _notes(notice)
    names = sorted(notes, key=lambda name: (name != "description", name))
    worth = [n for n in names if n not in _SHOWN_ELSEWHERE and not n.startswith("__")]
    pairs = [(name, clean(notes[name]).strip()) for name in worth]
    told = [(name, text) for name, text in pairs if text and text != without]
    return [
        text if name == "description" else f"{one_line(name)}: {text}"
        for name, text in told[:_ANNOTATIONS]
    ]


def _notes(notice: Notice) -> Mapping[str, str]:
    """Those that all alerts share; without any, those of the first."""
    first = notice.alerts[0].alert.annotations if notice.alerts else {}
    shared = notice.incident.annotations
    return {**first, **shared} if notice.incident.total <= 1 else shared or first
