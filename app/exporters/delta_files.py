"""The files that a Delta Lake table's log names, against what is stored.

Neither opening a table nor counting its rows looks at its files: one that was deleted or cut
short shows here first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.exporters.readings import Integrity

_LOG = "_delta_log"
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_CHUNK = 1000  # as many as S3 lists at once
_RETENTION = 7 * 86400.0  # Delta's own: readers may still need what is younger


@dataclass(slots=True)
class Inventory:
    """What is stored: the size in bytes and the age's moment (seconds since 1970) of each
    Parquet file by its path under the table, and the last checkpoint's version."""

    files: dict[str, tuple[int, float]] = field(default_factory=dict)
    checkpoint: int | None = None

    def note(self, path: str, size: int, at: float) -> None:
        folder, _, name = path.rpartition("/")
        if folder == _LOG:
            found = _CHECKPOINT.fullmatch(name)
            if found and size:
                self.checkpoint = max(self.checkpoint or 0, int(found[1]))
        elif name.endswith(".parquet") and not _hidden(folder):
            self.files[path] = (size, at)


def _hidden(folder: str) -> bool:
    """Folders of the format's own, such as _change_data; partitions may begin with a _."""
    top = folder.partition("/")[0]
    return top.startswith(("_", ".")) and "=" not in top


def local_root(url: str) -> Path | None:
    """The folder of a table on this machine; None for an object store."""
    if not _SCHEME.match(url):
        return Path(url).absolute()
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def on_disk(root: Path) -> Inventory:
    """What is stored in a folder. Raises OSError."""
    found, top = Inventory(), len(str(root)) + 1
    for entry in _walk(str(root)):
        try:
            state = entry.stat()
        except FileNotFoundError:
            continue  # gone meanwhile, or a link to nothing
        found.note(entry.path[top:], state.st_size, state.st_mtime)
    return found


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _walk(entry.path)
            else:
                yield entry


def in_store(url: str) -> Inventory:
    """What is stored under a URL, with the credentials of the environment. One listing.

    Raises the store's own errors, among them OSError. delta-rs can list too, but holds Python's
    lock all the while: a store that hangs would stop every other table and the scrapes.
    """
    import obstore  # noqa: PLC0415  (an extra)
    from obstore.store import from_url  # noqa: PLC0415

    found = Inventory()
    for objects in obstore.list(from_url(url), chunk_size=_CHUNK):
        for each in objects:
            found.note(each["path"], each["size"], each["last_modified"].timestamp())
    return found


def compare(named: Mapping[str, int], stored: Inventory, *, now: float) -> Integrity:
    """`named` has the size in bytes of each file as the log writes its path (URL-encoded).

    A path outside the table, as a shallow clone has it, is looked at where this machine can.
    """
    missing = truncated = 0
    ours = set()
    for path, size in named.items():
        plain = unquote(path)
        ours.add(plain)
        there = _outside(path) if _SCHEME.match(path) else stored.files.get(plain, (None, 0.0))
        if there is None:
            continue
        missing += there[0] is None
        truncated += there[0] is not None and there[0] != size
    orphans = sum(
        path not in ours and now - at > _RETENTION for path, (_, at) in stored.files.items()
    )
    return Integrity(missing, truncated, orphans, stored.checkpoint)


def _outside(url: str) -> tuple[int | None, float] | None:
    path = local_root(url)
    if path is None:
        return None
    try:
        return path.stat().st_size, 0.0
    except OSError:
        return None, 0.0
