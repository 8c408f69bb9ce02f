"""What was asked of Slack, and what it answered, in order."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]


@dataclass
class Entry:
    """One request. `took_effect` is what happened in Slack, `answer` what was meant as its answer;
    with a fault of the connection the client saw less, or nothing."""

    number: int
    at: float
    method: str
    arguments: JsonObject
    status: int = 0
    answer: JsonObject | None = None
    fault: str | None = None
    took_effect: bool = False

    @property
    def ok(self) -> bool:
        return bool(self.answer and self.answer.get("ok"))


class JournalFile:
    """Appends each finished entry as one line of JSON, written through at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def append(self, entry: Entry) -> None:
        self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read_journal(path: Path) -> list[Entry]:
    """The entries of a journal file; a line cut by a crash is left out."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(Entry(**json.loads(line)))
        except ValueError:
            continue
    return entries
