"""The repository's own runbooks: one Markdown page for each alert, read once at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OURS = Path(__file__).parents[2] / "runbooks"

_FIRST_STEPS = re.compile(
    r"^#+\s*First steps\s*$(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_STEP = re.compile(r"^\s*(?:[-*]|\d+[.)])\s+(.*\S)")
_MOST_STEPS = 5


@dataclass(frozen=True, slots=True)
class Runbooks:
    """Pages by alert name. Names come from outside, so they are looked up, never opened."""

    pages: Mapping[str, str]

    @staticmethod
    def read(directory: Path = OURS) -> Runbooks:
        """All pages of a directory; none if there is no such directory."""
        return Runbooks({p.stem: p.read_text("utf-8") for p in sorted(directory.glob("*.md"))})

    def first_steps(self, name: str) -> tuple[str, ...]:
        """The list below "First steps", at most five of them, as plain lines."""
        section = _FIRST_STEPS.search(self.pages.get(name, ""))
        lines = section[1].splitlines() if section else []
        return tuple(found[1] for line in lines if (found := _STEP.match(line)))[:_MOST_STEPS]
