"""A file of orders: how the tests tell a running program to behave otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Orders:
    """Settings by name in a JSON file; whoever reads always finds a whole one."""

    def __init__(self, path: Path, **first: Any) -> None:
        self.path = path
        if first:
            self._write(first)

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found

    def change(self, **settings: Any) -> None:
        self._write({**self.read(), **settings})

    def _write(self, settings: dict[str, Any]) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(settings))
        draft.replace(self.path)
